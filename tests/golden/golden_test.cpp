// What the compiler prints between its stages, for programs small enough to be read.
//
// A case is a file NAME.WHAT.expected beside NAME.ppl, where WHAT is a stage, `check` or `fmt`. Programs are
// shown without data, so that sizes keep their names, and with plain gradient descent, so that the update is
// short. To add a case: touch the file, run with PLAIT_ACCEPT=1, and read what it holds.
#include "plait/plait.hpp"
#include "tests/support/files.hpp"

#include <algorithm>
#include <map>
#include <regex>
#include <set>

using namespace plait::test;

namespace {

struct Case {
  std::string program;
  std::string what;
  fs::path expected;
};

std::vector<Case> cases_in(const fs::path& folder) {
  std::vector<Case> cases;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".expected"))
      continue;
    const std::size_t first = name.find('.');
    const std::size_t second = name.rfind('.');
    REQUIRE(second > first);
    cases.push_back({name.substr(0, first), name.substr(first + 1, second - first - 1), entry.path()});
  }
  std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.expected < b.expected; });
  return cases;
}

std::string show(const plait::Model& model, const std::string& what) {
  if (what == "fmt")
    return model.format();
  if (what == "check")
    return model.check();
  plait::FitOptions options;
  options.optimizer = "sgd";
  options.compile.use_cache = false;
  return model.emit(what, {}, options);
}

plait::Model load(const fs::path& path) {
  return plait::Model::parse(read_file(path), path.filename());
}

/** Functions that the machine code calls, by name. */
std::set<std::string> called_functions(const std::string& assembly) {
  static const std::regex call(R"((?:call|jmp)q?\s+([A-Za-z_.$][\w.$]*)(?:@PLT)?\b)");
  std::set<std::string> names;
  for (std::sregex_iterator match(assembly.begin(), assembly.end(), call), end; match != end; ++match)
    if (!(*match)[1].str().starts_with(".L"))
      names.insert((*match)[1]);
  return names;
}

} // namespace

TEST_CASE("stages print what is expected") {
  constexpr std::size_t most_lines = 100;
  const fs::path folder = source_folder() / "tests/golden";
  const std::vector<Case> cases = cases_in(folder);
  std::set<std::string> seen;
  for (const Case& golden : cases) {
    INFO(golden.expected);
    seen.insert(golden.what);
    std::string found;
    try {
      found = show(load(folder / (golden.program + ".ppl")), golden.what);
    } catch (const plait::Error& error) {
      FAIL_CHECK(error.what());
      continue;
    }
    CHECK(split_lines(found).size() <= most_lines);
    check_expectation(golden.expected, found);
  }
  for (const std::string stage : {"ast", "types", "sites", "elbo", "gradient", "ir", "check", "fmt"}) {
    INFO("no case shows " << stage);
    CHECK(seen.contains(stage));
  }
}

TEST_CASE("the site tables of the examples are as expected") {
  const fs::path folder = source_folder() / "tests/golden/examples";
  std::set<std::string> covered;
  for (const Case& golden : cases_in(folder)) {
    INFO(golden.expected);
    covered.insert(golden.program);
    try {
      check_expectation(golden.expected,
                        show(load(source_folder() / "examples" / golden.program / "model.ppl"), golden.what));
    } catch (const plait::Error& error) {
      FAIL_CHECK(error.what());
    }
  }
  for (const auto& entry : fs::directory_iterator(source_folder() / "examples"))
    if (entry.path().extension() != ".run" && fs::exists(entry.path() / "model.ppl")) {
      INFO("no expected table for " << entry.path());
      CHECK(covered.contains(entry.path().filename()));
    }
}

TEST_CASE("every program of the repository is stable under fmt") {
  for (const std::string place : {"tests/golden", "tests/support/programs"})
    for (const auto& entry : fs::directory_iterator(source_folder() / place)) {
      if (entry.path().extension() != ".ppl")
        continue;
      INFO(entry.path());
      const std::string once = load(entry.path()).format();
      CHECK(plait::Model::parse(once, "again.ppl").format() == once);
    }
}

TEST_CASE("hot loops call no mathematics") {
  // Of the examples with small data: densities with exp, log, lgamma and digamma in them.
  struct Program {
    std::string example;
    std::vector<std::string> data;
    std::map<std::string, double> set;
  };
  const std::vector<Program> programs{
      {"coin", {"data.json"}, {}},
      {"eight_schools", {"data.json"}, {}},
      {"vae", {"image=digits.npy,threshold=7"}, {{"H", 64}, {"Z", 8}}},
  };
  const fs::path before = fs::current_path();
  for (const Program& program : programs) {
    const fs::path folder = source_folder() / "examples" / program.example;
    fs::current_path(folder);
    plait::Data data;
    for (const std::string& argument : program.data)
      data.add_argument(argument);
    plait::FitOptions options;
    options.compile.set = program.set;
    options.compile.use_cache = false;
    const std::string assembly = load(folder / "model.ppl").emit("asm", data, options);
    fs::current_path(before);
    INFO(program.example);
    CHECK(assembly.size() > 1000);
    for (const std::string& name : called_functions(assembly)) {
      INFO("calls " << name);
      // Our own matrix products, samplers and thread pool; passes over a plate; moving memory.
      const bool expected =
          name.starts_with("plait_") || name.starts_with("phase_") || name.starts_with("mem");
      CHECK(expected);
    }
  }
}

TEST_CASE("the stages are those that the pipeline names") {
  const std::vector<std::string> stages = plait::Model::stages();
  const std::vector<std::string> expected{"ast", "types",    "sites", "elbo", "gradient",
                                          "ir",  "schedule", "llvm",  "asm"};
  CHECK(stages == expected);
  for (const std::string& stage : stages) {
    INFO(stage);
    CHECK_FALSE(show(load(source_folder() / "examples/coin/model.ppl"), stage).empty());
  }
  CHECK_THROWS_AS(show(load(source_folder() / "examples/coin/model.ppl"), "nonsense"), plait::Error);
}
