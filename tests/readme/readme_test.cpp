// The README's models and commands do what they say.
#include "plait/plait.hpp"
#include "tests/support/process.hpp"

#include <algorithm>
#include <regex>

using namespace plait::test;

namespace {

struct Block {
  std::string language;
  std::string text;
};

std::vector<Block> blocks_of(const fs::path& file) {
  std::vector<Block> blocks;
  bool open = false;
  for (const std::string& line : split_lines(read_file(file))) {
    if (line.starts_with("```")) {
      open = !open;
      if (open)
        blocks.push_back({line.substr(3), ""});
    } else if (open) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

/** Commands that call the program: continued lines joined, what comes before `build/bin/plait` cut off. */
std::vector<std::string> commands_of(const std::string& shell) {
  const std::string program = "build/bin/plait ";
  std::vector<std::string> commands;
  std::string joined;
  for (const std::string& line : split_lines(shell)) {
    if (line.ends_with("\\")) {
      joined += line.substr(0, line.size() - 1);
      continue;
    }
    joined += line;
    if (const std::size_t place = joined.find(program); place != std::string::npos)
      commands.push_back(joined.substr(place + program.size()));
    joined.clear();
  }
  return commands;
}

} // namespace

TEST_CASE("models in the README compile") {
  int models = 0;
  for (const Block& block : blocks_of(source_folder() / "README.md")) {
    if (block.language != "ppl")
      continue;
    ++models;
    INFO(block.text);
    try {
      const plait::Model model = plait::Model::parse(block.text, "README.ppl");
      CHECK_FALSE(model.check().empty());
    } catch (const plait::Error& error) {
      FAIL_CHECK(error.what());
    }
  }
  CHECK(models >= 1);
}

TEST_CASE("commands in the README work, in their order") {
  const TemporaryFolder work;
  fs::create_directory_symlink(source_folder() / "examples", work.path() / "examples");
  for (const Block& block : blocks_of(source_folder() / "README.md"))
    if (block.language == "ppl" && !fs::exists(work.path() / "model.ppl"))
      write_file(work.path() / "model.ppl", block.text);
  std::size_t ran = 0;
  for (const Block& block : blocks_of(source_folder() / "README.md")) {
    if (block.language != "sh")
      continue;
    for (const std::string& command : commands_of(block.text)) {
      INFO(command);
      const Outcome outcome =
          run({"bash", "-c", std::string("'") + PLAIT_BINARY + "' " + command}, work.path());
      INFO(outcome.error);
      CHECK(outcome.code == 0);
      ++ran;
    }
  }
  CHECK(ran >= 3);
}

TEST_CASE("the README names two commands to begin with") {
  const std::string text = read_file(source_folder() / "README.md");
  CHECK(text.find(".ci/setup && build/bin/plait fit ") != std::string::npos);
  CHECK(text.find(".ci/test\n") != std::string::npos);
  for (const std::string script : {".ci/setup", ".ci/test", ".ci/run"}) {
    INFO(script);
    CHECK((fs::status(source_folder() / script).permissions() & fs::perms::owner_exec) != fs::perms::none);
  }
}

TEST_CASE("what the README shows is what the program prints") {
  const std::string text = read_file(source_folder() / "README.md");
  CHECK(text.find(read_file(source_folder() / "tests/golden/examples/coin.check.expected")) !=
        std::string::npos);
  const std::string reports = read_file(source_folder() / "tests/errors/pair_plates.expected");
  const std::string first = reports.substr(0, reports.find("\n\n") + 1);
  CHECK(first.size() > 100);
  CHECK(text.find(first) != std::string::npos);
}

TEST_CASE("links between pages lead somewhere") {
  std::vector<fs::path> pages{source_folder() / "README.md"};
  for (const std::string folder : {"docs", "examples"})
    for (const auto& entry : fs::recursive_directory_iterator(source_folder() / folder))
      if (entry.path().extension() == ".md")
        pages.push_back(entry.path());
  const std::regex link(R"(\]\(([^)#:]+)(#[^)]*)?\))");
  std::size_t links = 0;
  for (const fs::path& page : pages)
    for (const std::string& raw : split_lines(read_file(page))) {
      const std::string line = std::regex_replace(raw, std::regex("`[^`]*`"), "");
      for (std::sregex_iterator match(line.begin(), line.end(), link), end; match != end; ++match) {
        ++links;
        INFO(page << " links to " << (*match)[1]);
        CHECK(fs::exists(page.parent_path() / (*match)[1].str()));
      }
    }
  CHECK(links > 5);
}

TEST_CASE("the list of examples is complete") {
  const std::string list = read_file(source_folder() / "examples/README.md");
  for (const auto& entry : fs::directory_iterator(source_folder() / "examples")) {
    if (entry.path().extension() == ".run" || !fs::exists(entry.path() / "model.ppl"))
      continue;
    const std::string name = entry.path().filename();
    INFO(name);
    CHECK(list.find("[" + name + "](" + name + ")") != std::string::npos);
    for (const std::string file : {"README.md", "expected.json"})
      CHECK(fs::exists(entry.path() / file));
  }
}
