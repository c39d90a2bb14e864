#include "runtime/trace.hpp"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <system_error>

namespace plait::runtime {

namespace {

constexpr std::string_view header = "step,elbo,seconds\n";
constexpr std::size_t most_pending = 1 << 16;

template <class Number>
bool take(std::string_view& line, Number& value, bool last) {
  std::size_t end = last ? line.size() : line.find(',');
  if (end == std::string_view::npos)
    return false;
  const char* stop = line.data() + end;
  bool whole = false;
  if constexpr (std::is_floating_point_v<Number>) {
    auto [next, status] = fast_float::from_chars(line.data(), stop, value);
    whole = status == std::errc{} && next == stop;
  } else {
    auto [next, status] = std::from_chars(line.data(), stop, value);
    whole = status == std::errc{} && next == stop;
  }
  line.remove_prefix(last ? end : end + 1);
  return whole;
}

// Calls use(step, elbo, seconds, end of the line) for each whole line.
template <class Use>
void for_each_line(const std::string& path, const std::string& text, Use&& use) {
  if (!text.starts_with(header))
    throw StorageError(path, "this is not a trace: its first line is not 'step,elbo,seconds'");
  std::size_t number = 1;
  for (std::size_t at = header.size(); at < text.size();) {
    ++number;
    std::size_t end = text.find('\n', at);
    if (end == std::string::npos)
      return;
    std::string_view line(text.data() + at, end - at);
    std::int64_t step = 0;
    double elbo = 0, seconds = 0;
    if (!take(line, step, false) || !take(line, elbo, false) || !take(line, seconds, true))
      throw StorageError(path, fmt::format("line {} is not a trace line", number));
    at = end + 1;
    use(step, elbo, seconds, at);
  }
}

} // namespace

TraceWriter::TraceWriter(std::string path, const char* mode)
    : path_(std::move(path)), file_(std::fopen(path_.c_str(), mode)),
      flushed_(std::chrono::steady_clock::now()) {
  if (!file_)
    throw StorageError(path_, "cannot write the file: " + std::generic_category().message(errno));
}

TraceWriter TraceWriter::begin(const std::string& path) {
  TraceWriter writer(path, "wb");
  writer.pending_ = header;
  writer.flush();
  return writer;
}

TraceWriter TraceWriter::resume(const std::string& path, std::int64_t last_step) {
  if (!std::filesystem::exists(path))
    return begin(path);
  std::string text = read_text(path);
  std::size_t keep = header.size();
  for_each_line(path, text, [&](std::int64_t step, double, double, std::size_t end) {
    if (step <= last_step)
      keep = end;
  });
  if (keep != text.size())
    write_atomically(path, std::string_view(text).substr(0, keep));
  return TraceWriter(path, "ab");
}

TraceWriter::~TraceWriter() {
  if (!file_)
    return;
  try {
    flush();
  } catch (const StorageError&) {
    // Nobody is left to hear of it; an explicit flush() reports.
  }
}

void TraceWriter::add(std::int64_t step, double elbo, double seconds) {
  fmt::format_to(std::back_inserter(pending_), "{},{},{:.6f}\n", step, elbo, seconds);
  if (pending_.size() >= most_pending ||
      std::chrono::steady_clock::now() - flushed_ >= std::chrono::seconds(1))
    flush();
}

void TraceWriter::flush() {
  bool written = std::fwrite(pending_.data(), 1, pending_.size(), file_.get()) == pending_.size();
  written = std::fflush(file_.get()) == 0 && written;
  pending_.clear();
  flushed_ = std::chrono::steady_clock::now();
  if (!written)
    throw StorageError(path_, "cannot write the file: " + std::generic_category().message(errno));
}

Trace read_trace(const std::string& path) {
  Trace trace;
  std::string text = read_text(path);
  for_each_line(path, text, [&](std::int64_t step, double elbo, double seconds, std::size_t) {
    trace.steps.push_back(step);
    trace.elbo.push_back(elbo);
    trace.seconds.push_back(seconds);
  });
  return trace;
}

} // namespace plait::runtime
