/** \file
 * From a schedule to LLVM IR. Internal to this folder: the class that holds the state of the walk; its
 * members are spread over lower_*.cpp by subject.
 *
 * The one mechanism is `evaluate(node, point)`: the value of a node at a point of its index space. A
 * coordinate of the point may differ from lane to lane; then so does the value, and it is a vector.
 * Materialized nodes are loaded, everything else is computed on the spot.
 */
#pragma once

#include "compiler/codegen/generate.hpp"
#include "compiler/codegen/lanes.hpp"
#include "compiler/passes/schedule.hpp"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <functional>
#include <map>
#include <optional>

namespace plait::codegen {

using ir::AxisId;
using ir::Element;
using ir::Extent;
using ir::Graph;
using ir::Kind;
using ir::Node;
using ir::NodeId;
using ir::Type;
using passes::Buffer;
using passes::Phase;
using passes::Place;
using passes::Placement;
using passes::Schedule;
using passes::Statement;
using passes::StatementKind;

/** A position along an axis or a dimension: base + lane number (if `iota`) + lanes. Null means 0. */
struct Coordinate {
  llvm::Value* base = nullptr; ///< i64
  bool iota = false;
  llvm::Value* lanes = nullptr; ///< vector of i64
  bool varies() const { return iota || lanes; }
};

struct Point {
  std::vector<std::pair<AxisId, Coordinate>> axes;
  std::vector<Coordinate> dims;

  const Coordinate& axis(AxisId id) const;
  void set_axis(AxisId id, Coordinate coordinate);
};

/** Memory that elements are loaded from and stored to. */
struct Memory {
  llvm::Value* pointer = nullptr;
  llvm::Type* stored = nullptr; ///< element type in memory
  bool is_unsigned = false;
  bool external = false; ///< not ours: nothing may be touched beyond its end
};

class Lowering {
public:
  Lowering(const Graph& graph, const Schedule& schedule, const CodegenOptions& options, const Target& target,
           llvm::Module& module);

  /** Fills the module; the entry function is `step_name`. */
  void run();
  static constexpr const char* step_name = "plait_step";

private:
  // ---- lower_module.cpp: functions, phases ----
  llvm::Function* make_function(const std::string& name, bool with_chunk);
  void begin_function(llvm::Function* function);
  void end_function();
  llvm::Function* lower_plate_phase(std::size_t index);
  /** One pass over the lane groups of the tile; over those that lie behind its first `done` rows, if given.
   */
  void for_each_lane_group(const std::function<void()>& body, llvm::Value* done = nullptr);
  /** The statements of a phase or of a loop by tiles, segment by segment. */
  void lower_segments(const std::vector<Statement>& statements, int segments, bool fetch);
  void lower_root_phase(const Phase& phase);
  void call_phase(const Phase& phase, llvm::Function* function);
  void combine_sums(const Phase& phase, const Statement& statement, llvm::Value* chunks);
  llvm::Value* chunk_count(const Phase& phase);
  llvm::Value* argument_field(unsigned field, llvm::Type* type);

  // ---- lower_statements.cpp ----
  void lower(const Statement& statement);
  void lower_compute(const Statement& statement);
  bool neighbours_along_last(NodeId node) const;
  void lower_accumulate(const Statement& statement);
  /** What an accumulate statement's sums are multiplied by: a scalar, or null for 1. */
  llvm::Value* sum_factor(const Statement& statement, llvm::Type* kind);
  void lower_store(const Statement& statement);
  /** Calls body(element of the table, number to add to it) for every element of the scattered value; the
   * home's rows are the lanes'. */
  void for_each_addend(NodeId scatter, const std::function<void(const Point&, llvm::Value*)>& body);
  void lower_scatter(NodeId node);
  void accumulate_scatter(const Statement& statement);
  void prepare_sums(const Statement& statement);
  void start_tile_sums(const Statement& statement);
  void finish_tile_sums(const Statement& statement);
  void finish_sums(const Statement& statement);
  void add_to_sum(const Statement& statement, const Point& result, llvm::Value* value);
  bool takes_maximum(const Statement& statement) const;
  llvm::Value* neutral(llvm::Type* type, bool maximum);
  llvm::Value* combine(llvm::Value* a, llvm::Value* b, bool maximum);

  // ---- lower_loops.cpp ----
  void lower_loop(const Statement& statement);
  void copy_value(const Type& type, const Placement& from, const Placement& to);
  llvm::Value* longest_row(const ir::Loop& owner, llvm::Value* trips);
  llvm::Value* rows_concerned(const ir::Loop& owner, llvm::Value* index);
  void gather_panels(const Statement& statement, llvm::AllocaInst* filled);
  void multiply_panels(const Statement& statement, llvm::AllocaInst* filled);

