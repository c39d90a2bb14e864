/** \file
 * What the public classes hold.
 */
#pragma once

#include "compiler/compile.hpp"
#include "plait/plait.hpp"
#include "runtime/dataset.hpp"
#include "runtime/step_runner.hpp"
#include "runtime/threads.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace plait {

struct Data::Contents {
  std::vector<std::string> arguments;
  std::map<std::string, runtime::Array> arrays;
  std::map<std::string, std::int64_t> sizes;
};

struct Model::Parsed {
  Source source;
  ast::Program file;
};

namespace session {

/** Zeroed memory, aligned for vector registers. */
class Buffer {
public:
  explicit Buffer(std::size_t bytes)
      : bytes_(bytes), memory_(std::aligned_alloc(64, (bytes + 127) / 64 * 64), std::free) {
    if (!memory_)
      throw std::bad_alloc();
    std::memset(memory_.get(), 0, (bytes + 127) / 64 * 64);
  }
  void* data() const { return memory_.get(); }
  std::size_t bytes() const { return bytes_; }

private:
  std::size_t bytes_;
  std::unique_ptr<void, void (*)(void*)> memory_;
};

/** One learnable array with its optimizer state. */
struct ParameterArray {
  std::string name;
  std::vector<std::int64_t> shape; ///< populations of its plates, then the unconstrained shape
  Buffer values;
  std::vector<Buffer> slots;
};

/** Numbers in an array of this shape. */
inline std::size_t element_count(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (std::int64_t extent : shape)
    count *= static_cast<std::size_t>(extent);
  return count;
}

/** Row-major position -> index of every dimension. */
std::vector<std::int64_t> index_of(std::size_t flat, std::span<const std::int64_t> shape);

/** The value of an extent. \throws std::out_of_range when a run-time extent has none. */
std::int64_t value_of(const ir::Extent& extent, const std::map<std::string, std::int64_t>& sizes);
/** Sizes of a value: its axes, then its shape. */
std::vector<std::int64_t> sizes_of(const ir::Graph& graph, const ir::Type& type,
                                   const std::map<std::string, std::int64_t>& sizes);
/** Sizes of a stored parameter: populations of its plates, then its unconstrained shape. */
std::vector<std::int64_t> stored_shape(const ir::Graph& graph, const ir::Parameter& parameter,
                                       const std::map<std::string, std::int64_t>& sizes);

/** Bytes of a real in that precision. */
inline std::size_t bytes_of_real(bool single_precision) {
  return single_precision ? 4 : 8;
}
/** Reals of either precision, seen as double. */
double read_real(const void* values, std::size_t position, bool single_precision);
void write_real(void* values, std::size_t position, double number, bool single_precision);

struct LaplacePosterior;

/** A checked program with the data bound to it. */
struct BoundProgram {
  compiler::CheckedProgram checked;
  runtime::Dataset dataset;
  bool single_precision = false;
  std::vector<runtime::DataView> views; ///< in the order of Graph::data
  std::vector<runtime::Storage> storage;
  std::map<std::string, std::int64_t> sizes; ///< every run-time extent that is not drawn
  std::vector<std::shared_ptr<void>> owned;  ///< converted copies that the views point into
  std::set<std::string> absent;              ///< data that were not given, held as zeros
};

/** The syntax tree of a source. */
ast::Program parse_source(const Source& source, Diagnostics& diagnostics);

/** Throws Error(Fault::model) with all messages when there is an error. */
void throw_if_errors(const Source& source, const Diagnostics& diagnostics);

/** What binding new data to a fitted program takes from the fit. */
struct NewData {
  const BoundProgram* fitted = nullptr; ///< texts keep their numbers; sizes left open are those of the fit
  bool may_lack_outcomes = false;       ///< data that are only observed may be missing
};

/** Checks the program, reads its data and checks again with the sizes found.
 * \throws Error(Fault::model), Error(Fault::data). */
BoundProgram bind_program(const Model::Parsed& parsed, const Data& data, const CompileOptions& options,
                          const compiler::EmitStage& emit = {}, const NewData& new_data = {});

/** Everything a StepRunner needs for a native program over bound data; arrays are added by the caller. */
runtime::RunnerSetup runner_setup(const BoundProgram& bound, const compiler::NativeProgram& native,
                                  bool subsample);

elbo::ElboOptions elbo_options(const CompileOptions& options, bool subsample);
compiler::NativeOptions native_options(const BoundProgram& bound, const CompileOptions& options);

} // namespace session

struct Fit::State {
  std::shared_ptr<const Model::Parsed> parsed;
  FitOptions options;
  Data data;
  session::BoundProgram bound;
  compiler::CompiledStep compiled;
  std::vector<session::ParameterArray> parameters;
  std::unique_ptr<runtime::ThreadPool> pool;
  std::unique_ptr<runtime::StepRunner> runner;
  std::int64_t step = 0;
  std::int64_t steps = 0;
  double seconds = 0;
  std::vector<Progress> trace;
  double pending_elbo = 0; ///< sum since the last report
  std::int64_t pending_steps = 0;
  CompileReport report;
  StartChoice start;
  std::optional<WarmStart> warm_start;
  std::map<std::string, std::string> start_record; ///< how it came about, for the manifest
  mutable std::vector<session::Buffer> averages;   ///< by parameter, at step `averaged`; see average.hpp
  mutable std::int64_t averaged = -1;
  mutable std::vector<std::string> new_data_notes; ///< of the data last given to an opened or running fit
  mutable std::vector<Summary> summaries;          ///< of step `summarized`
  mutable std::int64_t summarized = -1;
  mutable std::shared_ptr<const session::LaplacePosterior>
      laplace; ///< kept for the next draws at the same step
};

namespace session {

/** Whether a value with these axes has an element for each row of a plate that is drawn in part. */
bool in_subsampled_plate(const ir::Graph& graph, const std::vector<ir::AxisId>& axes,
                         const program::Program& program);

/** Checks, binds and compiles; every parameter is 0. */
std::unique_ptr<Fit::State> make_state(std::shared_ptr<const Model::Parsed> parsed, const Data& data,
                                       const FitOptions& options, const compiler::EmitStage& emit = {});

/** Draws of the program's guide (and predict block) at the fit's parameters, or of other data. */
struct DrawRequest {
  std::int64_t draws = 1000; ///< 0: 100 to 4000, fewer when there are many numbers
  bool local = false;
  bool predict = false;
  bool must_draw = false; ///< nothing to draw is an error
  bool at_points = false; ///< of the guide itself, whatever stands for the posterior after the fit
};
/** With `parameter_values`, these receive the constrained values of declared parameters, as arrays of one
 * draw. */
std::vector<DrawnArray> draw(const Fit::State& state, const BoundProgram& bound, const DrawRequest& request,
                             std::vector<DrawnArray>* parameter_values = nullptr);

/** What reading the data left out, a line for each file. */
std::vector<std::string> data_notes(const runtime::Dataset& dataset);

/** The values that the fit ends with (average.hpp), as a graph of the same program reads them: matched by
 * name.
 * \throws Error(Fault::data) when a plate-local parameter has other rows. */
std::vector<void*> match_parameters(const Fit::State& state, const BoundProgram& bound,
                                    const ir::Graph& graph);

/** What went wrong in step `step`: the first site whose value or density is not finite. */
std::string explain_failure(const Fit::State& state, std::int64_t step);

} // namespace session
} // namespace plait
