#include "runtime/interrupt.hpp"
#include "runtime/progress.hpp"
#include "runtime/trace.hpp"
#include "tests/unit/runtime/scratch.hpp"

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>

using namespace plait::runtime;

namespace {

template <class Action>
std::string failure(Action&& action) {
  try {
    action();
  } catch (const StorageError& error) {
    return error.what();
  }
  return "no failure";
}

} // namespace

TEST_CASE("trace: written, read, bit for bit") {
  scratch::Folder folder;
  {
    TraceWriter writer = TraceWriter::begin("trace.csv");
    CHECK(folder.read("trace.csv") == "step,elbo,seconds\n");
    writer.add(1, -1.0 / 3, 0.5);
    writer.add(2, std::nan(""), 1.25);
    writer.add(3, -INFINITY, 2);
  }
  CHECK(folder.read("trace.csv") ==
        "step,elbo,seconds\n1,-0.3333333333333333,0.500000\n2,nan,1.250000\n3,-inf,2.000000\n");
  Trace trace = read_trace("trace.csv");
  CHECK(trace.steps == std::vector<std::int64_t>{1, 2, 3});
  CHECK(trace.elbo[0] == -1.0 / 3);
  CHECK(std::isnan(trace.elbo[1]));
  CHECK(trace.elbo[2] == -INFINITY);
  CHECK(trace.seconds[1] == 1.25);
}

TEST_CASE("trace: resuming drops what lies after the saved step") {
  scratch::Folder folder;
  folder.write("trace.csv", "step,elbo,seconds\n1,-3,0.1\n2,-2,0.2\n3,-1,0.3\n4,-");
  TraceWriter::resume("trace.csv", 2).add(3, -7, 0.5);
  CHECK(folder.read("trace.csv") == "step,elbo,seconds\n1,-3,0.1\n2,-2,0.2\n3,-7,0.500000\n");
  TraceWriter::resume("trace.csv", 0);
  CHECK(folder.read("trace.csv") == "step,elbo,seconds\n");
  TraceWriter::resume("new.csv", 5);
  CHECK(folder.read("new.csv") == "step,elbo,seconds\n");
}

TEST_CASE("trace: a damaged file is refused") {
  scratch::Folder folder;
  folder.write("other.csv", "a,b\n1,2\n");
  CHECK(failure([] { TraceWriter::resume("other.csv", 1); }) ==
        "other.csv: this is not a trace: its first line is not 'step,elbo,seconds'");
  folder.write("trace.csv", "step,elbo,seconds\n1,2,3\n4,5x,6\n");
  CHECK(failure([] { read_trace("trace.csv"); }) == "trace.csv: line 3 is not a trace line");
  folder.write("trace.csv", "step,elbo,seconds\n1,2,3\n4,5\n");
  CHECK(failure([] { read_trace("trace.csv"); }) == "trace.csv: line 3 is not a trace line");
  CHECK(failure([] { TraceWriter::begin("no/trace.csv"); }) ==
        "no/trace.csv: cannot write the file: No such file or directory");
}

TEST_CASE("trace: a full disk is noticed") {
  if (::access("/dev/full", W_OK) != 0)
    return;
  CHECK(failure([] { TraceWriter::begin("/dev/full"); }) ==
        "/dev/full: cannot write the file: No space left on device");
}

TEST_CASE("progress: plain lines, rate-limited") {
  std::ostringstream out;
  Progress progress(out, 0, 1000, {});
  for (int step = 1; step <= 1000; ++step)
    progress.update(step, -100, step * 0.012);
  progress.finish(12);
  CHECK(out.str() == "step 417/1000  elbo -100.00  83 steps/s  7.0 s left\n"
                     "step 834/1000  elbo -100.00  83 steps/s  2.0 s left\n"
                     "step 1000/1000  elbo -100.00  83 steps/s  12 s\n");
}

TEST_CASE("progress: a resumed run counts its own steps for the rate") {
  std::ostringstream out;
  Progress progress(out, 5000, 7000, {});
  progress.update(6000, -1, 10);
  CHECK(out.str() == "step 6000/7000  elbo -1.00  100 steps/s  10 s left\n");
}

TEST_CASE("progress: one line on a terminal") {
  std::ostringstream out;
  Progress::Options options;
  options.terminal = true;
  Progress progress(out, 0, 4, options);
  progress.update(1, -8, 0.5);
  progress.update(2, -4, 0.55);
  progress.update(3, -3, 1);
  progress.finish(1);
  std::string last = "\r\x1b[K[###############-----] 3/4  elbo -5.00  3.0 steps/s  0.3 s left";
  CHECK(out.str() ==
        "\r\x1b[K[#####---------------] 1/4  elbo -8.00  2.0 steps/s  1.5 s left" + last + last + "\n");
  CHECK(*progress.smoothed_elbo() == Approx(-5));

  options.width = 30;
  std::ostringstream narrow;
  Progress(narrow, 0, 4, options).update(1, -8, 0.5);
  CHECK(narrow.str() == "\r\x1b[K[#####---------------] 1/4  e");
}

TEST_CASE("progress: durations") {
  CHECK(shown_duration(0.26) == "0.3 s");
  CHECK(shown_duration(9.96) == "10 s");
  CHECK(shown_duration(59.6) == "1 min 00 s");
  CHECK(shown_duration(200) == "3 min 20 s");
  CHECK(shown_duration(7500) == "2 h 05 min");
  CHECK(shown_duration(INFINITY) == "very long");
}

TEST_CASE("interrupt: the first signal is a request, the former handler comes back") {
  auto before = std::signal(SIGINT, SIG_IGN);
  {
    InterruptGuard guard;
    CHECK_FALSE(guard.requested());
    ::raise(SIGINT);
    CHECK(guard.requested());
  }
  {
    InterruptGuard guard;
    CHECK_FALSE(guard.requested());
    ::raise(SIGTERM);
    CHECK(guard.requested());
  }
  ::raise(SIGINT);
  CHECK(std::signal(SIGINT, before) == SIG_IGN);
}

TEST_CASE("interrupt: the second signal ends the process") {
  pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    InterruptGuard guard;
    ::raise(SIGINT);
    ::raise(SIGINT);
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 130);
}
