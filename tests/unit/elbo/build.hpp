/** \file
 * From program text to numbers, by the interpreter: what the tests of the objective share.
 */
#pragma once

#include "compiler/elbo/build_step.hpp"
#include "compiler/program/check.hpp"
#include "compiler/tensor_ir/interpret.hpp"
#include "grammar/parse.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <string>
#include <vector>

namespace plait::test {

struct Setting {
  std::map<std::string, std::int64_t> sizes;
  std::map<std::string, std::vector<double>> data;
  std::map<std::string, ir::DataInput> ragged;
  elbo::ElboOptions options;
};

/** Ragged data of one number for each element. */
template <class Number>
ir::DataInput ragged_input(const std::vector<std::vector<Number>>& rows) {
  ir::DataInput input;
  for (const auto& row : rows) {
    input.offsets.push_back(static_cast<std::int64_t>(input.numbers.size()));
    input.lengths.push_back(static_cast<std::int64_t>(row.size()));
    input.numbers.insert(input.numbers.end(), row.begin(), row.end());
  }
  return input;
}

/** Numbers of a stored parameter: every row of its plates. */
inline std::size_t stored_size(const ir::Graph& graph, const ir::Parameter& parameter,
                               const std::map<std::string, std::int64_t>& extents) {
  std::int64_t size = 1;
  const auto multiply = [&](const ir::Extent& extent) {
    size *= extent.is_known() ? extent.value : extents.at(ir::to_string(extent));
  };
  for (ir::AxisId axis : parameter.axes)
    multiply(graph.axis(axis).population);
  for (const ir::Extent& extent : parameter.shape)
    multiply(extent);
  return static_cast<std::size_t>(size);
}

/** The typed program of a text that is right; `sizes` as `--set` gives them. */
inline program::Program checked(const Source& source, const std::map<std::string, std::int64_t>& sizes,
                                Diagnostics& diagnostics) {
  const ast::Program file = parse(source, diagnostics);
  auto program = program::check(file, {{}, sizes}, diagnostics);
  INFO(render(source, diagnostics));
  REQUIRE(!diagnostics.has_errors());
  REQUIRE(program);
  return std::move(*program);
}

/** Why a program that is right has no such objective. */
inline std::string refusal(const std::string& text, const std::map<std::string, std::int64_t>& sizes,
                           const elbo::ElboOptions& options = {}) {
  const Source source{"test.ppl", text};
  Diagnostics diagnostics;
  const program::Program program = checked(source, sizes, diagnostics);
  CHECK_FALSE(elbo::build_elbo(program, options, diagnostics));
  return render(source, diagnostics);
}

/** An objective with its gradients, ready to be interpreted. */
class Objective {
public:
  Objective(const std::string& text, Setting setting) : setting_(std::move(setting)) {
    source_ = {"test.ppl", text};
    Diagnostics diagnostics;
    program_ = checked(source_, setting_.sizes, diagnostics);
    elbo_ = elbo::build_elbo(*program_, setting_.options, diagnostics);
    INFO(render(source_, diagnostics));
    REQUIRE(elbo_);
    elbo::add_gradient_outputs(*elbo_);
    for (const auto& [name, value] : elbo_->latents)
      elbo_->builder->output({ir::OutputKind::value, name, value.id(), -1, -1});
    inputs.extents = setting_.sizes;
    for (const ir::DataArray& array : elbo_->graph->data) {
      if (setting_.ragged.contains(array.name))
        inputs.data.push_back(setting_.ragged.at(array.name));
      else
        inputs.data.push_back({setting_.data.at(array.name), {}, {}});
    }
    inputs.parameters.resize(elbo_->graph->parameters.size());
    for (std::size_t k = 0; k < inputs.parameters.size(); ++k)
      if (!elbo_->parameters->at(static_cast<std::int32_t>(k)).learnable)
        inputs.parameters[k].assign(stored_size(*elbo_->graph, elbo_->graph->parameters[k], setting_.sizes),
                                    0.0);
    inputs.rows.resize(elbo_->graph->minibatches.size());
    inputs.inputs["kl_weight"] = 1;
    inputs.seed = 17;
  }

  const ir::Graph& graph() const { return *elbo_->graph; }
  const elbo::Elbo& elbo() const { return *elbo_; }

  void set_parameter(const std::string& name, std::vector<double> unconstrained) {
    inputs.parameters.at(static_cast<std::size_t>(elbo_->parameters->find(name))) = std::move(unconstrained);
  }
  const std::vector<double>& parameter(const std::string& name) const {
    return inputs.parameters.at(static_cast<std::size_t>(elbo_->parameters->find(name)));
  }
  void set_rows(std::size_t minibatch, std::vector<std::uint32_t> rows) {
    inputs.extents[ir::to_string(graph().minibatches.at(minibatch).rows)] =
        static_cast<std::int64_t>(rows.size());
    inputs.rows.at(minibatch) = std::move(rows);
  }

  struct Value {
    double elbo = 0;
    std::map<std::string, std::vector<double>> gradient; ///< of the ELBO: minus the gradient of the loss
    std::map<std::string, std::vector<double>> draws;    ///< of the latents
  };
  Value evaluate() const {
    const ir::Results results = ir::interpret(graph(), inputs);
    Value value;
    value.elbo = results.number(graph(), "elbo");
    for (std::size_t k = 0; k < graph().outputs.size(); ++k)
      if (graph().outputs[k].kind == ir::OutputKind::gradient) {
        std::vector<double> gradient = results.outputs[k].numbers;
        for (double& number : gradient)
          number = -number;
        value.gradient[graph().outputs[k].name] = std::move(gradient);
      } else if (graph().outputs[k].kind == ir::OutputKind::value) {
        value.draws[graph().outputs[k].name] = results.outputs[k].numbers;
      }
    return value;
  }

  /** Mean and standard error over many draws. */
  struct Mean {
    double elbo = 0, elbo_error = 0;
    std::map<std::string, std::vector<double>> gradient, error, variance;
  };
  Mean average(int draws) {
    Mean mean;
    double squares = 0;
    for (int draw = 0; draw < draws; ++draw) {
      inputs.step = static_cast<std::uint32_t>(draw);
      const Value value = evaluate();
      mean.elbo += value.elbo / draws;
      squares += value.elbo * value.elbo / draws;
      for (const auto& [name, gradient] : value.gradient) {
        mean.gradient[name].resize(gradient.size());
        mean.variance[name].resize(gradient.size());
        for (std::size_t k = 0; k < gradient.size(); ++k) {
          mean.gradient[name][k] += gradient[k] / draws;
          mean.variance[name][k] += gradient[k] * gradient[k] / draws;
        }
      }
    }
    mean.elbo_error = std::sqrt(std::max(0.0, squares - mean.elbo * mean.elbo) / draws);
    for (auto& [name, variance] : mean.variance)
      for (std::size_t k = 0; k < variance.size(); ++k) {
        variance[k] -= mean.gradient[name][k] * mean.gradient[name][k];
        mean.error[name].push_back(std::sqrt(std::max(0.0, variance[k]) / draws));
      }
    return mean;
  }

  ir::Inputs inputs;

private:
  Setting setting_;
  Source source_;
  std::optional<program::Program> program_;
  std::optional<elbo::Elbo> elbo_;
};

} // namespace plait::test
