// The README's models and commands do what they say.
#include "plait/plait.hpp"
#include "tests/support/process.hpp"

#include <algorithm>

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
