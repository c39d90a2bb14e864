/** \file
 * Exact means and variances of estimators with finite draws: what a step gives is a function of the draws
 * alone, so every outcome is met once and weighed with its probability. No Monte Carlo error is left.
 */
#pragma once

#include "tests/unit/elbo/build.hpp"

#include <cmath>
#include <functional>

namespace plait::test {

using Draws = std::map<std::string, std::vector<double>>;

/** Mean and variance over all outcomes of the draws. `probability` of an outcome; `count` of them are there.
 */
inline Objective::Mean exact_mean(Objective& fit, std::size_t count,
                                  const std::function<double(const Draws&)>& probability) {
  std::map<Draws, Objective::Value> outcomes;
  for (std::uint32_t step = 0; outcomes.size() < count; ++step) {
    REQUIRE(step < 40'000); // an outcome that does not come up in so many draws is not there
    fit.inputs.step = step;
    const Objective::Value value = fit.evaluate();
    const auto [place, is_new] = outcomes.emplace(value.draws, value);
    if (!is_new)
      REQUIRE(place->second.elbo == Approx(value.elbo).epsilon(1e-12));
  }
  Objective::Mean mean;
  double total = 0;
  for (const auto& [draws, value] : outcomes) {
    const double weight = probability(draws);
    total += weight;
    mean.elbo += weight * value.elbo;
    for (const auto& [name, gradient] : value.gradient) {
      mean.gradient[name].resize(gradient.size());
      mean.variance[name].resize(gradient.size());
      for (std::size_t k = 0; k < gradient.size(); ++k) {
        mean.gradient[name][k] += weight * gradient[k];
        mean.variance[name][k] += weight * gradient[k] * gradient[k];
      }
    }
  }
  REQUIRE(total == Approx(1).epsilon(1e-12)); // all outcomes, each once
  for (auto& [name, variance] : mean.variance)
    for (std::size_t k = 0; k < variance.size(); ++k)
      variance[k] -= mean.gradient[name][k] * mean.gradient[name][k];
  return mean;
}

inline double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

/** Probability of a bit under a logit. */
inline double bit(double value, double logit) {
  return value == 1 ? sigmoid(logit) : sigmoid(-logit);
}

inline double log_bit(double value, double logit) {
  return std::log(bit(value, logit));
}

inline double log_normal(double x, double mean, double sd) {
  const double z = (x - mean) / sd;
  return -0.5 * z * z - std::log(sd) - 0.91893853320467274178;
}

/** Derivative of `f` at x in direction k by central differences, with an error of order h^4. */
inline double derivative(const std::function<double(const std::vector<double>&)>& f, std::vector<double> x,
                         std::size_t k) {
  const double h = 1e-3, centre = x[k];
  const auto at = [&](double offset) {
    x[k] = centre + offset;
    return f(x);
  };
  return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
}

/** Fits a program by the interpreter. */
class Trainer {
public:
  Trainer(const std::string& text, Setting setting, const elbo::StepOptions& options) {
    const Source source{"test.ppl", text};
    Diagnostics diagnostics;
    program_ = checked(source, setting.sizes, diagnostics);
    elbo_ = elbo::build_elbo(*program_, setting.options, diagnostics);
    INFO(render(source, diagnostics));
    REQUIRE(elbo_);
    slots_ = elbo::add_update(*elbo_, options).all;
    inputs.extents = setting.sizes;
    for (const ir::DataArray& array : elbo_->graph->data)
      inputs.data.push_back({setting.data.at(array.name), {}, {}});
    inputs.rows.resize(elbo_->graph->minibatches.size());
    inputs.seed = 17;
    for (const ir::Parameter& parameter : elbo_->graph->parameters) {
      const std::vector<double> zeros(stored_size(*elbo_->graph, parameter, setting.sizes));
      inputs.parameters.push_back(zeros);
      inputs.slots.emplace_back(static_cast<std::size_t>(slots_), zeros);
    }
  }

  std::vector<double>& parameter(const std::string& name) {
    return inputs.parameters.at(static_cast<std::size_t>(elbo_->parameters->find(name)));
  }
  bool has_parameter(const std::string& name) const { return elbo_->parameters->find(name) >= 0; }
  void set_rows(std::vector<std::uint32_t> rows) {
    inputs.extents[ir::to_string(elbo_->graph->minibatches.at(0).rows)] =
        static_cast<std::int64_t>(rows.size());
    inputs.rows.at(0) = std::move(rows);
  }

  double step(double learning_rate) {
    const ir::Graph& graph = *elbo_->graph;
    inputs.inputs = {{"step", static_cast<double>(inputs.step + 1)}, {"learning_rate", learning_rate}};
    const ir::Results results = ir::interpret(graph, inputs);
    ++inputs.step;
    for (std::size_t k = 0; k < graph.outputs.size(); ++k) {
      const ir::Output& output = graph.outputs[k];
      const auto index = static_cast<std::size_t>(output.index);
      if (output.kind == ir::OutputKind::store_parameter)
        write(graph, index, inputs.parameters.at(index), results.outputs[k].numbers);
      else if (output.kind == ir::OutputKind::store_slot)
        write(graph, index, inputs.slots.at(index).at(static_cast<std::size_t>(output.slot)),
              results.outputs[k].numbers);
    }
    return results.number(graph, "elbo");
  }

  ir::Inputs inputs;

private:
  /** Rows of a subsampled plate go where they belong. */
  void write(const ir::Graph& graph, std::size_t parameter, std::vector<double>& into,
             const std::vector<double>& numbers) const {
    const std::vector<ir::AxisId>& axes = graph.parameters[parameter].axes;
    if (axes.empty() || !graph.axis(axes.front()).subsampled) {
      into = numbers;
      return;
    }
    const std::vector<std::uint32_t>& rows = inputs.rows.at(0);
    const std::size_t width = numbers.size() / rows.size();
    for (std::size_t row = 0; row < rows.size(); ++row)
      std::copy_n(numbers.begin() + static_cast<std::ptrdiff_t>(row * width), width,
                  into.begin() + static_cast<std::ptrdiff_t>(rows[row] * width));
  }

  std::optional<program::Program> program_;
  std::optional<elbo::Elbo> elbo_;
  int slots_ = 0;
};

} // namespace plait::test
