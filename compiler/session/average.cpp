#include "compiler/session/average.hpp"

#include <algorithm>
#include <cmath>

namespace plait::session {

double decayed_total(double decay, double steps) {
  return -std::expm1(steps * std::log(decay));
}

bool is_averaged(const Fit::State& state, std::size_t parameter) {
  return state.compiled.slots.average >= 0 && state.step > 0 &&
         state.compiled.parameters[parameter].learnable;
}

const Buffer& result_values(const Fit::State& state, std::size_t parameter) {
  if (!is_averaged(state, parameter))
    return state.parameters[parameter].values;
  if (state.averaged == state.step)
    return state.averages[parameter];
  const elbo::Slots& slots = state.compiled.slots;
  const ir::Graph& graph = state.compiled.native.graph;
  const bool single = state.bound.single_precision;
  const double decay = state.options.average;
  const auto now = static_cast<double>(state.step);
  state.averages.clear();
  for (std::size_t p = 0; p < state.parameters.size(); ++p) {
    const ParameterArray& array = state.parameters[p];
    Buffer& average = state.averages.emplace_back(is_averaged(state, p) ? array.values.bytes() : 0);
    if (average.bytes() == 0)
      continue;
    const Buffer& stored = array.slots[static_cast<std::size_t>(slots.average)];
    std::memcpy(average.data(), stored.data(), average.bytes());
    const std::vector<ir::AxisId>& axes = graph.parameters[p].axes;
    if (std::none_of(axes.begin(), axes.end(), [&](ir::AxisId axis) { return graph.axis(axis).subsampled; }))
      continue;
    // a_T = x + (a_s - x) d^(T-s) (1 - d^s) / (1 - d^T), for a row that stayed at x since step s.
    const Buffer& averaged_to = array.slots[static_cast<std::size_t>(slots.averaged_to)];
    for (std::size_t k = 0; k < element_count(array.shape); ++k) {
      const double last = read_real(averaged_to.data(), k, single);
      if (last == now)
        continue;
      const double value = read_real(array.values.data(), k, single);
      const double kept =
          std::pow(decay, now - last) * decayed_total(decay, last) / decayed_total(decay, now);
      write_real(average.data(), k, value + (read_real(stored.data(), k, single) - value) * kept, single);
    }
  }
  state.averaged = state.step;
  return state.averages[parameter];
}

} // namespace plait::session
