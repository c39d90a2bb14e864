#include "support.hpp"

#include "grammar/format/format.hpp"

using namespace plait;
using namespace plait::test;

namespace {

/// Whether both texts mean the same tree.
bool same(const std::string& a, const std::string& b) {
  return equal(expression(a), expression(b));
}

template <class T>
T node(const std::string& text) {
  return std::get<T>(expression(text)->node);
}

} // namespace

TEST_CASE("numbers keep their spelling and know their value") {
  auto number = node<ast::Number>("1.50e-3");
  CHECK(number.spelling == "1.50e-3");
  CHECK(number.value == 0.0015);
  CHECK_FALSE(number.is_integer);
  CHECK(node<ast::Number>("42").is_integer);
  CHECK(node<ast::Number>("42").value == 42);
  CHECK(node<ast::Number>(".5").value == 0.5);
  CHECK(node<ast::Number>("2.").value == 2);
  CHECK(node<ast::Number>("1E+2").value == 100);
}

TEST_CASE("names may begin like words of the language") {
  for (std::string name : {"integer", "iarange_size", "inner", "format", "model_1", "_x", "real", "index",
                           "reverse", "unit", "auto", "enumerate", "A9"})
    CHECK(node<ast::Name>(name).name == name);
  for (std::string word : {"model", "in", "for", "using", "data", "return", "as"})
    CHECK(messages_of("model { x = " + word + "; }").size() == 1);
}

TEST_CASE("operators bind in the documented order") {
  CHECK(same("a + b * c", "a + (b * c)"));
  CHECK(same("a * b + c", "(a * b) + c"));
  CHECK(same("a @ b * c", "(a @ b) * c"));
  CHECK(same("a - b - c", "(a - b) - c"));
  CHECK(same("a / b / c", "(a / b) / c"));
  CHECK(same("a ^ b ^ c", "a ^ (b ^ c)"));
  CHECK(same("-a ^ b", "-(a ^ b)"));
  CHECK(same("a ^ -b", "a ^ (-b)"));
  CHECK(same("a ^ -b ^ c", "a ^ (-(b ^ c))"));
  CHECK(same("a ^ -b * c", "(a ^ (-b)) * c"));
  CHECK(same("-a * b", "(-a) * b"));
  CHECK(same("a * -b + c", "(a * (-b)) + c"));
  CHECK(same("a + b < c * d", "(a + b) < (c * d)"));
  CHECK(same("a < b == c", "(a < b) == c"));
  CHECK(same("a == b && c != d", "(a == b) && (c != d)"));
  CHECK(same("a && b || c && d", "(a && b) || (c && d)"));
  CHECK(same("!a && b", "(!a) && b"));
  CHECK(same("!a == b", "(!a) == b"));
  CHECK(same("a || b ? c : d", "(a || b) ? c : d"));
  CHECK(same("a ? b : c ? d : e", "a ? b : (c ? d : e)"));
  CHECK(same("a ? b ? c : d : e", "a ? (b ? c : d) : e"));
  CHECK(same("x[i] ^ 2", "(x[i]) ^ 2"));

  CHECK_FALSE(same("a - b - c", "a - (b - c)"));
  CHECK_FALSE(same("a ^ b ^ c", "(a ^ b) ^ c"));
  CHECK_FALSE(same("-a ^ b", "(-a) ^ b"));
  CHECK_FALSE(same("a + b", "a - b"));
}

TEST_CASE("every binary operator has its kind") {
  using ast::BinaryOp;
  std::vector<std::pair<std::string, BinaryOp>> all = {
      {"+", BinaryOp::add},          {"-", BinaryOp::subtract},   {"*", BinaryOp::multiply},
      {"/", BinaryOp::divide},       {"^", BinaryOp::power},      {"@", BinaryOp::matrix_product},
      {"==", BinaryOp::equal},       {"!=", BinaryOp::not_equal}, {"<", BinaryOp::less},
      {"<=", BinaryOp::less_equal},  {">", BinaryOp::greater},    {">=", BinaryOp::greater_equal},
      {"&&", BinaryOp::logical_and}, {"||", BinaryOp::logical_or}};
  for (const auto& [text, op] : all) {
    CHECK(node<ast::Binary>("a" + text + "b").op == op);
    CHECK(spelling(op) == text);
  }
  CHECK(node<ast::Binary>("a<-b").op == BinaryOp::less);
}

