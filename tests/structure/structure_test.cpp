// The rules of the house that a compiler does not check.
#include "tests/support/files.hpp"

#include <algorithm>
#include <map>
#include <regex>
#include <set>

using namespace plait::test;

namespace {

const std::vector<std::string> rooms{"grammar", "runtime", "compiler", "include", "tests"};

/** Path below the root, with forward slashes, of every source file in a folder. */
std::vector<std::string> sources(const std::string& folder) {
  std::vector<std::string> result;
  for (const auto& entry : fs::recursive_directory_iterator(source_folder() / folder)) {
    const std::string extension = entry.path().extension();
    if (extension == ".cpp" || extension == ".hpp" || extension == ".inc")
      result.push_back(fs::relative(entry.path(), source_folder()).generic_string());
  }
  std::sort(result.begin(), result.end());
  return result;
}

struct Include {
  std::string target;
  bool quoted = false;
};

std::vector<Include> includes(const std::string& file) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
  std::vector<Include> result;
  for (const std::string& line : split_lines(read_file(source_folder() / file))) {
    std::smatch match;
    if (std::regex_search(line, match, pattern))
      result.push_back({match[2], match[1] == "\""});
  }
  return result;
}

bool starts_with_any(const std::string& text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return text.starts_with(prefix); });
}

/** What the files below a folder may include of the project: itself, and the rooms before it. */
struct Room {
  std::string folder;
  std::vector<std::string> allowed;
};

const std::vector<Room>& directions() {
  static const std::vector<std::string> library{"compiler/tensor_ir/", "compiler/catalog/"};
  static const std::vector<Room> result = [] {
    std::vector<Room> list{
        {"grammar/", {"grammar/"}},
        {"runtime/", {"runtime/"}},
        {"include/", {}},
        // The interpreter draws the numbers that compiled steps draw, so it shares the generators.
        {"compiler/tensor_ir/",
         {"compiler/tensor_ir/", "compiler/catalog/ops", "runtime/rng.hpp", "runtime/samplers.hpp",
          "runtime/jit_functions.hpp", "runtime/special.hpp"}},
        {"compiler/catalog/",
         {"compiler/catalog/", "compiler/tensor_ir/", "runtime/jit_functions.hpp", "runtime/special.hpp"}},
        {"compiler/autodiff/", {"compiler/autodiff/"}},
        {"compiler/program/", {"compiler/program/", "grammar/"}},
        {"compiler/plates/", {"compiler/plates/", "compiler/program/", "grammar/"}},
        {"compiler/guide/", {"compiler/guide/", "compiler/plates/", "compiler/program/", "grammar/"}},
        {"compiler/elbo/",
         {"compiler/elbo/", "compiler/autodiff/", "compiler/guide/", "compiler/plates/", "compiler/program/",
          "grammar/"}},
        {"compiler/passes/", {"compiler/passes/"}},
        {"compiler/codegen/", {"compiler/codegen/", "compiler/passes/", "runtime/"}},
        {"compiler/session/",
         {"compiler/session/", "compiler/codegen/", "compiler/compile.hpp", "compiler/autodiff/",
          "compiler/elbo/", "compiler/guide/", "compiler/passes/", "compiler/plates/", "compiler/program/",
          "plait/plait.hpp", "grammar/", "runtime/"}},
        {"compiler/cli/",
         {"compiler/cli/", "plait/plait.hpp", "runtime/interrupt.hpp", "runtime/names.hpp",
          "runtime/progress.hpp"}},
    };
    for (Room& room : list)
      if (room.folder.starts_with("compiler/") && room.folder != "compiler/cli/" &&
          room.folder != "compiler/tensor_ir/" && room.folder != "compiler/catalog/")
        room.allowed.insert(room.allowed.end(), library.begin(), library.end());
    return list;
  }();
  return result;
}

/** Names in the order in which the file lists them: the lines that match `pattern`, first group. */
std::vector<std::string> listed(const std::string& file, const std::string& pattern) {
  const std::regex row(pattern);
  const std::string text = read_file(source_folder() / file);
  std::vector<std::string> names;
  for (std::sregex_iterator match(text.begin(), text.end(), row), end; match != end; ++match)
    names.push_back((*match)[1]);
  return names;
}

} // namespace

TEST_CASE("no hand-written file is long") {
  constexpr std::size_t most = 600;
  std::size_t files = 0;
  for (const std::string& room : rooms)
    for (const std::string& file : sources(room)) {
      ++files;
      const std::size_t lines = split_lines(read_file(source_folder() / file)).size();
      INFO(file << " has " << lines << " lines");
      CHECK(lines <= most);
    }
  CHECK(files > 200);
}

TEST_CASE("every top-level entry is known") {
  const std::set<std::string> known{".ci",        ".clang-format",  ".clang-tidy", ".git",
                                    ".gitignore", "CMakeLists.txt", "README.md",   "CMakePresets.json",
                                    "compiler",   "docs",           "examples",    "grammar",
                                    "include",    "runtime",        "tests",       "LICENSE"};
  // Git says what belongs to the project; without it everything but build folders and runs does.
  const std::regex ignored(R"(build.*|.*\.run|RUN|\.cache|compile_commands\.json)");
  for (const auto& entry : fs::directory_iterator(source_folder())) {
    const std::string name = entry.path().filename();
    INFO(name);
    CHECK((known.contains(name) || std::regex_match(name, ignored)));
  }
}

