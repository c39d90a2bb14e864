/** \file
 * The one boundary between compiled steps and the runtime: plain C layout, no compiler headers. A step is
 * `void step(const StepArguments*)`; it reads and writes only through these arguments.
 */
#pragma once

#include <cstdint>

namespace plait::runtime {

/** How the numbers of a bound data array lie in memory; the step converts on load. */
enum class Storage : std::int32_t { u8, i8, i16, u16, i32, u32, i64, f32, f64 };

/** A bound data array: row-major, dimension 0 (rows) read on demand. For ragged data `offsets[n]` is the
 * first element (in units of the trailing shape) of row n and `lengths[n]` its length; otherwise both are
 * null. */
struct DataView {
  const void* values = nullptr;
  const std::int64_t* offsets = nullptr;
  const std::int32_t* lengths = nullptr;
};

/** Runs body(context, chunk) for every chunk in [0, chunks), in any order on any thread, and waits. */
using ParallelFor = void (*)(void* pool, std::int64_t chunks, void (*body)(void* context, std::int64_t chunk),
                             void* context);

struct StepArguments {
  void* const* parameters = nullptr; ///< one per Graph::parameters, reals of the compiled precision
  void* const* slots = nullptr;     ///< parameter-major: parameter p, slot k at [p * slots_per_parameter + k]
  void* const* gradients = nullptr; ///< one per parameter; only read by programs with gradient outputs
  void* const* values = nullptr;    ///< one per `value` output, in output order
  const DataView* data = nullptr;   ///< one per Graph::data
  const std::uint32_t* const* rows = nullptr; ///< one per Graph::minibatches: the global rows drawn this step
  const std::int64_t* extents = nullptr;      ///< run-time extents in the order the artifact names them
  const double* inputs = nullptr;             ///< named scalars in the order the artifact names them
  double* scalars = nullptr;                  ///< one per `scalar` output, in output order
  void* workspace = nullptr; ///< 64-byte aligned, as large as the artifact asks for these extents
  ParallelFor parallel_for = nullptr;
  void* pool = nullptr;
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
};

using StepFunction = void (*)(const StepArguments*);

} // namespace plait::runtime
