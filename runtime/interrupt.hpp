// Ctrl-C during a fit.
#pragma once

#include <csignal>

namespace plait::runtime {

/// While one exists, SIGINT and SIGTERM only set a flag, for the fit loop to look at between steps and save.
/// A second signal ends the process at once with exit code 130. The former handlers return with its end.
class InterruptGuard {
public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// Whether a signal has come since the guard was made.
  bool requested() const;

private:
  struct sigaction interrupt_before_{};
  struct sigaction terminate_before_{};
};

} // namespace plait::runtime