TEST_CASE("calls take sizes, positional and named arguments") {
  auto call = node<ast::Call>("linear[H, 2](x, y + 1, bias = 0, rate = f(z))");
  CHECK(call.callee.name == "linear");
  REQUIRE(call.sizes.size() == 2);
  CHECK(format(call.sizes[0]) == "H");
  REQUIRE(call.arguments.size() == 2);
  CHECK(format(call.arguments[1]) == "y + 1");
  REQUIRE(call.named.size() == 2);
  CHECK(call.named[1].name.name == "rate");
  CHECK(format(call.named[1].value) == "f(z)");
  CHECK(node<ast::Call>("f()").arguments.empty());
  CHECK(node<ast::Call>("f(a == b)").named.empty());
}

TEST_CASE("subscripts are elements, slices and whole dimensions") {
  auto index = node<ast::Index>("x[i, :, a..b, ..b, a.., ..]");
  using Kind = ast::Subscript::Kind;
  REQUIRE(index.subscripts.size() == 6);
  CHECK(index.subscripts[0].kind == Kind::element);
  CHECK(index.subscripts[1].kind == Kind::all);
  for (int i = 2; i < 6; ++i)
    CHECK(index.subscripts[i].kind == Kind::slice);
  CHECK(format(index.subscripts[2].lower) == "a");
  CHECK(format(index.subscripts[2].upper) == "b");
  CHECK_FALSE(index.subscripts[3].lower);
  CHECK_FALSE(index.subscripts[4].upper);
  CHECK_FALSE(index.subscripts[5].lower);

  auto nested = node<ast::Index>("x[1..2][a[i]]");
  CHECK(std::holds_alternative<ast::Index>(nested.base->node));
  CHECK(node<ast::Index>("f(x)[0]").base->span == Span{11, 15});
}

TEST_CASE("tuples, arrays and parentheses") {
  CHECK(node<ast::TupleExpr>("(a, b, c)").elements.size() == 3);
  CHECK(node<ast::ArrayLiteral>("[a, b]").elements.size() == 2);
  CHECK(node<ast::ArrayLiteral>("[]").elements.empty());
  CHECK(node<ast::Name>("((a))").name == "a");
  CHECK(expression("(a)")->parenthesized);
  CHECK(node<ast::Conditional>("a ? b : c").condition);
}

TEST_CASE("expressions know their place") {
  //                          0123456789012345678901234567
  Source source{"m.ppl", "model{y = a + f(b)[0] * (c);}"};
  Diagnostics diagnostics;
  auto program = parse(source, diagnostics);
  REQUIRE(diagnostics.empty());
  const auto& statement = std::get<ast::Model>(program.items[0].node).body.statements[0];
  CHECK(source.slice(statement.span) == "y = a + f(b)[0] * (c);");
  const auto& sum = std::get<ast::Assign>(statement.node).value;
  CHECK(source.slice(sum->span) == "a + f(b)[0] * (c)");
  const auto& binary = std::get<ast::Binary>(sum->node);
  CHECK(source.slice(binary.op_span) == "+");
  CHECK(source.slice(binary.right->span) == "f(b)[0] * (c)");
  const auto& product = std::get<ast::Binary>(binary.right->node);
  CHECK(source.slice(product.left->span) == "f(b)[0]");
  CHECK(source.slice(product.right->span) == "(c)");
  const auto& index = std::get<ast::Index>(product.left->node);
  CHECK(source.slice(index.base->span) == "f(b)");
  CHECK(source.slice(index.subscripts[0].span) == "0");
  CHECK(sum->height == 5);
}
