#pragma once

#include "grammar/source.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// The syntax tree: what was written, nothing about what it means. Plain data; expressions are shared and
/// immutable, so that copying a tree is cheap. Every node knows its span in the source.
namespace plait::ast {

struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;

struct Identifier {
  std::string name;
  Span span;
};

// ---------------------------------------------------------------------------------------------- expressions

/// `3`, `0.5`, `1e-3`. `spelling` is the source text, `value` the same number.
struct Number {
  std::string spelling;
  double value = 0;
  bool is_integer = false;
};

struct Name {
  std::string name;
};

enum class UnaryOp { negate, logical_not };

struct Unary {
  UnaryOp op = UnaryOp::negate;
  ExprPtr operand;
};

enum class BinaryOp {
  add,
  subtract,
  multiply,
  divide,
  power,
  matrix_product,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  logical_and,
  logical_or
};

struct Binary {
  BinaryOp op = BinaryOp::add;
  Span op_span;
  ExprPtr left;
  ExprPtr right;
};

/// `baseline = v(x[i])` in an argument list.
struct NamedArgument {
  Identifier name;
  ExprPtr value;
};

/// `callee[sizes](arguments, name = value)`. `sizes` is empty where no bracket stands before the parenthesis.
struct Call {
  Identifier callee;
  std::vector<ExprPtr> sizes;
  std::vector<ExprPtr> arguments;
  std::vector<NamedArgument> named;
};

/// One place in `base[…]`: an element `i`, a slice `a..b` (either end may be left out, then null), or all
/// `:`.
struct Subscript {
  enum class Kind { element, slice, all };
  Kind kind = Kind::element;
  ExprPtr element;
  ExprPtr lower;
  ExprPtr upper;
  Span span;
};

struct Index {
  ExprPtr base;
  std::vector<Subscript> subscripts;
};

/// `(a, b)`: at least two elements; a parenthesized single expression leaves no node.
struct TupleExpr {
  std::vector<ExprPtr> elements;
};

/// `[a, b, c]`.
struct ArrayLiteral {
  std::vector<ExprPtr> elements;
};

/// `condition ? then_value : else_value`.
struct Conditional {
  ExprPtr condition;
  ExprPtr then_value;
  ExprPtr else_value;
};

struct Expr {
  using Node = std::variant<Number, Name, Unary, Binary, Call, Index, TupleExpr, ArrayLiteral, Conditional>;
  Node node;
  Span span;
  /// Length of the longest path to a leaf, at least 1. The parser bounds it, so recursion over a tree is
  /// safe.
  std::uint32_t height = 1;
  /// Written in parentheses that leave no node. Only the formatter cares; `equal` ignores it.
  bool parenthesized = false;
};

/// Makes a node and computes its height.
ExprPtr make_expr(Expr::Node node, Span span);

/// The alternative `T` of an expression, or null: `if (auto* call = get_if<Call>(expr)) …`.
template <class T>
const T* get_if(const ExprPtr& expr) {
  return expr ? std::get_if<T>(&expr->node) : nullptr;
}

/// `+`, `==`, `@` …: as written in source.
std::string_view spelling(UnaryOp op);
std::string_view spelling(BinaryOp op);

/// Binding strength, larger binds tighter: `||` 2, `&&` 3, equality 4, order 5, `+ -` 6, `* / @` 7, unary 8,
/// `^` 9.
int precedence(BinaryOp op);

// ---------------------------------------------------------------------------------------------- types

enum class BaseType {
  real,
  integer,
  bit,
  index,
  positive,
  unit,
  simplex,
  ordered,
  positive_ordered,
  cholesky_corr,
  cholesky_cov,
  corr,
  cov
};

/// The keyword of a base type: `real`, `int`, `bit`, …
std::string_view spelling(BaseType type);

/// `ragged real<lower = 0>[N, T, D]`. Fields that do not apply are null or empty.
struct Type {
  bool ragged = false;
  BaseType base = BaseType::real;
  ExprPtr lower;      ///< real, int
  ExprPtr upper;      ///< real, int
  ExprPtr index_size; ///< index<J>: always there for index
  ExprPtr index_base; ///< index<J, base = 1>: null means 0
  std::vector<ExprPtr> dims;
  Span span;
};

// ---------------------------------------------------------------------------------------------- statements

struct Statement;

/// `{ … }`; the span covers the braces.
struct Block {
  std::vector<Statement> statements;
  Span span;
};

/// `name` or `name[i, j]`: the left side of `=` or `~`.
struct LValue {
  Identifier name;
  std::vector<Subscript> subscripts;
  Span span;
};

/// `mu = …;` has one target, `(loc, scale) = …;` two or more.
struct Assign {
  std::vector<LValue> targets;
  ExprPtr value;
};

/// A name with arguments where a choice among registered things is made: `using score(baseline = v(x))`,
/// `guide auto(low_rank, rank = 5)`.
struct Choice {
  Identifier name;
  std::vector<ExprPtr> arguments;
  std::vector<NamedArgument> named;
  Span span;
};

/// `target ~ distribution[copies] using strategy;`. `distribution` is always a Call.
struct Sample {
  LValue target;
  ExprPtr distribution;
  std::vector<ExprPtr> copies;
  std::optional<Choice> strategy;

