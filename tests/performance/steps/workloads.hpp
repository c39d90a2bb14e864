/** \file
 * The measured models with their data: once as `plait fit` is given it, once as the hand-written step reads
 * it.
 */
#pragma once

#include "plait/plait.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace plait::performance {

/** One hand-written training step; returns the ELBO estimate. */
using HandStep = std::function<double(std::uint32_t step)>;

struct Workload {
  std::string name;
  std::string model; ///< path of the model file
  std::string shape; ///< sizes and origin of the data, for the table
  Data data;
  FitOptions options;
  double tolerance = 1e-9; ///< largest relative difference of the ELBO over the first steps
  std::function<HandStep(int threads)> make_step;
};

std::vector<std::string> workload_names();

/** Real data where `data_folder` has it (see README), else synthetic data of the same shape.
 * \throws std::invalid_argument for an unknown name. */
Workload make_workload(const std::string& name, const std::string& source_folder,
                       const std::string& data_folder);

} // namespace plait::performance
