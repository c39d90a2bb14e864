// Wrong data and wrong arguments, through the command line. A case is a folder: `arguments` (one a line),
// the model and data files it needs, and `expected`: the exit code, then what is said on standard error.
#include "tests/support/process.hpp"

#include <algorithm>

using namespace plait::test;

TEST_CASE("each fault is reported with its place and exit code") {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(source_folder() / "tests/errors_data"))
    if (entry.is_directory())
      folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  REQUIRE(folders.size() >= 10);
  for (const fs::path& folder : folders) {
    INFO(folder.filename());
    const TemporaryFolder work;
    // The models most cases share; a case's own file of the same name goes before it.
    write_file(work.path() / "line.ppl", read_file(source_folder() / "tests/errors_data/line.ppl"));
    for (const auto& entry : fs::directory_iterator(folder))
      fs::copy_file(entry.path(), work.path() / entry.path().filename(),
                    fs::copy_options::overwrite_existing);
    const Outcome outcome = run_plait(split_lines(read_file(folder / "arguments")), work.path());
    CHECK(outcome.code != 0);
    CHECK(outcome.out.empty());
    check_expectation(folder / "expected", "exit " + std::to_string(outcome.code) + "\n" + outcome.error);
  }
}