  // ---- lower_products.cpp: matrix products, data rows turned around ----
  struct Matrix {
    llvm::Value* pointer;
    llvm::Value* leading;
  };
  /** The tile's part [elements][rows] of a value with the home's rows. */
  Matrix rows_matrix(NodeId node);
  Matrix shared_matrix(NodeId node);
  void lower_product(const Statement& statement);
  /** c[m, n] (+)= factor op(a) op(b) by the runtime's matrix product. */
  void call_product(const Statement& statement, const passes::Product& product, llvm::Value* n,
                    llvm::Value* k, const Matrix& a, const Matrix& b, const Matrix& c,
                    llvm::Value* accumulate);
  bool overwrites(const Statement& statement) const;
  void fetch_rows_ahead();
  void lower_data_rows(NodeId node);
  void lower_row_dots(NodeId node, const passes::RowContraction& rows);
  void accumulate_rows(const Statement& statement, const passes::RowContraction& rows);
  std::pair<llvm::SmallVector<int, 64>, llvm::SmallVector<int, 64>> shuffles() const;
  /** Offset of the first element of every lane's row; lanes without a row read an active one. */
  std::vector<llvm::Value*> row_starts(std::int64_t elements);
  /** `lanes` neighbouring elements of a row, converted as the node that holds the rows says. */
  llvm::Value* row_block(NodeId rows, llvm::Value* start, llvm::Value* first);
  /** Calls body(first element, lanes that no earlier block held or null) for blocks that cover `elements`. */
  void for_each_block(std::int64_t elements, const std::function<void(llvm::Value*, llvm::Value*)>& body);

  // ---- lower_algebra.cpp: dense linear algebra ----
  void lower_algebra(NodeId node);
  /** Of one matrix: the one of a lane, or the one at `point` when `lane` is null. */
  void lower_algebra_at(NodeId node, const Point& point, llvm::Value* lane);
  /** `operands` and `result`: pointers to row-major matrices. */
  void call_algebra(NodeId node, const std::vector<llvm::Value*>& operands, llvm::Value* result);
  /** Copies a matrix whose elements lie lane by lane to row-major memory, or with `out` back. */
  void copy_matrix(NodeId matrix, const Point& point, llvm::Value* lane, llvm::Value* dense, bool out);
  /** Address of an element in the matrix's buffer. */
  llvm::Value* matrix_element(NodeId matrix, Point point, llvm::Value* row, llvm::Value* column,
                              llvm::Value* lane);
  /** Columns of a matrix; 1 for a vector. */
  llvm::Value* columns_of(NodeId matrix);
  /** The plate whose rows are neighbours in a value's buffer; no_axis when none are. */
  AxisId lane_axis(NodeId value) const;

  // ---- lower_values.cpp ----
  llvm::Value* evaluate(NodeId node, const Point& point);
  llvm::Value* compute(NodeId node, const Point& point);
  llvm::Value* constant(const Node& node, const Point& point);
  llvm::Value* stored_parameter(const Node& node, const Point& point);
  llvm::Value* data(const Node& node, const Point& point);
  Memory data_memory(std::int32_t index);
  llvm::Value* data_field(std::int32_t index, std::int64_t byte);
  llvm::Value* map(NodeId node, const Point& point);
  llvm::Value* reduce(NodeId node, const Point& point, const std::vector<AxisId>& axes);
  /** The sum or maximum of `term` over all indices below `extents`; in lanes where neither the terms nor the
   * place where it is computed already are. */
  llvm::Value* sum_over(const std::vector<Extent>& extents, bool terms_vary, Element element, bool wide,
                        bool maximum,
                        const std::function<llvm::Value*(const std::vector<Coordinate>&)>& term);
  llvm::Value* contract(NodeId node, const Point& point, const std::vector<AxisId>& axes);
  llvm::Value* scattered_element(NodeId node, const Point& point);
  llvm::Value* concat(NodeId node, const Point& point);
  llvm::Value* random(NodeId node, const Point& point);
  Point operand_point(NodeId operand, const Point& point) const;
  Coordinate row_coordinate(AxisId axis, const Point& point);
  /** The value of an integer scalar or element as a coordinate, keeping what is known of its form. */
  Coordinate coordinate_of(NodeId node, const Point& point);
  bool is_safe_index(NodeId node) const;
  Coordinate clamp(const Coordinate& coordinate, const Extent& extent);

  // ---- lower_memory.cpp: coordinates, buffers, loads and stores, loops ----
  llvm::Value* extent(const Extent& extent);
  llvm::Value* axis_extent(AxisId axis) { return extent(graph_.axis(axis).extent); }
  llvm::Value* i64(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }
  Coordinate fixed(std::int64_t value) { return {i64(value), false, nullptr}; }
  Coordinate add(const Coordinate& a, const Coordinate& b);
  Coordinate times(const Coordinate& a, llvm::Value* factor);
  llvm::Value* as_vector(const Coordinate& coordinate);  ///< i64 lanes
  llvm::Value* as_integer(const Coordinate& coordinate); ///< i32, scalar or lanes
  Coordinate as_coordinate(llvm::Value* integer);
  Coordinate flatten(const std::vector<Coordinate>& dims, const std::vector<Extent>& shape);
  std::vector<Coordinate> unflatten(const Coordinate& flat, const std::vector<Extent>& shape);
  std::vector<Coordinate> reshape(const std::vector<Coordinate>& dims, const std::vector<Extent>& from,
                                  const std::vector<Extent>& to);
  Coordinate divide(const Coordinate& a, llvm::Value* divisor, bool remainder);

