// What a fit says while it runs.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

namespace plait::runtime {

/// One line on a terminal, rewritten in place; else a plain line now and then:
///   [#######-------------] 350/1000  elbo -123.46  2.1k steps/s  0.3 s left
///   step 350/1000  elbo -123.46  2.1k steps/s  0.3 s left
/// The elbo is smoothed: an average over about the last hundred reports, those of a changing start forgotten
/// quickly.
class Progress {
public:
  struct Options {
    bool terminal = false;
    int width = 80;                  ///< columns of the terminal
    double terminal_interval = 0.1;  ///< seconds between two rewritings
    double plain_interval = 5;       ///< seconds between two plain lines
    std::string bound_name = "elbo"; ///< what the reported number is called
  };
  /// Steps count from `first_step` (what a resumed run has behind it) to `total_steps`.
  Progress(std::ostream& out, std::int64_t first_step, std::int64_t total_steps, Options options);

  /// Reports that `step` steps are done, `seconds` after the fit (or its resumption) began. Cheap when it is
  /// too soon to say anything.
  void update(std::int64_t step, double elbo, double seconds);
  /// Says the last state once more and ends the line.
  void finish(double seconds);

  std::optional<double> smoothed_elbo() const { return smoothed_; }

private:
  std::string text(double seconds) const;
  void print(double seconds);

  std::ostream& out_;
  std::int64_t first_step_, total_steps_, step_;
  Options options_;
  std::optional<double> smoothed_;
  std::int64_t reports_ = 0;
  double printed_ = 0;
  bool any_ = false;
  std::int64_t printed_step_ = -1;
};

/// Options for a stream of the process: whether descriptor `descriptor` is a terminal, and its width.
Progress::Options progress_options(int descriptor);

/// "0.3 s", "12 s", "3 min 20 s", "2 h 05 min"
std::string shown_duration(double seconds);

} // namespace plait::runtime
