/** \file
 * Tensor IR: SSA nodes in one arena, ordered in regions. The root region is straight-line; a `loop` node owns
 * a body region, whose nodes may read anything defined before the loop. Node kinds are a small closed set;
 * everything elementwise is `map` with an Op row.
 */
#pragma once

#include "compiler/tensor_ir/op.hpp"
#include "compiler/tensor_ir/type.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace plait::ir {

using NodeId = std::int32_t;
using RegionId = std::int32_t;
inline constexpr NodeId no_node = -1;
inline constexpr RegionId root_region = 0;

enum class Kind : std::uint8_t {
  constant,     ///< `literal` (one number, or row-major numbers of `type.shape`)
  parameter,    ///< unconstrained parameter `index`; for a plate-local one the value at each plate row
                ///< (type.axes)
  slot,         ///< optimizer state: slot `slot` of parameter `index`; typed like the parameter
  data,         ///< whole bound data array `index`, as event dimensions
  data_lengths, ///< lengths of the rows of ragged data `index`: integer[N]
  input,        ///< named scalar handed in with every step ("step", "learning_rate", "kl_weight"); `name`
  extent,       ///< `extents[0]` as an integer scalar
  axis_index,   ///< position along `axes[0]`: 0 … extent-1; integer scalar with that axis
  plate_row,    ///< global row along plate `axes[0]`: the drawn row when subsampled, else axis_index
  map,          ///< elementwise `op`
  broadcast,    ///< operand repeated to `type` (adds axes; expands a scalar to a shape)
  reduce_sum,   ///< over `axes` and over event dimensions `dims`
  reduce_max,   ///< same
  contract,     ///< sum of products of two operands over labels (einsum) and `axes`; see Contract fields
  gather,       ///< operands (table, index): event dimension `dim` of the table replaced by the index's shape
  scatter_add,  ///< operands (index, value): adjoint of gather; see build.hpp
  axis_to_dim,  ///< axis `axes[0]` becomes the leading event dimension: a plate's values seen from outside
  slice,        ///< dimension `dim`, from `start`, `extents[0]` long
  pad, ///< adjoint of slice: zeros around; dimension `dim` becomes `extents[0]` long, value starts at `start`
  concat,    ///< operands joined along `dim`
  reshape,   ///< same elements, row-major, new type.shape
  transpose, ///< event dimensions permuted: result dim k = operand dim dims[k]
  expand,    ///< inserts event dimension `dim` of length extents[0], repeating the operand
  random,    ///< counter-based draw `random`; operands (row, element_base, distribution parameters…)
  loop, ///< sequential; see Loop. Operands: the inits. It has no value itself: loop_result reads its results
  loop_argument, ///< in the body: carried value number `index` of the loop owning the region
  loop_index,    ///< in the body: the iteration counter, integer scalar
  loop_result,   ///< operand loop; carried, stacked or accumulated result number `index`
  cholesky,      ///< lower factor of symmetric positive definite [n, n]
  cholesky_grad, ///< operands (L, dL): symmetric dA
  solve_lower,   ///< operands (L[n,n], b[n] or b[n,m]): L^-1 b ; `transposed`: L^-T b
};

enum class RandomKind : std::uint8_t {
  uniform,   ///< (0, 1)
  normal,    ///< standard normal
  log_gamma, ///< log of a standard gamma draw; third operand: shape
  poisson,   ///< third operand: rate
  binomial,  ///< third and fourth operand: trials, probability
};

enum class LoopResult : std::uint8_t { carried, stacked, accumulated };

/** A sequential loop. Trip count `extents[0]` (iterating downwards when `reverse`).
 * carried[k]: argument k starts as inits[k] and becomes nexts[k] after every iteration.
 * stacked[k]: body value kept for every iteration; result has the trip count as a new leading event dimension
 *             (indexed by loop_index, whatever the direction).
 * accumulated[k]: body value summed over iterations. */
