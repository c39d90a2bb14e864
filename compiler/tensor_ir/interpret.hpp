/** \file
 * Executes any stage of tensor IR slowly and obviously, in double: the oracle for the JIT, for derivatives
 * and for passes. Every value is a dense array over (the extents of its axes in ascending axis order) x (its
 * shape), row-major.
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace plait::ir {

/** A bound data array. Dense: row-major numbers of the declared shape. Ragged: row n holds lengths[n]
 * elements of the trailing shape (dimensions 2 and up), beginning at element offsets[n]; beyond its length it
 * reads as zeros. */
struct DataInput {
  std::vector<double> numbers;
  std::vector<std::int64_t> offsets, lengths;
};

/** What the runtime hands to a step. */
struct Inputs {
  std::vector<std::vector<double>>
      parameters; ///< one per Graph::parameters: [populations of its axes…, shape…]
  std::vector<std::vector<std::vector<double>>>
      slots;                                    ///< slots[parameter][slot], laid out like the parameter
  std::vector<DataInput> data;                  ///< one per Graph::data
  std::vector<std::vector<std::uint32_t>> rows; ///< one per Graph::minibatches: the global rows drawn
  std::map<std::string, std::int64_t> extents;  ///< values of run-time extents
  std::map<std::string, double> inputs;
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  bool single_precision_noise = false; ///< draw with the uniforms of f32 mode
};

/** A dense array: sizes of the axes (ascending), then of the event dimensions. */
struct DenseArray {
  std::vector<std::int64_t> sizes;
  std::vector<double> numbers; ///< booleans are 0 and 1
};

struct Results {
  std::vector<DenseArray> outputs; ///< one per Graph::outputs, in order
  /** The output of that name; throws std::out_of_range when there is none. */
  const DenseArray& named(const Graph& graph, const std::string& name) const;
  /** The only number of the output of that name. */
  double number(const Graph& graph, const std::string& name) const;
};

/** Evaluates all outputs. Throws std::out_of_range for an index outside of a gathered or scattered dimension,
 * and std::invalid_argument when an input is missing or has the wrong size. A Cholesky factor of a matrix
 * that is not positive definite is NaN. */
Results interpret(const Graph& graph, const Inputs& inputs);

/** The same for chosen nodes of the root region. */
std::vector<DenseArray> interpret(const Graph& graph, const Inputs& inputs, const std::vector<NodeId>& nodes);

} // namespace plait::ir
