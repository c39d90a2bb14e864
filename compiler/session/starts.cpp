#include "compiler/session/starts.hpp"

#include "compiler/session/declared_starts.hpp"
#include "compiler/session/warm_start.hpp"
#include "runtime/bound_shape.hpp"
#include "runtime/rng.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace plait::session {

namespace {

double drawn_start(const catalog::Initializer& initializer, const runtime::DrawPlace& place) {
  const runtime::PhiloxBlock block = runtime::draw_block(place);
  switch (initializer.kind) {
  case catalog::Initializer::Kind::constant:
    return initializer.scale;
  case catalog::Initializer::Kind::uniform:
    return initializer.scale * (2 * runtime::uniform01_32(block[0]) - 1);
  case catalog::Initializer::Kind::normal:
    break;
  }
  return initializer.scale *
         runtime::box_muller(runtime::uniform01_32(block[0]), runtime::uniform01_32(block[1]));
}

} // namespace

Starts::Starts(Fit::State& state) {
  std::vector<runtime::DataFile> files;
  GivenStarts given = read_initial_values(state, files);
  given_ = std::move(given.parameters);
  state.warm_start = take_run(state, given_, files);
  for (const auto& [name, array] : state.options.init.contents().arrays)
    state.start_record["in memory " + name] = runtime::shown_shape(array.shape);
  for (const runtime::DataFile& file : files)
    state.start_record["file " + file.file] = file.fingerprint;
  declared_ = declared_starts(state);
  for (std::size_t p = 0; p < declared_.size(); ++p)
    if (catalog::has_runtime_bounds(state.compiled.parameters[p].support) && !declared_[p].empty())
      given.bounded.push_back(declared_between_bounds(state, p));
  bounded_ = std::make_unique<BoundedStarts>(state, std::move(given.bounded));
}

BoundedStart Starts::declared_between_bounds(const Fit::State& state, std::size_t parameter) {
  const ParameterArray& array = state.parameters[parameter];
  const guide::RegisteredParameter& registered = state.compiled.parameters[parameter];
  const GivenStart& given = given_[parameter];
  std::vector<double>& declared = declared_[parameter];
  BoundedStart start{array.name, registered.support, parameter, true, array.shape, {}, {}};
  start.span = registered.start.expression->span;
  for (std::size_t k = 0; k < element_count(array.shape); ++k) {
    start.values.push_back(declared[k % declared.size()]);
    const bool open = given.numbers.empty() || !given.given[k];
    start.at.push_back(open && !std::isnan(start.values.back()) ? k : BoundedStart::nowhere);
  }
  for (double& number : declared)
    if (std::isnan(number))
      number = 0; // nobody reads it
  return start;
}

void Starts::put(Fit::State& state, std::uint32_t number) const {
  for (std::size_t p = 0; p < state.parameters.size(); ++p) {
    ParameterArray& array = state.parameters[p];
    const GivenStart& given = given_[p];
    const std::vector<double>& declared = declared_[p];
    const catalog::Initializer& initializer = state.compiled.parameters[p].start.initializer;
    const std::uint32_t stream = runtime::site_stream("start " + array.name, 0);
    const std::size_t size = element_count(array.shape);
    for (std::size_t k = 0; k < size; ++k) {
      if (!given.numbers.empty() && given.given[k]) {
        write_real(array.values.data(), k, given.numbers[k], state.bound.single_precision);
        continue;
      }
      const runtime::DrawPlace place{state.options.seed, number, stream, static_cast<std::uint32_t>(k >> 32),
                                     static_cast<std::uint32_t>(k)};
      write_real(array.values.data(), k,
                 declared.empty() ? drawn_start(initializer, place) : declared[k % declared.size()],
                 state.bound.single_precision);
    }
    for (Buffer& slot : array.slots)
      std::memset(slot.data(), 0, slot.bytes());
  }
  bounded_->unconstrain(state);
}

namespace {

/** The objective at the state's parameters: the mean of steps without a learning rate. What a step writes in
 * spite of that, the optimizer's state, running averages, a gradient that is not finite, is put back. */
double objective_here(Fit::State& state) {
  constexpr std::uint32_t estimates = 8;
  std::vector<Buffer> before;
  for (const ParameterArray& array : state.parameters) {
    before.emplace_back(array.values.bytes());
    std::memcpy(before.back().data(), array.values.data(), array.values.bytes());
  }
  double mean = 0;
  for (std::uint32_t step = 0; step < estimates; ++step) {
    for (const auto& [name, value] :
         {std::pair("step", step + 1.0), std::pair("learning_rate", 0.0), std::pair("kl_weight", 1.0)})
      state.runner->set_input(state.runner->input_index(name), value);
    state.runner->run(step);
    mean += state.runner->scalar(0) / estimates;
    for (std::size_t p = 0; p < before.size(); ++p) {
      std::memcpy(state.parameters[p].values.data(), before[p].data(), before[p].bytes());
      for (Buffer& slot : state.parameters[p].slots)
        std::memset(slot.data(), 0, slot.bytes());
    }
  }
  return mean;
}

} // namespace

void choose_start(Fit::State& state) {
  const std::int64_t count = state.options.starts;
  if (count < 1 || count > std::numeric_limits<std::int32_t>::max())
    throw Error(Fault::usage, fmt::format("error: the number of starts must be at least 1, not {}", count));
  const Starts starts(state);
  state.start = {1, count, 0};
  if (count > 1) {
    state.start.elbo = -std::numeric_limits<double>::infinity();
    for (std::int64_t k = 0; k < count; ++k) {
      starts.put(state, static_cast<std::uint32_t>(k));
      const double elbo = objective_here(state);
      if (std::isfinite(elbo) && elbo > state.start.elbo) {
        state.start.number = k + 1;
        state.start.elbo = elbo;
      }
    }
    state.start_record["number"] = fmt::format("{}", state.start.number);
    state.start_record["elbo"] = fmt::format("{}", state.start.elbo);
  }
  starts.put(state, static_cast<std::uint32_t>(state.start.number - 1));
  if (std::isfinite(state.start.elbo))
    return;
  state.runner->run(0);
  starts.put(state, 0);
  throw Error(Fault::inference,
              fmt::format("{}\nnote: none of the {} starts has a finite objective; this is the first",
                          explain_failure(state, 0), count));
}

} // namespace plait::session
