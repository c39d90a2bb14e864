// The folder a fit leaves behind, RUN:
//   manifest.json       what was run: model, seed, options, data, versions
//   model.ppl           the model file's text as it was run
//   params.safetensors  the fitted parameters
//   trace.csv           step, elbo, seconds (runtime/trace.hpp)
//   summary.json        how it ended, and what the guide says about each latent
//   state.safetensors   all that going on needs, bit for bit
// Every file is replaced whole. All functions here throw StorageError.
#pragma once

#include "runtime/dataset.hpp"
#include "runtime/safetensors.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace plait::runtime {

struct RunFolder {
  std::string path;
  std::string manifest() const { return path + "/manifest.json"; }
  std::string model() const { return path + "/model.ppl"; }
  std::string parameters() const { return path + "/params.safetensors"; }
  std::string trace() const { return path + "/trace.csv"; }
  std::string summary() const { return path + "/summary.json"; }
  std::string state() const { return path + "/state.safetensors"; }
};

struct Manifest {
  std::string model_file; ///< as named on the command line
  std::string model_text;
  std::uint64_t seed = 0;
  std::int64_t steps = 0; ///< steps asked for
  std::map<std::string, std::string>
      options; ///< everything else that decides the numbers, such as the optimizer
  /// How the start came about: which of several it is, the files it was read from. No part of what is
  /// compared, as a run that goes on starts no more.
  std::map<std::string, std::string> start;
  std::map<std::string, std::int64_t> constants;          ///< values set on the command line
  std::map<std::string, std::int64_t> sizes;              ///< sizes found by binding
  std::map<std::string, std::vector<std::string>> levels; ///< texts of categorical columns
  std::vector<std::string> data_arguments;
  std::vector<DataFile> data_files;
  std::map<std::string, std::string> versions; ///< program → version
};

void write_manifest(const RunFolder& run, const Manifest& manifest);
/// Also verifies that model.ppl is the text that was run.
Manifest read_manifest(const RunFolder& run);

/// Why a run may not be resumed as `now`: one sentence for each difference in model text, seed, options,
/// constants, data files (by content, not by name) or sizes. More steps than before are no difference.
std::vector<std::string> resume_differences(const Manifest& saved, const Manifest& now);

/// The state between two steps. Random numbers are functions of (seed, step), so these two are all of theirs.
struct FitState {
  std::int64_t step = 0; ///< steps done
  std::uint64_t seed = 0;
  double seconds = 0;                    ///< time spent so far
  std::map<std::string, double> scalars; ///< baselines, smoothed values, step sizes, …; kept bit for bit
  std::vector<Tensor> parameters;        ///< as the step updates them (unconstrained)
  std::vector<Tensor> slots;             ///< of the optimizer
  std::vector<Tensor> averages;          ///< of the iterates: what the run ends with, where it has them
  /// By parameter, what its numbers say: "positive[3]". For other programs that start from them.
  std::map<std::string, std::string> meanings;
};

void write_state(const RunFolder& run, const FitState& state);
FitState read_state(const RunFolder& run);

/// Constrained parameters as users read them.
void write_parameters(const RunFolder& run, const std::vector<Tensor>& parameters, std::int64_t step);
std::vector<Tensor> read_parameters(const RunFolder& run);

/// What the guide says about one scalar element of a latent or predicted quantity.
struct SummaryRow {
  std::string name;                ///< "theta", "a", …
  std::vector<std::int64_t> index; ///< empty for a scalar
  double mean = 0, sd = 0, q05 = 0, q50 = 0, q95 = 0;
};

struct Summary {
  std::string status; ///< "finished", "interrupted" or "failed"
  std::int64_t steps = 0;
  double seconds = 0;
  double elbo = 0, elbo_error = 0;       ///< final estimate and its standard error
  std::map<std::string, double> numbers; ///< whatever else is worth a name
  std::vector<SummaryRow> rows;
};

/// NaN and infinities, which JSON lacks, are written as the texts "NaN", "Infinity" and "-Infinity".
void write_summary(const RunFolder& run, const Summary& summary);
Summary read_summary(const RunFolder& run);

} // namespace plait::runtime
