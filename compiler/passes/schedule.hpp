/** \file
 * From a graph to ordered loops: which values are computed where, in which order, and in which memory.
 * Independent of LLVM, so that `emit --stage schedule` and tests can look at it.
 *
 * A *phase* is one pass over the rows of a plate (its home), or a piece of straight-line code at the root. A
 * *statement* computes one materialized node, adds into an accumulator, runs a loop, calls a matrix product
 * or stores an output; everything else is inlined into the statements that read it.
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plait::passes {

inline constexpr ir::AxisId no_axis = -1;

struct ScheduleOptions {
  int lanes = 8;                                        ///< reals in one vector register
  int real_bytes = 4;                                   ///< of the compiled precision
  std::map<std::string, std::int64_t> expected_extents; ///< hints; 1024 is assumed otherwise
  int tile_rows = 0;                         ///< 0: the cost model chooses; else a multiple of `lanes`
  int maximum_chunks = 8;                    ///< parallel units of one plate
  std::int64_t accumulator_bytes = 16 << 20; ///< what the accumulators of all chunks of a phase may occupy
  std::int64_t cache_bytes = 512 * 1024;     ///< what the buffers of one tile may occupy
};

enum class Place : std::uint8_t {
  inlined, ///< recomputed where it is read
  scalar,  ///< one number in the workspace; reals in f64
  lane,    ///< registers (or stack) of one lane group
  tile,    ///< a buffer for the rows of one tile
  whole,   ///< an array for all rows
};

/** Memory of one value. Dimensions in order: `axes` without the lane axis, `shape`, the lane axis, `width`.
 */
struct Buffer {
  ir::NodeId node = ir::no_node;
  Place place = Place::whole;
  ir::Element element = ir::Element::real;
  bool wide = false;            ///< reals are f64 whatever the precision
  std::vector<ir::AxisId> axes; ///< without the lane axis
  std::vector<ir::Extent> shape;
  ir::AxisId lane_axis = no_axis; ///< innermost, so that lanes are neighbours
  std::int64_t lane_rows = 0;     ///< rows along the lane axis; 0: all of them, padded to whole registers
  int width = 1;                  ///< partial sums per element of an accumulator
  int chunks = 0;                 ///< > 0: every chunk has its own
  int element_bytes = 4;
};

enum class StatementKind : std::uint8_t { compute, accumulate, loop, product, store };

/** Where the rows of an operand of deferred products are gathered over the iterations of a loop: [elements]
 * [panel_columns + panel_padding]. */
struct Panel {
  ir::NodeId operand = ir::no_node;
  int buffer = -1;
};
/** Enough columns that a product over them is worth reading and writing a matrix as large as the weights; at
 * least twice the rows of a tile. The padding keeps the rows of a panel from falling into the same cache sets
 * and holds the rest of the last register. */
inline constexpr std::int64_t panel_columns = 512, panel_padding = 16;

struct Statement {
  StatementKind kind = StatementKind::compute;
  ir::NodeId node = ir::no_node; ///< computed node; the loop; the reduction of an accumulate statement
  ir::NodeId target =
      ir::no_node;          ///< node that the sums of an accumulate statement are, itself or a loop's result
  std::vector<int> outputs; ///< of a store: indices into Graph::outputs, all read before any is written
  int accumulator = -1;     ///< buffer of the partial sums of an accumulate statement
  double sign = 1;          ///< of an accumulate statement: its sums enter times sign and factors
  std::vector<ir::NodeId> factors;
  bool joins = false;        ///< adds into the accumulator of an earlier statement
  bool by_tiles = false;     ///< a loop with matrix products: iterations work on whole tiles
  int segments = 1;          ///< of such a loop's body
  bool in_registers = false; ///< its partial sums are kept in registers for a tile
  bool deferred = false; ///< a product over rows in a loop, taken over the rows of many iterations at once
  std::vector<Panel> panels; ///< of a loop: the operands of its deferred products
  int segment = 0;
  std::vector<Statement> body;   ///< of a loop
  std::vector<ir::NodeId> reads; ///< materialized nodes read
};

/** True for statements that work on a whole tile rather than on one lane group after the other. */
inline bool needs_tile(const Statement& statement) {
  return statement.kind == StatementKind::product || statement.by_tiles;
}

