#include "support.hpp"

#include "grammar/ast_print.hpp"
#include "grammar/format/format.hpp"

using namespace plait;
using namespace plait::test;

namespace {

std::string formatted(const std::string& text) {
  return format(parsed(text), Source{"m.ppl", text});
}

void check_round_trip(const std::string& text) {
  std::string once = formatted(text);
  INFO(once);
  CHECK(equal(parsed(once), parsed(text)));
  CHECK(formatted(once) == once);
}

std::size_t count_comments(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '#'));
}

} // namespace

TEST_CASE("every program parses, and formats to an equal one") {
  auto files = program_files();
  REQUIRE(files.size() >= 8);
  for (const auto& path : files) {
    INFO(path);
    std::string text = read_file(path);
    CHECK(errors_of(text) == "");
    check_round_trip(text);
    CHECK(count_comments(formatted(text)) == count_comments(text));
  }
}

TEST_CASE("canonical source") {
  CHECK(formatted(
            "const K=8;data  x:real [N,D];   # bound\n"
            "param w:real<lower=0 , upper = 2*K>;\n"
            "model{fairness~beta( 10,10 );iarange i in N subsample 3 as rows{flips[i]~bernoulli(fairness);}\n"
            "if(a&&b){}else{x=-y^2;}}\n"
            "guide auto( low_rank , rank=5 );") == "const K = 8;\n"
                                                   "data x : real[N, D];  # bound\n"
                                                   "param w : real<lower=0, upper=2 * K>;\n"
                                                   "\n"
                                                   "model {\n"
                                                   "  fairness ~ beta(10, 10);\n"
                                                   "  iarange i in N as rows subsample 3 {\n"
                                                   "    flips[i] ~ bernoulli(fairness);\n"
                                                   "  }\n"
                                                   "  if (a && b) {} else {\n"
                                                   "    x = -y ^ 2;\n"
                                                   "  }\n"
                                                   "}\n"
                                                   "\n"
                                                   "guide auto(low_rank, rank = 5);\n");
}

TEST_CASE("comments stay where they belong") {
  CHECK(formatted("# head\n\n\n"
                  "# of x\n"
                  "data x : real; # trailing x   \n"
                  "\n\n\n"
                  "model { # opens\n"
                  "\n"
                  "    # before y\n"
                  "  y ~ normal(0, # in the middle\n"
                  "     1);  z = 3; # after z\n"
                  "\n"
                  "\n"
                  "  w = 4;\n"
                  "  # at the end\n"
                  "\n"
                  "} # closes\n"
                  "# last") == "# head\n"
                               "\n"
                               "# of x\n"
                               "data x : real;  # trailing x\n"
                               "\n"
                               "model {  # opens\n"
                               "  # before y\n"
                               "  # in the middle\n"
                               "  y ~ normal(0, 1);\n"
                               "  z = 3;  # after z\n"
                               "\n"
                               "  w = 4;\n"
                               "  # at the end\n"
                               "}  # closes\n"
                               "# last\n");
}

TEST_CASE("comments in unusual places survive") {
  std::vector<std::string> texts = {
      "model # a\n{ # b\n}",
      "model { # a\n# b\n}",
      "model { if (a) # 1\n { # 2\n x = 1; # 3\n } # 4\n else # 5\n { # 6\n y = 2; } # 7\n }",
      "model { if (a) {} # 1\n else # 2\n if (b) # 3\n { } else { if # 4\n (c) { } # 5\n } # 6\n }",
      "fun f( # 1\n a : real # 2\n ) -> # 3\n real { return # 4\n a; # 5\n }",
      "model { iarange i in N # 1\n subsample 3 # 2\n as x { } }",
      "guide auto( # 1\n normal); # 2",
      "data x : real; # 1\n # 2\n\n\n # 3",
      "model { x = 1; y = 2; # 1\n\n # 2\n z = 3; }",
      "model{}#1",
      "#1\n#2\n\n#3\nmodel{}"};
  for (const std::string& text : texts) {
    INFO(text);
    check_round_trip(text);
    CHECK(count_comments(formatted(text)) == count_comments(text));
  }
}

TEST_CASE("written parentheses are kept and needed ones are there") {
  std::vector<std::string> expressions = {"(a + b) * c",
                                          "a * (b + c)",
                                          "a - (b - c)",
                                          "(a ^ b) ^ c",
                                          "(-a) ^ b",
                                          "-(a + b)",
                                          "(a < b) < c",
                                          "(a ? b : c) + 1",
                                          "(a ? b : c) ? d : e",
                                          "f((a, b))",
                                          "(a + b)[0]",
                                          "(a * b) + c",
                                          "!(a && b)",
                                          "--a",
                                          "a - -b",
                                          "a ^ -b ^ c",
                                          "1. + .5",
                                          "x[1. .. .5]",
                                          "x[1..2, ..3, 4.., :]",
                                          "(f)(x)[0] == 1 ? a : b"};
  expressions.pop_back();
  for (const std::string& text : expressions) {
    INFO(text);
    CHECK(format(expression(text)) == text);
  }
}

TEST_CASE("parentheses are added to trees that were not written") {
  using namespace plait::ast;
  auto a = make_expr(Name{"a"}, {});
  auto sum = make_expr(Binary{BinaryOp::add, {}, a, a}, {});
  auto negated = make_expr(Unary{UnaryOp::negate, a}, {});
  CHECK(format(make_expr(Binary{BinaryOp::multiply, {}, sum, sum}, {})) == "(a + a) * (a + a)");
  CHECK(format(make_expr(Binary{BinaryOp::subtract, {}, sum, sum}, {})) == "a + a - (a + a)");
  CHECK(format(make_expr(Binary{BinaryOp::power, {}, negated, negated}, {})) == "(-a) ^ -a");
  CHECK(format(make_expr(Unary{UnaryOp::negate, sum}, {})) == "-(a + a)");
  CHECK(format(make_expr(Index{sum, {}}, {})) == "(a + a)[]");
}

TEST_CASE("long lines are broken at 100 columns") {
  std::string terms = "first_of_all_names";
  for (int i = 0; i < 12; ++i)
    terms += " + f(argument_number_" + std::to_string(i) + ", 2)";
  std::string text = "model { x = " + terms + "; }";
  std::string result = formatted(text);
  check_round_trip(text);
  std::istringstream lines(result);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    CHECK(line.size() <= 100);
  CHECK(count > 5);
}

TEST_CASE("the printed tree") {
  CHECK(print(parsed("const K = 8;"
                     "model { iarange i in N as rows subsample 2 { (a, b[i]) = f[K](x[0, 1..], scale = -1); }"
                     "z ~ normal(0, 1)[K] using score(decay = 0.5); }"
                     "guide auto(normal);")) == "program\n"
                                                "  const K\n"
                                                "    number 8\n"
                                                "  model\n"
                                                "    iarange i as rows\n"
                                                "      size\n"
                                                "        name N\n"
                                                "      subsample\n"
                                                "        number 2\n"
                                                "      body\n"
                                                "        assign a, b[i]\n"
                                                "          call f\n"
                                                "            size\n"
                                                "              name K\n"
                                                "            index\n"
                                                "              name x\n"
                                                "              at\n"
                                                "                number 0\n"
                                                "              slice 1..\n"
                                                "            scale =\n"
                                                "              unary -\n"
                                                "                number 1\n"
                                                "    sample z\n"
                                                "      call normal\n"
                                                "        number 0\n"
                                                "        number 1\n"
                                                "      copies\n"
                                                "        name K\n"
                                                "      using score(decay = 0.5)\n"
                                                "  guide auto normal\n");
}
