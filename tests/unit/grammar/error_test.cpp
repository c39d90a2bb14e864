#include "support.hpp"

using namespace plait;
using namespace plait::test;

TEST_CASE("a missing semicolon points to the end of its statement") {
  CHECK(errors_of("model {\n  mu = 3  # here\n  y ~ normal(mu, 1);\n}\n") ==
        "m.ppl:2:9: error: expected ';' after this statement\n"
        "    2 |   mu = 3  # here\n"
        "      |         ^\n"
        "hint: every statement and declaration ends with ';'\n");
  CHECK(errors_of("model { mu = 3 }") == "m.ppl:1:15: error: expected ';' after this statement\n"
                                         "    1 | model { mu = 3 }\n"
                                         "      |               ^\n"
                                         "hint: every statement and declaration ends with ';'\n");
}

TEST_CASE("a missing bracket shows the one it should match") {
  CHECK(errors_of("model {\n  y ~ normal(f(0),\n    1;\n}\n") == "m.ppl:3:6: error: expected ')', found ';'\n"
                                                                 "    3 |     1;\n"
                                                                 "      |      ^\n"
                                                                 "m.ppl:2:13: note: to match this '('\n"
                                                                 "    2 |   y ~ normal(f(0),\n"
                                                                 "      |             ^\n");
}

TEST_CASE("a missing brace shows the block that is open") {
  CHECK(errors_of("model {\n  iarange i in N {\n    x = 1;\n}\nguide auto(normal);\n") ==
        "m.ppl:5:1: error: expected '}' to close a block, found 'guide'\n"
        "    5 | guide auto(normal);\n"
        "      | ^~~~~\n"
        "m.ppl:1:7: note: the innermost open block begins here\n"
        "    1 | model {\n"
        "      |       ^\n");
  CHECK(errors_of("model {") == "m.ppl:1:8: error: expected '}' to close a block, found end of file\n"
                                "    1 | model {\n"
                                "      |        ^\n"
                                "m.ppl:1:7: note: the innermost open block begins here\n"
                                "    1 | model {\n"
                                "      |       ^\n");
}

TEST_CASE("an unknown item suggests the nearest") {
  CHECK(errors_of("modle { x = 1; }") == "m.ppl:1:1: error: expected an item, found 'modle'\n"
                                         "    1 | modle { x = 1; }\n"
                                         "      | ^~~~~\n"
                                         "hint: did you mean 'model'?\n");
  CHECK(hints_of("dat x : real;") == std::vector<std::string>{"did you mean 'data'?"});
  CHECK(hints_of("def f(x) : return x;") ==
        std::vector<std::string>{"a function is 'fun f(x : real) -> real { … }'"});
  CHECK(hints_of("x = 3;") ==
        std::vector<std::string>{
            "statements belong inside 'model { … }', 'guide { … }' or a function; a size is 'const K = 8;'"});
  CHECK(hints_of("model {} }") == std::vector<std::string>{"this '}' closes no block"});
}

