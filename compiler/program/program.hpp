#pragma once

#include "compiler/catalog/distribution.hpp"
#include "compiler/catalog/layer.hpp"
#include "compiler/catalog/support.hpp"
#include "compiler/catalog/transform.hpp"
#include "compiler/program/dim.hpp"
#include "grammar/ast.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The typed program: every name resolved to a symbol, every expression with its type and the plates it
/// varies over, plates and sizes as declared objects. It is a tree like the syntax tree, and keeps its spans.
/// A checked program is correct by itself; what relates model to guide is checked by the pairing.
namespace plait::program {

using SymbolId = std::int32_t;
using LoopId = std::int32_t;
using FunctionId = std::int32_t;
using InstanceId = std::int32_t;
using LayerId = std::int32_t;
using SampleId = std::int32_t;

struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;
using PlateSet = std::vector<PlateId>; ///< ascending, no repetition

struct Builtin; // builtins.hpp

// ---------------------------------------------------------------------------------------------- types

enum class Element : std::uint8_t { real, integer, bit, index };

/// The type of a value at one point of its plates. A tuple has only `tuple` set.
struct Type {
  Element element = Element::real;
  /// What is known of the values. `int` without bounds and plain `real` both say SupportKind::real here.
  catalog::Support support;
  ExprPtr lower; ///< declared bounds, as expressions; null where there is none
  ExprPtr upper;
  std::optional<Dim> index_size; ///< element index: values are 0 .. index_size-1
  std::int64_t index_base = 0;   ///< data files count from this number
  std::vector<Dim> dims;
  std::vector<Type> tuple;

  bool is_tuple() const { return !tuple.empty(); }
  bool is_scalar() const { return tuple.empty() && dims.empty(); }
  bool is_real() const { return element == Element::real; }
};

/// `positive[D]`, `index<J>[N]`, `(real[Z], positive[Z])`.
std::string to_string(const Type& type);

/// One enclosing plate or loop.
struct Frame {
  enum class Kind : std::uint8_t { plate, loop };
  Kind kind = Kind::plate;
  std::int32_t id = -1; ///< PlateId or LoopId
  friend bool operator==(const Frame&, const Frame&) = default;
};

// ---------------------------------------------------------------------------------------------- declarations

enum class SymbolKind : std::uint8_t {
  constant,    ///< `const`; its value is already folded into expressions
  data,        ///< `data`, and the lengths `T` of a ragged dimension
  param,       ///< `param`, at top level or inside a block
  local,       ///< assigned with `=`; the parameters of a function
  site,        ///< sampled with `~` and not data: a latent of its block
  plate_index, ///< `i` of `iarange i in N`
  loop_index   ///< `t` of `for t in 0..T`
};

enum class BlockKind : std::uint8_t { file, model, guide, predict, function };

struct Symbol {
  SymbolId id = -1;
  std::string name;
  SymbolKind kind = SymbolKind::local;
  BlockKind block = BlockKind::file;
  Span span; ///< the name, where it is first set
  /// Type at one point of `frames`. Outside a frame the symbol is an array over it: see Name::spread.
  Type type;
  /// Plates the symbol lives in, and loops whose index it was written with (`z[t] = …`), outermost first.
  /// Empty for file-level symbols.
  std::vector<Frame> frames;
  PlateSet varies;            ///< plates the value may vary over
  bool random = false;        ///< may depend on a latent draw
  bool learnable = false;     ///< may depend on a param or a net's weights
  bool implicit = false;      ///< data that no `data` item names: the lengths of a ragged dimension
  ExprPtr value;              ///< constant: its value; param: its initial value, or null
  std::int32_t frame_id = -1; ///< plate_index: its plate; loop_index: its loop
};

/// A named size: of data, free until data is bound, or fixed from outside.
struct Size {
  std::string name;
  Span span; ///< first use in a declaration
  std::optional<std::int64_t> value;
  SymbolId lengths = -1; ///< for the name of a ragged dimension: the data symbol that holds the lengths
};

/// A plate of the program: an index set. Every `iarange`/`irange` over the same set, in model and guide, is
/// the same plate: its rows are drawn once per step (for a ragged plate: once per row of the outer plate).
struct Plate {
  PlateId id = -1;
  std::string name; ///< the alias, else the size as written: `N`, `T[n]`
  std::optional<std::string> alias;
  Dim size;
  PlateId parent = -1; ///< the plate whose index chooses the row when the size is a ragged length, else -1
  bool sequential = false;           ///< some statement says `irange`
  ExprPtr subsample;                 ///< rows drawn per step (an int expression), null: every row
  std::optional<std::int64_t> drawn; ///< the same, when it is known
  Span subsample_span;
  bool in_model = false;
  bool in_guide = false;
  std::string index_name; ///< of the first statement
  Span span;              ///< header of the first statement