  const Call& call() const; ///< the distribution's call
};

/// `param name : type = init;`, as an item or as a statement. `init` may be null.
struct ParamDecl {
  Identifier name;
  Type type;
  ExprPtr init;
};

enum class PlateKind { iarange, irange };

/// `iarange index in size as alias subsample n { … }`.
struct Plate {
  PlateKind kind = PlateKind::iarange;
  Identifier index;
  ExprPtr size;
  std::optional<Identifier> alias;
  ExprPtr subsample; ///< null: every row
  Block body;
};

/// `for index in reverse lower..upper { … }`.
struct For {
  Identifier index;
  bool reverse = false;
  ExprPtr lower;
  ExprPtr upper;
  Block body;
};

/// `if (condition) { … } else { … }`; `else if` is an else block that holds one If.
struct If {
  ExprPtr condition;
  Block then_body;
  std::optional<Block> else_body;
};

struct Factor {
  ExprPtr value;
};

/// `return (a, b);` carries a TupleExpr.
struct Return {
  ExprPtr value;
};

struct Statement {
  using Node = std::variant<Assign, Sample, ParamDecl, Plate, For, If, Factor, Return>;
  Node node;
  Span span;
};

template <class T>
const T* get_if(const Statement& statement) {
  return std::get_if<T>(&statement.node);
}

// ---------------------------------------------------------------------------------------------- items

/// `const K : int = 8;`.
struct Const {
  Identifier name;
  std::optional<Type> type;
  ExprPtr value;
};

/// `data x : real[N, D];`.
struct Data {
  Identifier name;
  Type type;
};

struct Parameter {
  Identifier name;
  Type type;
};

/// `fun f(x : real) -> real { … }`, or a `net`, whose layers own learnable weights.
struct Function {
  bool is_net = false;
  Identifier name;
  std::vector<Parameter> parameters;
  std::vector<Type> results; ///< one, or several for `-> (A, B)`
  Block body;
};

struct Model {
  Block body;
};

/// `guide { … }` has a body; `guide auto(normal);` a family. Exactly one of the two is there.
struct Guide {
  std::optional<Block> body;
  std::optional<Choice> family;
};

struct Predict {
  Block body;
};

struct Item {
  using Node = std::variant<Const, Data, ParamDecl, Function, Model, Guide, Predict>;
  Node node;
  Span span;
};

template <class T>
const T* get_if(const Item& item) {
  return std::get_if<T>(&item.node);
}

struct Program {
  std::vector<Item> items;
};

/// Whether two trees say the same, whatever their spans. Numbers compare by spelling.
bool equal(const ExprPtr& a, const ExprPtr& b);
bool equal(const Type& a, const Type& b);
bool equal(const Statement& a, const Statement& b);
bool equal(const Program& a, const Program& b);

} // namespace plait::ast
