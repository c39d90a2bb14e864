/** \file
 * Programs run by tests: arguments, working folder, what they print, how they end.
 */
#pragma once

#include "tests/support/files.hpp"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace plait::test {

struct Outcome {
  int code = -1; ///< exit code; 128 + signal when a signal ended it
  std::string out;
  std::string error;
};

/** A running program. Output goes to files, so that it never waits for a reader. */
class Process {
public:
  Process(const std::vector<std::string>& arguments, const fs::path& folder) {
    const std::string out = (files_.path() / "out").string();
    const std::string error = (files_.path() / "error").string();
    std::vector<char*> pointers;
    for (const std::string& argument : arguments)
      pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    const std::string place = folder.string();
    child_ = ::fork();
    if (child_ < 0)
      throw std::runtime_error("cannot start a process");
    if (child_ == 0) {
      const int mode = O_WRONLY | O_CREAT | O_TRUNC;
      ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
      ::dup2(::open(out.c_str(), mode, 0600), STDOUT_FILENO);
      ::dup2(::open(error.c_str(), mode, 0600), STDERR_FILENO);
      if (::chdir(place.c_str()) == 0)
        ::execvp(pointers[0], pointers.data());
      ::_exit(127);
    }
  }
  ~Process() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const { ::kill(child_, number); }

  /** Waits until standard error holds `text`; false when the program ends first or a minute is over. */
  bool wait_for_error_text(const std::string& text) const {
    for (int tries = 0; tries < 6000; ++tries) {
      std::error_code none;
      if (fs::exists(files_.path() / "error", none) &&
          read_file(files_.path() / "error").find(text) != std::string::npos)
        return true;
      siginfo_t info{};
      if (::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
          info.si_pid == child_)
        return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  Outcome wait() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = -1;
    Outcome outcome;
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome.out = read_file(files_.path() / "out");
    outcome.error = read_file(files_.path() / "error");
    return outcome;
  }

private:
  TemporaryFolder files_;
  pid_t child_ = -1;
};

inline Outcome run(const std::vector<std::string>& arguments, const fs::path& folder) {
  return Process(arguments, folder).wait();
}

#ifdef PLAIT_BINARY
/** The command line under test. */
inline Outcome run_plait(std::vector<std::string> arguments, const fs::path& folder) {
  arguments.insert(arguments.begin(), PLAIT_BINARY);
  return run(arguments, folder);
}
#endif

} // namespace plait::test