  bool subsampled() const { return subsample != nullptr; }
};

struct Loop {
  LoopId id = -1;
  SymbolId index = -1;
  bool reverse = false;
  ExprPtr lower; ///< int
  ExprPtr upper; ///< int, not included
  Dim extent;    ///< upper: arrays written with the loop's index have this size
  Span span;
};

// ---------------------------------------------------------------------------------------------- expressions

/// A number; `K` of `const K = 8` and folded arithmetic included. The type says int or real.
struct Constant {
  double value = 0;
};

/// A size as a value: `N` in `x / N`. Type int.
struct SizeValue {
  Dim dim;
};

struct Name {
  SymbolId symbol = -1;
  /// Frames of the symbol that are not open here: leading dimensions of the type, outermost first. Empty:
  /// "mine at the open indices", for a loop the value set in this iteration.
  std::vector<Frame> spread;
};

struct Unary {
  ast::UnaryOp op = ast::UnaryOp::negate;
  ExprPtr operand;
};

/// Both operands have the same element unless the op is `@`; a scalar broadcasts. Results of comparisons and
/// logic are bit. `/` and `^` are real.
struct Binary {
  ast::BinaryOp op = ast::BinaryOp::add;
  ExprPtr left;
  ExprPtr right;
};

/// int, bit or index to real. The checker writes every such conversion out.
struct ToReal {
  ExprPtr operand;
};

/// A row of the op catalog applied elementwise; scalars broadcast.
struct Apply {
  const ir::Op* op = nullptr;
  std::vector<ExprPtr> arguments;
};

/// A row of the table of array functions. `fill(v, n, m)` has the argument `v` and the sizes `n`, `m`.
struct BuiltinCall {
  const Builtin* builtin = nullptr;
  std::vector<ExprPtr> arguments;
  std::vector<Dim> sizes;
};

/// A call of a fun or net: bind `arguments` to the instance's parameters and walk its body up to `return`.
struct FunctionCall {
  InstanceId instance = -1;
  std::vector<ExprPtr> arguments;
};

/// A layer inside a net. Its weights belong to `layer`, whoever calls the net.
struct LayerCall {
  LayerId layer = -1;
  std::vector<ExprPtr> arguments;
};

struct Subscript {
  enum class Kind : std::uint8_t { element, slice, all };
  Kind kind = Kind::element;
  ExprPtr element; ///< int
  Dim lower;       ///< slice: known ends
  Dim upper;
  Span span;
};

/// One subscript per leading dimension; further dimensions are taken whole. An element drops its dimension.
/// An element may be an int array: then its dimensions stand in the place of the one it drops (a gather).
struct Index {
  ExprPtr base;
  std::vector<Subscript> subscripts;
};

/// Only as the value of `return` and of an assignment with several targets.
struct TupleExpr {
  std::vector<ExprPtr> elements;
};

/// Elements have one type; the result has one leading dimension more.
struct ArrayExpr {
  std::vector<ExprPtr> elements;
};

/// A choice by value: `condition` is bit, scalar or of the result's shape.
struct Select {
  ExprPtr condition;
  ExprPtr then_value;
  ExprPtr else_value;
};

struct Expr {
  using Node = std::variant<Constant, SizeValue, Name, Unary, Binary, ToReal, Apply, BuiltinCall,
                            FunctionCall, LayerCall, Index, TupleExpr, ArrayExpr, Select>;
  Node node;
  Type type;
  PlateSet varies;
  bool random = false;    ///< may depend on a latent draw
  bool learnable = false; ///< may depend on a param or a net's weights
  Span span;
};

template <class T>
const T* get_if(const ExprPtr& expr) {
  return expr ? std::get_if<T>(&expr->node) : nullptr;
}

/// The number an int or real expression always has, if it is a Constant.
std::optional<double> constant_value(const ExprPtr& expr);

// ---------------------------------------------------------------------------------------------- statements

struct Statement;

struct Block {
  std::vector<Statement> statements;
  Span span;
};

/// `name = value` or, for several targets, each element of a tuple value in turn. A target whose symbol has a
/// loop as innermost frames was written with that loop's index: this sets the element of this iteration.
struct Assign {
  std::vector<SymbolId> targets;
  ExprPtr value;
};

enum class Strategy : std::uint8_t { automatic, pathwise, score, enumerate };
std::string_view to_string(Strategy strategy);

/// `using score(baseline = v(x[i]))`.
struct Using {
  Strategy strategy = Strategy::automatic;
  ExprPtr baseline;                       ///< `baseline = expression`: a real scalar
  std::string baseline_name;              ///< `baseline = average` and the like: a name that is no variable
  std::map<std::string, ExprPtr> options; ///< other named arguments
  Span span;
};

/// A distribution sent through a map: `exp(d)`, `affine(d, loc, scale)`, `iaf(d, f, context = h)`.
struct Transform {
  const catalog::Transform* row = nullptr;
  std::vector<ExprPtr> arguments; ///< real; of the row's parameters
  /// Flows with a net of the program: its call, a tuple (shift, log scale) of vectors, and the local in it
  /// that stands for the moved vector (autoregressive) or its first half.
  ExprPtr net;
  SymbolId input = -1;
  /// Flows without: what the built-in nets read besides, a real vector or null, and their sizes.
  ExprPtr context;
  std::int64_t flows = 1;
  std::int64_t hidden = 0;     ///< units; 0: by the size of the vector
  std::vector<Dim> image_dims; ///< shape of the image
  Span span;
};

/// `target ~ distribution(arguments)[copies]`, sent through `transforms`.
struct Sample {
  SampleId id = -1;     ///< unique in the program, in order of the text
  SymbolId symbol = -1; ///< the site, or the data observed
  bool observed = false;
  ExprPtr value; ///< observed: the data under the target's subscripts; else null
  const catalog::Distribution* distribution = nullptr;
  std::vector<ExprPtr>
      arguments; ///< reals are converted; a parameter of rank r has dims batch + r, or just r
  std::vector<Dim> copies;
  std::vector<Dim> event;            ///< written in the call because no parameter fixes it; else empty
  std::vector<Transform> transforms; ///< the innermost first
  std::vector<Dim> source_dims;      ///< shape of what the distribution itself draws
  /// Type of the value at one point of the frames. dims = batch + event, copies included.
  Type type;
  std::vector<Frame> frames; ///< open plates and loops, outermost first
  Using strategy;
  Span span;
  Span target_span;
  Span call_span;
};

/// Every expression that the distribution and its transforms read.
std::vector<ExprPtr> reads_of(const Sample& sample);
/// `exp(normal)`.
std::string distribution_text(const Sample& sample);

/// Declares `symbol` here. One parameter per point of its plates; not inside a `for`.
struct ParamStatement {
  SymbolId symbol = -1;
};

struct PlateStatement {
  PlateId plate = -1;
  SymbolId index = -1;
  bool sequential = false;
  Block body;
};

struct ForStatement {
  LoopId loop = -1;
  /// Set before the loop and assigned in its body: the state. Type and shape never change.
  std::vector<SymbolId> carried;
  /// Written with the loop's index in its body (`h[t] = …`, `z[t] ~ …`): arrays over the loop afterwards.
  std::vector<SymbolId> filled;
  Block body;
};

struct IfStatement {
  ExprPtr condition;     ///< bit
  bool by_value = false; ///< the condition may depend on a latent draw: select, do not branch
  /// Assigned in a branch and alive afterwards: both values have the same type.
  std::vector<SymbolId> merged;
  Block then_body;
  Block else_body; ///< empty when there is no else
};

struct FactorStatement {
  ExprPtr value; ///< real scalar
};

struct ReturnStatement {
  ExprPtr value; ///< a tuple for several results
};

struct Statement {
  using Node = std::variant<Assign, Sample, ParamStatement, PlateStatement, ForStatement, IfStatement,
                            FactorStatement, ReturnStatement>;
  Node node;
  Span span;
};

template <class T>
const T* get_if(const Statement& statement) {
  return std::get_if<T>(&statement.node);
}

// ---------------------------------------------------------------------------------------------- functions

/// A declared fun or net.
struct Function {
  FunctionId id = -1;
  std::string name;
  bool is_net = false;
  std::vector<LayerId> layers; ///< of a net, in order of the text; known once it is called
  Span span;
};

/// A function typed for the argument types of some of its calls.
struct Instance {
  FunctionId function = -1;
  std::vector<SymbolId> parameters; ///< kind local
  Type result;
  Block body; ///< ends in ReturnStatement on every path
};

/// A layer of a net, one per place in the text.
struct Layer {
  LayerId id = -1;
  FunctionId net = -1;
  const catalog::Layer* layer = nullptr;
  std::string name; ///< unique in the program: `encode.linear_1`
  std::vector<Dim> sizes;
  std::vector<std::vector<Dim>> inputs; ///< shapes of the value arguments
  std::vector<Dim> result;
  Span span;
};

// ---------------------------------------------------------------------------------------------- program

/// `guide auto(low_rank, rank = 5)`: family `low_rank`, options {rank: 5}. An empty span: no guide was
/// written.
struct GuideFamily {
  std::string family;
  std::map<std::string, double> options;
  Span span;
};

struct Program {
  std::vector<Symbol> symbols;
  std::vector<Plate> plates;
  std::vector<Loop> loops;
  std::vector<Function> functions;
  std::vector<Instance> instances;
  std::vector<Layer> layers;
  std::map<std::string, Size> sizes; ///< data sizes; `const` names are folded and not here
  std::vector<SymbolId> data;        ///< in order of declaration, implicit lengths included
  std::vector<SymbolId> params;      ///< every param, in order of the text

