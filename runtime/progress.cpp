#include "runtime/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace plait::runtime {

namespace {

constexpr double memory = 100; // reports that the smoothed elbo averages over

std::string shown_rate(double rate) {
  if (rate >= 1e6)
    return fmt::format("{:.1f}M", rate / 1e6);
  if (rate >= 1e3)
    return fmt::format("{:.1f}k", rate / 1e3);
  return fmt::format("{:.{}f}", rate, rate < 10 ? 1 : 0);
}

} // namespace

std::string shown_duration(double seconds) {
  if (!(seconds < 1e9))
    return "very long";
  if (seconds < 9.95)
    return fmt::format("{:.1f} s", std::max(0.0, seconds));
  auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60)
    return fmt::format("{} s", whole);
  if (whole < 3600)
    return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

Progress::Progress(std::ostream& out, std::int64_t first_step, std::int64_t total_steps, Options options)
    : out_(out), first_step_(first_step), total_steps_(total_steps), step_(first_step),
      options_(std::move(options)) {}

void Progress::update(std::int64_t step, double elbo, double seconds) {
  step_ = step;
  ++reports_;
  // A plain average at first, an exponential one later.
  double weight = 1 / std::min(static_cast<double>(reports_), memory);
  if (!smoothed_ || !std::isfinite(*smoothed_))
    smoothed_ = elbo;
  else
    smoothed_ = *smoothed_ + weight * (elbo - *smoothed_);
  double interval = options_.terminal ? options_.terminal_interval : options_.plain_interval;
  if (seconds - printed_ >= interval || (options_.terminal && !any_))
    print(seconds);
}

void Progress::finish(double seconds) {
  if (options_.terminal || printed_step_ != step_)
    print(seconds);
  if (options_.terminal)
    out_ << '\n';
  out_.flush();
}

std::string Progress::text(double seconds) const {
  double rate = seconds > 0 ? static_cast<double>(step_ - first_step_) / seconds : 0;
  std::string text = fmt::format("{}/{}", step_, total_steps_);
  if (smoothed_)
    text += fmt::format("  {} {:.2f}", options_.bound_name, *smoothed_);
  if (rate > 0) {
    text += fmt::format("  {} steps/s", shown_rate(rate));
    if (step_ < total_steps_)
      text += fmt::format("  {} left", shown_duration(static_cast<double>(total_steps_ - step_) / rate));
    else
      text += fmt::format("  {}", shown_duration(seconds));
  }
  return text;
}

void Progress::print(double seconds) {
  printed_ = seconds;
  any_ = true;
  printed_step_ = step_;
  std::string line = text(seconds);
  if (!options_.terminal) {
    out_ << "step " << line << '\n';
    out_.flush();
    return;
  }
  constexpr std::int64_t bar = 20;
  std::int64_t full = total_steps_ > 0 ? std::clamp<std::int64_t>(step_ * bar / total_steps_, 0, bar) : bar;
  std::string shown = "[" + std::string(static_cast<std::size_t>(full), '#') +
                      std::string(static_cast<std::size_t>(bar - full), '-') + "] " + line;
  // A line that wraps could not be rewritten.
  shown.resize(std::min(shown.size(), static_cast<std::size_t>(std::max(options_.width - 1, 10))));
  out_ << "\r\x1b[K" << shown;
  out_.flush();
}

Progress::Options progress_options(int descriptor) {
  Progress::Options options;
  const char* kind = std::getenv("TERM");
  options.terminal = ::isatty(descriptor) == 1 && !(kind && std::string_view(kind) == "dumb");
  winsize size{};
  if (options.terminal && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    options.width = size.ws_col;
  return options;
}

} // namespace plait::runtime