TEST_CASE("known slips get a hint") {
  struct Case {
    std::string statement, message, hint;
  };
  std::vector<Case> cases = {
      {"x == 1;", "expected '=' or '~', found '=='", "assignment is written with a single '='"},
      {"x <- 1;", "expected '=' or '~', found '<'", "assignment is written '=', sampling '~'"},
      {"x := 1;", "expected '=' or '~', found ':='", "assignment is written '='"},
      {"x += 1;", "expected '=' or '~', found '+='", "write x = x + …;"},
      {"x : real = 1;", "expected '=' or '~', found ':'", "a parameter is declared 'param x : …;'"},
      {"f(x);", "expected '=' or '~', found '('",
       "a call on its own has no effect; assign its value, or write 'name ~ …'"},
      {"iarnge i in N { x = 1; }", "expected '=' or '~', found 'i'", "did you mean 'iarange'?"},
      {"plate i in N { x = 1; }", "expected '=' or '~', found 'i'", "a plate is 'iarange i in N { … }'"},
      {"x ~ normal;", "the right side of '~' must be a distribution with its arguments",
       "write normal(…); a value is assigned with '='"},
      {"x ~ 3 + 4;", "the right side of '~' must be a distribution with its arguments",
       "write a distribution such as normal(0, 1); a value is assigned with '='"},
      {"for (i in 0..3) {}", "expected a name, found '('",
       "the range of a 'for' has no parentheses: for t in 0..T { … }"},
      {"iarange (i in N) {}", "expected a name, found '('",
       "the header of a plate has no parentheses: iarange i in N { … }"},
      {"if x { y = 1; }", "expected '(', found 'x'", "the condition of an 'if' stands in parentheses"},
      {"for t in 0:3 {}", "expected '..', found ':'", "a range is written with both ends: 0..T"},
      {"x = y[0:3];", "expected ']', found ':'", "a slice is written a..b, all of a dimension ':'"},
      {"x = a ** b;", "expected ';', found '**'", "a power is written '^'"},
      {"x = a and b;", "expected ';', found 'and'", "logical and is written '&&'"},
      {"x = 'a';", "expected an expression, found '''", "there are no strings; names are written bare"},
      {"x = +1;", "expected an expression, found '+'", "there is no unary '+'"},
      {"x = a.b;", "expected ';', found '.'", "there are no members or methods; call a function: f(x)"},
      {"x = f(1, );", "expected an argument, found ')'", "remove the ',' before it"},
      {"x = (1, );", "expected an expression, found ')'", "remove the ',' before it"},
      {"x = 2y;", "'2y' is not a number", "a product is written with '*', and a name starts with a letter"},
      {"x = 1e999;", "'1e999' is too large for a number", ""},
      {"x = a < b < c;", "comparisons do not chain",
       "write 'a < b && b < c', or parentheses around one of them"},
      {"x = f(x)(y);", "only a name can be called",
       "to multiply, write '*'; to apply a function to the result of another, nest the calls: g(f(x))"},
      {"x = f[0..1](y);", "a slice cannot be a size of a call", ""},
      {"x = f(a = 1, 2);", "an argument without a name cannot follow one with a name", ""},
      {"x = f(a = 1, a = 2);", "argument 'a' is given twice", ""},
      {"z ~ normal(0, 1)[:];", "the number of independent copies must be a size, not a slice", ""},
      {"(a) = 3;", "expected ',', found ')'", "a single target has no parentheses"},
      {"data = 3;", "expected a statement, found 'data'",
       "'data' is a word of the language and cannot be a name"},
      {"else { x = 1; }", "expected a statement, found 'else'", "an 'else' follows the '}' of its 'if'"},
      {"{ x = 1; }", "a block cannot stand on its own", "a block is the body of a plate, a 'for' or an 'if'"},
      {"iarange i in N as a as b {}", "a plate has one name after 'as'", ""},
      {"iarange i in N subsample 1 subsample 2 {}", "a plate is subsampled once", ""},
      {"x = μ;", "expected an expression, found 'μ'", "names consist of the letters a to z, digits and '_'"},
      {"x = \xff;", "expected an expression, found byte 0xff", "the text is not valid UTF-8"},
      {std::string("x = \0;", 6), "expected an expression, found byte 0x00", ""}};
  for (const Case& slip : cases) {
    INFO(slip.statement);
    std::string text = "model { " + slip.statement + " }";
    CHECK(messages_of(text) == std::vector<std::string>{slip.message});
    CHECK(hints_of(text) == std::vector<std::string>{slip.hint});
  }
}

