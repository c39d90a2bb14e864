#include "runtime/interrupt.hpp"

#include <unistd.h>

namespace plait::runtime {

namespace {

constexpr int interrupted_exit_code = 130;
volatile std::sig_atomic_t interrupts = 0;

extern "C" void plait_note_interrupt(int) {
  if (interrupts != 0)
    ::_exit(interrupted_exit_code);
  interrupts = 1;
}

} // namespace

InterruptGuard::InterruptGuard() {
  interrupts = 0;
  struct sigaction action{};
  action.sa_handler = plait_note_interrupt;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, &interrupt_before_);
  ::sigaction(SIGTERM, &action, &terminate_before_);
}

InterruptGuard::~InterruptGuard() {
  ::sigaction(SIGINT, &interrupt_before_, nullptr);
  ::sigaction(SIGTERM, &terminate_before_, nullptr);
}

bool InterruptGuard::requested() const {
  return interrupts != 0;
}

} // namespace plait::runtime
