#include "support.hpp"

#include "grammar/ast_print.hpp"
#include "grammar/format/format.hpp"
#include "grammar/rules/state.hpp"

#include <random>

using namespace plait;
using namespace plait::test;

namespace {

/// The tokens of a text, comments left out.
std::vector<std::string> tokens_of(const std::string& text) {
  std::vector<std::string> result;
  const char* end = text.data() + text.size();
  for (const char* at = grammar::skip_blank(text.data(), end); at != end;) {
    const char* stop = grammar::token_end(at, end);
    result.emplace_back(at, stop);
    at = grammar::skip_blank(stop, end);
  }
  return result;
}

/// Whatever the text: the parser ends, has something to say or a tree that formats and parses to itself.
void check_survives(const std::string& text) {
  Source source{"mutant.ppl", text};
  Diagnostics diagnostics;
  ast::Program program = parse(source, diagnostics);
  if (diagnostics.has_errors()) {
    std::string rendered = render(source, diagnostics);
    CHECK(rendered.find("error: ") != std::string::npos);
    // A failed rule must have a name in plain words, not that of a C++ type.
    CHECK(rendered.find("plait") == std::string::npos);
    CHECK(rendered.find("N5boost") == std::string::npos);
    for (const Diagnostic& diagnostic : diagnostics) {
      REQUIRE(diagnostic.span);
      CHECK(diagnostic.span->begin <= diagnostic.span->end);
      CHECK(diagnostic.span->end <= text.size());
    }
    return;
  }
  std::string once = format(program, source);
  Source again{"again.ppl", once};
  Diagnostics none;
  ast::Program second = parse(again, none);
  INFO(text);
  INFO(once);
  REQUIRE(render(again, none) == "");
  CHECK(equal(program, second));
  CHECK(format(second, again) == once);
  CHECK(!print(program).empty());
}

} // namespace

TEST_CASE("mutated tokens neither crash nor hang the parser") {
  std::mt19937 random(20240607);
  std::vector<std::vector<std::string>> programs;
  std::vector<std::string> vocabulary = {"{", "}", "(", ")",  "[", "]", ";", ",",
                                         "=", "~", ":", "..", "<", ">", "-"};
  for (const auto& path : program_files()) {
    programs.push_back(tokens_of(read_file(path)));
    vocabulary.insert(vocabulary.end(), programs.back().begin(), programs.back().end());
  }
  auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  for (int round = 0; round < 4000; ++round) {
    std::vector<std::string> tokens = programs[below(programs.size())];
    for (std::size_t edits = 1 + below(3); edits > 0 && !tokens.empty(); --edits) {
      std::size_t at = below(tokens.size());
      auto place = tokens.begin() + static_cast<std::ptrdiff_t>(at);
      switch (below(4)) {
      case 0:
        tokens.erase(place);
        break;
      case 1:
        tokens.insert(place, std::string(tokens[at]));
        break;
      case 2:
        tokens[at] = vocabulary[below(vocabulary.size())];
        break;
      default:
        std::swap(tokens[at], tokens[below(tokens.size())]);
      }
    }
    std::string text;
    for (const std::string& token : tokens)
      text += token + (below(8) == 0 ? "\n" : " ");
    check_survives(text);
  }
}

TEST_CASE("mutated bytes neither crash nor hang the parser") {
  std::mt19937 random(7);
  std::vector<std::string> texts;
  for (const auto& path : program_files())
    texts.push_back(read_file(path));
  for (int round = 0; round < 3000; ++round) {
    std::string text = texts[random() % texts.size()];
    for (unsigned edits = 1 + random() % 4; edits > 0; --edits)
      text[random() % text.size()] = static_cast<char>(random() % 256);
    if (random() % 4 == 0)
      text.resize(random() % text.size());
    check_survives(text);
  }
}
