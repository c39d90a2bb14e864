#include "support.hpp"

using namespace plait;

TEST_CASE("positions count lines and code points from one") {
  Source source{"s", "ab\nμ=1\r\n\nlast"};
  auto check = [&](std::size_t offset, std::size_t line, std::size_t column) {
    Position position = source.position(offset);
    CHECK(position.line == line);
    CHECK(position.column == column);
  };
  check(0, 1, 1);
  check(2, 1, 3);
  check(3, 2, 1);
  check(5, 2, 2);
  check(10, 4, 1);
  check(1000, 4, 5);
  CHECK(source.line(1) == "ab");
  CHECK(source.line(2) == "μ=1");
  CHECK(source.line(3) == "");
  CHECK(source.line(4) == "last");
  CHECK(source.line(5) == "");
  CHECK(source.slice({0, 2}) == "ab");
  CHECK(source.slice({10, 500}) == "last");
  CHECK(source.slice({400, 500}) == "");
}

TEST_CASE("a diagnostic is rendered with its notes and its hint") {
  Source source{"f.ppl", "data x : real;\nmodel { y = x + zz; }\n"};
  Diagnostics diagnostics;
  diagnostics.error("unknown-name", {31, 33}, "unknown name 'zz'")
      .note({5, 6}, "a near one is declared here")
      .note("names are declared before use")
      .with_hint("did you mean 'x'?");
  diagnostics.warning("odd", {23, 24}, "odd");
  CHECK(diagnostics.error_count() == 1);
  CHECK(diagnostics.size() == 2);
  CHECK(render(source, diagnostics) == "f.ppl:2:17: error: unknown name 'zz'\n"
                                       "    2 | model { y = x + zz; }\n"
                                       "      |                 ^~\n"
                                       "f.ppl:1:6: note: a near one is declared here\n"
                                       "    1 | data x : real;\n"
                                       "      |      ^\n"
                                       "f.ppl: note: names are declared before use\n"
                                       "hint: did you mean 'x'?\n"
                                       "\n"
                                       "f.ppl:2:9: warning: odd\n"
                                       "    2 | model { y = x + zz; }\n"
                                       "      |         ^\n");
}

TEST_CASE("an underline ends with its line") {
  Source source{"f", "model {\n}\n"};
  Diagnostic diagnostic{Severity::error, "c", Span{0, 10}, "m", {}, {}};
  CHECK(render(source, diagnostic) == "f:1:1: error: m\n"
                                      "    1 | model {\n"
                                      "      | ^~~~~~~\n");
}

TEST_CASE("what a terminal cannot show is replaced, and columns stay true") {
  Source source{"f", std::string("a\tb\0c\xff"
                                 "d μ x",
                                 12)};
  Diagnostic diagnostic{Severity::error, "c", Span{11, 12}, "m", {}, {}};
  CHECK(render(source, diagnostic) == "f:1:11: error: m\n"
                                      "    1 | a b?c?d μ x\n"
                                      "      |           ^\n");
}

TEST_CASE("a very long line is shown around its place") {
  Source source{"f", std::string(1000, 'x') + "!" + std::string(1000, 'y')};
  Diagnostic diagnostic{Severity::error, "c", Span{1000, 1001}, "m", {}, {}};
  std::string text = render(source, diagnostic);
  CHECK(text.size() < 500);
  std::size_t line = text.find("    1 | ");
  std::size_t caret = text.find('^');
  std::size_t mark_line = text.rfind('\n', caret) + 1;
  CHECK(text[line + (caret - mark_line)] == '!');
}

TEST_CASE("the nearest candidate is a typing slip away") {
  std::vector<std::string> candidates = {"model", "guide", "data", "normal"};
  CHECK(nearest("modle", candidates) == "model");
  CHECK(nearest("dta", candidates) == "data");
  CHECK(nearest("norml", candidates) == "normal");
  CHECK(nearest("gudie", candidates) == "guide");
  CHECK_FALSE(nearest("banana", candidates));
  CHECK_FALSE(nearest("", candidates));
  CHECK_FALSE(nearest(std::string(100, 'm'), candidates));
}
