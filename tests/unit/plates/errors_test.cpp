#include "compiler/guide/pairing.hpp"
#include "compiler/program/check.hpp"
#include "grammar/parse.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Everything the compiler says about a file before it looks at data.
std::string report(const std::string& name, const std::string& text) {
  plait::Source source{name, text};
  plait::Diagnostics diagnostics;
  plait::ast::Program file = plait::parse(source, diagnostics);
  if (!diagnostics.has_errors())
    if (auto program = plait::program::check(file, {}, diagnostics))
      plait::guide::pair(*program, diagnostics);
  return render(source, diagnostics);
}

} // namespace

// Every file tests/errors/NAME.ppl is wrong, and NAME.expected is the complete report. PLAIT_ACCEPT=1
// rewrites the expectations: read the difference before committing it.
TEST_CASE("each wrong program gets its report") {
  const fs::path folder = fs::path(PLAIT_SOURCE_DIR) / "tests/errors";
  const char* accept = std::getenv("PLAIT_ACCEPT");
  std::vector<fs::path> programs;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".ppl")
      programs.push_back(entry.path());
  std::sort(programs.begin(), programs.end());
  REQUIRE(programs.size() > 40);
  for (const fs::path& path : programs) {
    INFO(path);
    const std::string found = report(path.filename().string(), read(path));
    CHECK_FALSE(found.empty());
    fs::path expected = path;
    expected.replace_extension(".expected");
    if (accept && std::string(accept) == "1")
      std::ofstream(expected, std::ios::binary) << found;
    CHECK(found == read(expected));
  }
}