struct Loop {
  RegionId body = -1;
  bool reverse = false;
  Extent trip_count;
  /** For every row of a plate, how many iterations concern it: an integer without dimensions, or no_node. In
   * iteration t of a row with t >= length, carried values stay what they are by the program's own selects, so
   * the row may be passed over; what it would have stacked or added is then 0. */
  NodeId lengths = no_node;
  std::vector<NodeId> inits;
  std::vector<NodeId> arguments;
  std::vector<NodeId> nexts;
  std::vector<NodeId> stacked;
  std::vector<NodeId> accumulated;
  NodeId index = no_node;
};

/** Where a node comes from in the user's program, for messages and for `emit`. */
struct Origin {
  std::string site; ///< sample site or parameter it belongs to; empty for shared computation
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

struct Node {
  Kind kind = Kind::constant;
  Type type;
  RegionId region = root_region;
  std::vector<NodeId> operands;

  const Op* op = nullptr;      // map
  std::vector<double> literal; // constant
  std::int32_t index = -1;     // parameter, slot, data, loop_argument, loop_result
  std::int32_t slot = -1;      // slot
  std::string name;            // input; random: the site
  std::vector<AxisId>
      axes; // reduce_*, contract (summed axes), scatter_add (summed axes), axis_index, plate_row, axis_to_dim
  std::vector<std::int32_t> dims;  // reduce_* (event dims summed), transpose
  std::int32_t dim = 0;            // gather, scatter_add, slice, pad, concat, expand
  Extent start = Extent::known(0); // slice, pad
  std::vector<Extent> extents;     // extent, slice, pad, expand, scatter_add
  std::vector<std::int32_t> left_labels, right_labels, out_labels; // contract
  RandomKind random = RandomKind::uniform;
  LoopResult result = LoopResult::carried; // loop_result
  std::int32_t loop = -1;                  // loop: index into Graph::loops
  bool transposed = false;                 // solve_lower
  Origin origin;
};

struct Region {
  RegionId parent = -1;
  NodeId owner = no_node;    ///< the loop node; no_node for the root
  std::vector<NodeId> order; ///< every operand comes before its user; ids need not ascend
};

/** A learnable array as the optimizer sees it: unconstrained. */
struct Parameter {
  std::string name;
  std::vector<Extent> shape; ///< of one element
  std::vector<AxisId>
      axes;          ///< plate-local: one element per row of these plates, stored row-major [N…, shape…]
  std::string group; ///< "model", "guide", "baseline", a net's name: for learning-rate groups
};

struct DataArray {
  std::string name;
  Element element = Element::real;
  std::vector<Extent> shape;
  bool ragged = false; ///< dimension 1 differs per row; its extent is the longest row
};

/** A stream of drawn rows, shared by every plate over the same declaration. */
struct Minibatch {
  std::string plate;
  Extent population;
  Extent rows; ///< drawn this step
};

enum class OutputKind : std::uint8_t {
  scalar,          ///< reported number, named: "elbo", "site:z:log_p" …
  gradient,        ///< of parameter `index`
  store_parameter, ///< new value of parameter `index`
  store_slot,      ///< new value of slot `slot` of parameter `index`
  value,           ///< a named array (posterior draws, predictions)
};

struct Output {
  OutputKind kind = OutputKind::scalar;
  std::string name;
  NodeId node = no_node;
  std::int32_t index = -1;
  std::int32_t slot = -1;
};

struct Graph {
  std::deque<Node> nodes; ///< a deque: a reference to a node stays valid while the graph grows
  std::vector<Region> regions = std::vector<Region>(1);
  std::vector<Loop> loops;
  std::vector<Axis> axes;
  std::vector<Minibatch> minibatches;
  std::vector<Parameter> parameters;
  std::vector<DataArray> data;
  std::vector<Output> outputs;

  const Node& node(NodeId id) const { return nodes[static_cast<std::size_t>(id)]; }
  Node& node(NodeId id) { return nodes[static_cast<std::size_t>(id)]; }
  const Type& type(NodeId id) const { return node(id).type; }
  const Axis& axis(AxisId id) const { return axes[static_cast<std::size_t>(id)]; }
  const Loop& loop_of(NodeId loop_node) const {
    return loops[static_cast<std::size_t>(node(loop_node).loop)];
  }
  Loop& loop_of(NodeId loop_node) { return loops[static_cast<std::size_t>(node(loop_node).loop)]; }
};

} // namespace plait::ir