struct Phase {
  ir::AxisId home = no_axis;
  int level = 0;
  int tile_rows = 0;
  int maximum_chunks = 1;
  int segments = 1;
  std::vector<Statement> statements;
};

struct Placement {
  Place place = Place::inlined;
  int phase = -1;
  int buffer = -1;
};

struct Schedule {
  std::vector<Placement> placements; ///< one per node
  std::vector<Buffer> buffers;
  std::vector<Phase> phases;
  std::vector<std::string> extents;   ///< run-time extents in the order of the ABI
  std::vector<std::string> inputs;    ///< named scalars in the order of the ABI
  std::vector<Placement> next_values; ///< per node: for a loop argument, where its next value waits
  int lanes = 1;
  int real_bytes = 4;
};

/** Sums over rows of at most so many elements are kept in registers. */
inline constexpr std::int64_t register_sums = 16;

/** Chooses phases, statements and memory for `graph`. */
Schedule schedule(const ir::Graph& graph, const ScheduleOptions& options);

/** The plate (iarange or irange) along whose rows a value of this type is computed; no_axis at the root. */
ir::AxisId home_axis(const ir::Graph& graph, const std::vector<ir::AxisId>& axes);

/** Number of elements when known, else -1. */
std::int64_t known_elements(const ir::Graph& graph, const std::vector<ir::AxisId>& axes,
                            const std::vector<ir::Extent>& shape);

/** True for a real without axes and dimensions: computed and kept in f64. */
inline bool is_root_scalar(const ir::Type& type) {
  return type.axes.empty() && type.shape.empty();
}

/** A contraction as one call of the runtime's matrix product, c[m, n] = op(a)[m, k] op(b)[k, n]. */
struct Product {
  enum class Form : std::uint8_t {
    of_rows,   ///< a is shared, b holds the rows of a plate: [k][rows] -> [m][rows]
    over_rows, ///< both hold the rows, which are summed: [m][rows], [n][rows] -> [m, n]
    at_root,   ///< plain matrices
  };
  Form form = Form::at_root;
  ir::NodeId a = ir::no_node, b = ir::no_node;
  bool transpose_a = false, transpose_b = false;
  ir::Extent m = ir::Extent::known(1), n = ir::Extent::known(1), k = ir::Extent::known(1);
};
/** The matrix product that computes `node`; empty when it is none, or too small to be worth a call. */
std::optional<Product> find_product(const ir::Graph& graph, ir::NodeId node);

/** Rows of a bound array as a plate reads them, wide enough to be worth turning them around: neighbours in
 * memory are elements of a row, neighbours in lanes are rows. */
struct DataRows {
  ir::NodeId data = ir::no_node;
  ir::AxisId axis = no_axis;
};
std::optional<DataRows> find_data_rows(const ir::Graph& graph, ir::NodeId node, int lanes);

/** A contraction of data rows that reads them as they lie in memory: the dot product of every row with one
 * shared vector, or the sum of all rows, each times a number of its own. */
struct RowContraction {
  DataRows rows;
  ir::NodeId row_values = ir::no_node; ///< the operand that holds the rows
  ir::NodeId other = ir::no_node;      ///< the shared vector, or the number of every row
  bool sums_rows = false;
};
std::optional<RowContraction> find_row_contraction(const ir::Graph& graph, ir::NodeId node, int lanes);

/** Machine operations of one evaluation of an op, by running its lowering on a builder that counts. */
int operation_count(const ir::Op& op);

/** The schedule as text, one statement a line. */
std::string print(const ir::Graph& graph, const Schedule& schedule);

/** True when the buffer lives in the workspace rather than in registers or on the stack. */
bool in_workspace(const Buffer& buffer);

/** Bytes of the workspace for these run-time extents, in the order of Schedule::extents: the buffers one
 * after the other in their order, each rounded up to `buffer_alignment`. Generated code computes the same
 * numbers. */
inline constexpr std::int64_t buffer_alignment = 64;
std::int64_t workspace_bytes(const ir::Graph& graph, const Schedule& schedule,
                             const std::vector<std::int64_t>& extents);

} // namespace plait::passes