TEST_CASE("types that do not exist or take no such argument") {
  struct Case {
    std::string type, message, hint;
  };
  std::vector<Case> cases = {
      {"float[N]", "expected a type, found 'float'", "did you mean 'real'?"},
      {"reel", "expected a type, found 'reel'", "did you mean 'real'?"},
      {"vector[N]", "expected a type, found 'vector'", "an array has its dimensions in brackets: real[N]"},
      {"real<lower=0, lowr=1>", "type 'real' takes no argument 'lowr'",
       "the bounds of a type are 'lower' and 'upper'"},
      {"real<3>", "type 'real' takes no such argument", "bounds have names: real<lower = a, upper = b>"},
      {"bit<3>", "type 'bit' takes no such argument", "sizes go in brackets: simplex[K], index<J>[N]"},
      {"index[N]", "type 'index' needs the size of the set it points into", "write index<J>"},
      {"ragged real", "a ragged type needs dimensions", "write ragged real[N, T]: T differs per row"},
      {"real[]", "expected an expression, found ']'", ""}};
  for (const Case& slip : cases) {
    INFO(slip.type);
    std::string text = "data x : " + slip.type + ";";
    CHECK(messages_of(text) == std::vector<std::string>{slip.message});
    CHECK(hints_of(text) == std::vector<std::string>{slip.hint});
  }
}

TEST_CASE("a file with nothing in it") {
  CHECK(messages_of("") == std::vector<std::string>{"the file is empty: it declares nothing"});
  CHECK(messages_of("# only a comment") ==
        std::vector<std::string>{"the file is empty: it declares nothing"});
}

TEST_CASE("several errors are reported from one run, each once") {
  std::string text = "dta x : real[N];\n"
                     "const K = ;\n"
                     "model {\n"
                     "  mu = 3\n"
                     "  y ~ normal(0, 1;\n"
                     "  iarange i N {\n"
                     "    q ~ normal(0 1);\n"
                     "    ok = 1;\n"
                     "  }\n"
                     "  for t in 0..T { w == 3; }\n"
                     "  z ~ normal(0, 1);\n"
                     "}\n"
                     "guide { a = }\n";
  CHECK(messages_of(text) ==
        std::vector<std::string>{"expected an item, found 'dta'", "expected an expression, found ';'",
                                 "expected ';' after this statement", "expected ')', found ';'",
                                 "expected 'in', found 'N'", "expected ')', found '1'",
                                 "expected '=' or '~', found '=='", "expected an expression, found '}'"});
}

TEST_CASE("the parser gives up after many errors") {
  std::string text = "model {\n";
  for (int i = 0; i < 1000; ++i)
    text += "x = ;\n";
  CHECK(messages_of(text + "}").size() == 20);
}

TEST_CASE("deep and long input ends in an error, not in a crash") {
  auto repeated = [](const std::string& text, int count) {
    std::string result;
    for (int i = 0; i < count; ++i)
      result += text;
    return result;
  };
  constexpr int many = 20000;
  std::vector<std::string> deep = {"model { x = " + repeated("(", many),
                                   "model { x = " + repeated("[", many),
                                   "model { x = " + repeated("f(", many),
                                   "model { x = " + repeated("a[", many),
                                   "model { x = " + repeated("a ? ", many),
                                   "model " + repeated("{", many),
                                   "model { " + repeated("iarange i in N {", many),
                                   "model { " + repeated("if (a) {} else ", many) + "{} }"};
  for (const std::string& text : deep)
    CHECK(messages_of(text).back() == "nested too deeply");
  std::vector<std::string> tall = {
      "model { x = " + repeated("1+", many) + "1; }", "model { x = " + repeated("-", many) + "1; }",
      "model { x = " + repeated("a^", many) + "1; }", "model { x = a" + repeated("[0]", many) + "; }"};
  for (const std::string& text : tall)
    CHECK(messages_of(text) == std::vector<std::string>{"this expression is too long"});

  // Wide is fine.
  CHECK(messages_of("model { x = [" + repeated("1, ", many) + "1]; }").empty());
  CHECK(messages_of("model { " + repeated("x = 1; ", many) + "}").empty());
  CHECK(messages_of("model { x = " + repeated("(", 100) + "1" + repeated(")", 100) + "; }").empty());
  CHECK(messages_of("model { x = " + repeated("1+", 900) + "1; }").empty());
}