  llvm::Value* buffer_bytes(int buffer);
  llvm::Value* buffer_offset(int buffer);
  Memory buffer_memory(int buffer, llvm::Value* chunk = nullptr);
  Coordinate buffer_index(int buffer, const Point& point);
  llvm::Type* stored_type(const Buffer& buffer) const;
  llvm::Value* load(const Memory& memory, const Coordinate& index, Element element,
                    llvm::Value* mask = nullptr);
  llvm::Value* convert_loaded(const Memory& memory, llvm::Value* value, Element element);
  void store(const Memory& memory, const Coordinate& index, llvm::Value* value);
  llvm::Value* load_placed(const Placement& placement, const Point& point, Element element);
  void store_placed(const Placement& placement, const Point& point, llvm::Value* value);
  llvm::Value* element_pointer(const Memory& memory, llvm::Value* index);
  llvm::AllocaInst* stack(llvm::Type* type, llvm::Value* count = nullptr);
  llvm::Value* external_pointer(unsigned field, std::int64_t index);

  void loop(llvm::Value* begin, llvm::Value* end, llvm::Value* step,
            const std::function<void(llvm::Value*)>& body);
  /** Calls body for every combination of indices; unrolled when there are few. */
  void for_each(const std::vector<Extent>& extents, const std::function<void(std::vector<Coordinate>)>& body);
  /** Every point of `type` but for the home, in lanes along the last dimension at the root. */
  void for_each_point(const Type& type, const std::function<void(const Point&)>& body, bool in_lanes = true);

  // ---- kinds of numbers ----
  LlvmLanes lanes(llvm::Type* like, bool wide);
  llvm::Type* real_type() const { return real_; }
  llvm::Type* vector_of(llvm::Type* element) const { return llvm::FixedVectorType::get(element, width()); }
  unsigned width() const { return static_cast<unsigned>(schedule_.lanes); }
  llvm::Type* scalar_type(Element element, bool wide);
  llvm::Value* splat(llvm::Value* value);
  /** Conversion to f32, f64, vector as `wanted` says. */
  llvm::Value* coerce(llvm::Value* value, llvm::Type* wanted);
  llvm::Value* horizontal(llvm::Value* vector, bool maximum);
  bool varies(const Type& type, const Point& point) const;
  llvm::Value* iota();
  const Node& node(NodeId id) const { return graph_.node(id); }
  const Type& type(NodeId id) const { return graph_.type(id); }
  const Placement& placement(NodeId id) const { return schedule_.placements[static_cast<std::size_t>(id)]; }

  const Graph& graph_;
  const Schedule& schedule_;
  const CodegenOptions& options_;
  const Target& target_;
  llvm::Module& module_;
  llvm::LLVMContext& context_;
  llvm::IRBuilder<> builder_;
  llvm::Type* real_;
  int slots_per_parameter_ = 0;

  // The function being filled.
  llvm::Function* function_ = nullptr;
  std::optional<llvm::IRBuilder<>> prologue_;
  llvm::BasicBlock* body_ = nullptr;
  llvm::Value* chunk_ = nullptr;
  std::map<std::string, llvm::Value*> extents_;
  std::map<int, llvm::Value*> offsets_, pointers_;
  std::map<std::pair<unsigned, std::int64_t>, llvm::Value*> externals_;
  std::map<unsigned, llvm::Value*> fields_;

  // Where the walk stands.
  const Phase* phase_ = nullptr;
  Coordinate home_;                    ///< the lanes' rows
  llvm::Value* tile_start_ = nullptr;  ///< first row of the tile
  llvm::Value* chunk_start_ = nullptr; ///< first row of the chunk
  llvm::Value* chunk_empty_ = nullptr; ///< i1: it has no tile
  llvm::Value* tile_count_ = nullptr;  ///< rows of the tile
  llvm::Value* tile_offset_ = nullptr; ///< first lane's row within the tile
  llvm::Value* active_rows_ = nullptr; ///< rows from the first lane to the end of the tile
  llvm::Value* mask_ = nullptr;        ///< lanes that stand for rows; null: all
  std::map<NodeId, llvm::Value*> loop_indices_;
  using MemoKey = std::vector<const void*>;
  std::vector<std::map<MemoKey, llvm::Value*>> memo_;
  struct RegisterSums {
    std::vector<llvm::Value*> lanes, totals;
  };
  std::map<int, RegisterSums> register_sums_; ///< by accumulator
  std::map<const Node*, llvm::GlobalVariable*> literals_;
};

} // namespace plait::codegen