  Block model;
  std::optional<Block> guide;        ///< a written guide
  std::optional<GuideFamily> family; ///< set exactly when `guide` is not; auto(normal) when the file has none
  std::optional<Block> predict;
  Span guide_span; ///< of the guide item, or of the model when there is none
  SampleId sample_count = 0;

  const Symbol& symbol(SymbolId id) const { return symbols[static_cast<std::size_t>(id)]; }
  const Plate& plate(PlateId id) const { return plates[static_cast<std::size_t>(id)]; }
  const Loop& loop(LoopId id) const { return loops[static_cast<std::size_t>(id)]; }
  const Function& function(FunctionId id) const { return functions[static_cast<std::size_t>(id)]; }
  const Instance& instance(InstanceId id) const { return instances[static_cast<std::size_t>(id)]; }
  const Layer& layer(LayerId id) const { return layers[static_cast<std::size_t>(id)]; }

  /// The value of a size when it is known from constants and bound data.
  std::optional<std::int64_t> size_value(const Dim& dim) const;
};

/// Calls `visit(const Statement&)` for each statement of a block and of the blocks inside it, in order.
template <class Visit>
void for_each_statement(const Block& block, Visit&& visit) {
  for (const Statement& statement : block.statements) {
    visit(statement);
    if (auto* plate = get_if<PlateStatement>(statement))
      for_each_statement(plate->body, visit);
    else if (auto* loop = get_if<ForStatement>(statement))
      for_each_statement(loop->body, visit);
    else if (auto* branch = get_if<IfStatement>(statement)) {
      for_each_statement(branch->then_body, visit);
      for_each_statement(branch->else_body, visit);
    }
  }
}

} // namespace plait::program