TEST_CASE("parser, code generator and matrix library stay in their rooms") {
  const std::map<std::string, std::vector<std::string>> homes{
      {"boost/spirit", {"grammar/"}},
      {"boost/fusion", {"grammar/"}},
      {"llvm/", {"compiler/codegen/", "tests/unit/codegen/"}},
      {"Eigen/", {"runtime/gemm", "tests/"}},
      {"CLI/", {"compiler/cli/", "tests/performance/"}},
      {"boost/math", {"tests/"}},
      {"mpi.h", {"runtime/collective_mpi"}},
  };
  for (const std::string& room : rooms)
    for (const std::string& file : sources(room))
      for (const Include& include : includes(file))
        for (const auto& [prefix, places] : homes)
          if (include.target.starts_with(prefix)) {
            INFO(file << " includes " << include.target);
            CHECK(starts_with_any(file, places));
          }
}

TEST_CASE("rooms include only themselves and what comes before them") {
  std::size_t checked = 0;
  for (const Room& room : directions())
    for (const std::string& file : sources(room.folder))
      for (const Include& include : includes(file)) {
        if (!include.quoted)
          continue;
        ++checked;
        INFO(file << " includes " << include.target);
        CHECK(starts_with_any(include.target, room.allowed));
      }
  CHECK(checked > 300);
}

TEST_CASE("every folder of the compiler has its place in the order") {
  for (const auto& entry : fs::directory_iterator(source_folder() / "compiler")) {
    if (!entry.is_directory())
      continue;
    const std::string folder = "compiler/" + entry.path().filename().string() + "/";
    INFO(folder);
    const auto& list = directions();
    CHECK(std::any_of(list.begin(), list.end(), [&](const Room& room) { return room.folder == folder; }));
  }
}

TEST_CASE("the public headers need the standard library alone") {
  for (const std::string& file : sources("include"))
    for (const Include& include : includes(file)) {
      INFO(file << " includes " << include.target);
      CHECK_FALSE(include.quoted);
      CHECK(include.target.find_first_of("/.") == std::string::npos);
    }
}

TEST_CASE("lists of rows are sorted and name every file of their folder") {
  const std::string macro_row = R"(\n  ROW\((\w+)\))";
  const std::map<std::string, std::string> lists{
      {"compiler/catalog/distributions/rows.hpp", macro_row},
      {"compiler/catalog/optimizers/rows.hpp", macro_row},
      {"compiler/catalog/layers/rows.hpp", macro_row},
      {"compiler/catalog/ops.cpp", R"(\n    &op::(\w+),)"},
      {"compiler/guide/families/rows.hpp", R"(\n  ROW\((\w+)_family\))"},
      {"compiler/elbo/estimators/rows.hpp", R"(\n  ROW\((\w+)_objective\))"},
  };
  for (const auto& [file, pattern] : lists) {
    const std::vector<std::string> names = listed(file, pattern);
    INFO(file);
    CHECK(names.size() >= 4);
    for (std::size_t k = 1; k < names.size(); ++k) {
      INFO(names[k - 1] << " before " << names[k]);
      CHECK(names[k - 1] < names[k]);
    }
  }
  for (const std::string kind : {"distributions", "layers", "optimizers"}) {
    const std::string folder = "compiler/catalog/" + kind;
    const std::vector<std::string> names = listed(folder + "/rows.hpp", macro_row);
    for (const std::string& file : sources(folder)) {
      const fs::path path = file;
      if (path.extension() != ".cpp" || path.stem() == "row")
        continue;
      INFO(file);
      CHECK(std::find(names.begin(), names.end(), path.stem().string()) != names.end());
    }
  }
}

TEST_CASE("nothing names a place of one machine") {
  const std::regex machine(R"((^|[^\w.])/(home|Users|work|root)/\w)");
  for (const std::string folder : {"grammar", "runtime", "compiler", "include", "docs", "examples", ".ci"})
    for (const auto& entry : fs::recursive_directory_iterator(source_folder() / folder)) {
      const std::string extension = entry.path().extension();
      if (!entry.is_regular_file() || extension == ".npy" || extension == ".npz" || extension == ".csv")
        continue;
      int number = 0;
      for (const std::string& line : split_lines(read_file(entry.path()))) {
        ++number;
        INFO(entry.path() << ":" << number);
        if (std::regex_search(line, machine))
          CHECK(line == "");
      }
    }
}

TEST_CASE("headers say what they are for and are included once") {
  for (const std::string& room : rooms)
    for (const std::string& file : sources(room)) {
      if (!file.ends_with(".hpp"))
        continue;
      const std::string text = read_file(source_folder() / file);
      INFO(file);
      CHECK((text.find("/**") != std::string::npos || text.find("//") != std::string::npos));
      CHECK(text.find("#pragma once") != std::string::npos);
    }
}
