#include "compiler/session/state.hpp"

#include "compiler/tensor_ir/interpret.hpp"

#include <fmt/format.h>

#include <cmath>

namespace plait::session {

namespace {

ir::Inputs interpreter_inputs(const Fit::State& state, const ir::Graph& graph, std::int64_t step) {
  ir::Inputs inputs;
  const bool single = state.bound.single_precision;
  for (const ParameterArray& array : state.parameters) {
    std::vector<double> numbers(array.values.bytes() / bytes_of_real(single));
    for (std::size_t k = 0; k < numbers.size(); ++k)
      numbers[k] = read_real(array.values.data(), k, single);
    inputs.parameters.push_back(std::move(numbers));
    inputs.slots.emplace_back();
  }
  for (const runtime::BoundData& data : state.bound.dataset.data) {
    ir::DataInput input;
    input.numbers.resize(static_cast<std::size_t>(data.values.size()));
    data.values.read(0, data.values.size(), input.numbers.data());
    input.offsets = data.starts;
    input.lengths.assign(data.lengths.begin(), data.lengths.end());
    inputs.data.push_back(std::move(input));
  }
  for (std::size_t k = 0; k < graph.minibatches.size(); ++k) {
    inputs.rows.push_back(state.runner->rows(k));
    inputs.extents[ir::to_string(graph.minibatches[k].rows)] =
        static_cast<std::int64_t>(state.runner->rows(k).size());
  }
  for (const auto& [name, size] : state.bound.sizes)
    inputs.extents[name] = size;
  inputs.inputs = {{"step", static_cast<double>(step + 1)}, {"learning_rate", 0.0}, {"kl_weight", 1.0}};
  inputs.seed = state.options.seed;
  inputs.step = static_cast<std::uint32_t>(step);
  inputs.single_precision_noise = single;
  return inputs;
}

std::string place_of(const Model::Parsed& parsed, const ir::Origin& origin) {
  const Position position = parsed.source.position(origin.begin);
  return fmt::format("{}:{}:{}", parsed.source.name, position.line, position.column);
}

/** A site as messages name it; factors have no name of their own. */
std::string shown_site(const std::string& site) {
  return site.starts_with("factor@") ? "factor" : "site " + site;
}

} // namespace

std::string explain_failure(const Fit::State& state, std::int64_t step) {
  const std::string hint =
      step == 0
          ? "\nhint: no step was taken: the fit starts where the objective is not finite; --starts 100 looks "
            "for a start where it is, --init NAME=VALUE gives one"
          : fmt::format("\nhint: the parameters of the step before are kept; try a smaller learning rate{}",
                        state.bound.single_precision ? ", --clip-norm, or --precision f64"
                                                     : " or --clip-norm");
  for (const ParameterArray& array : state.parameters) {
    const std::size_t size = array.values.bytes() / bytes_of_real(state.bound.single_precision);
    for (std::size_t k = 0; k < size; ++k) {
      const double value = read_real(array.values.data(), k, state.bound.single_precision);
      if (!std::isfinite(value))
        return fmt::format(
            "{}: error: step {}: parameter {} became {} at element {}: its gradient overflowed{}",
            state.parsed->source.name, step + 1, array.name, value, k, hint);
    }
  }
  // The parts of the objective tell the site; the values inside it tell why.
  const std::vector<std::string>& parts = state.compiled.native.artifact.scalars;
  std::string site;
  for (std::size_t k = 1; k < parts.size() && site.empty(); ++k)
    if (!std::isfinite(state.runner->scalar(k)))
      site = parts[k].substr(parts[k].rfind(' ') + 1);
  // The same step again, interpreted, looking at the values of every site in the order of the program.
  Diagnostics diagnostics;
  auto elbo =
      elbo::build_elbo(state.bound.checked.program, elbo_options(state.options.compile, true), diagnostics);
  std::string where = site.empty() ? "the objective" : "the density of " + shown_site(site);
  if (elbo) {
    const ir::Graph& graph = *elbo->graph;
    std::vector<ir::NodeId> nodes;
    for (ir::NodeId id : graph.regions[ir::root_region].order)
      if (!graph.node(id).origin.site.empty() && graph.type(id).element == ir::Element::real &&
          (site.empty() || graph.node(id).origin.site == site))
        nodes.push_back(id);
    try {
      const auto values = ir::interpret(graph, interpreter_inputs(state, graph, step), nodes);
      for (std::size_t k = 0; k < nodes.size(); ++k)
        for (std::size_t i = 0; i < values[k].numbers.size(); ++i) {
          const double number = values[k].numbers[i];
          if (std::isfinite(number))
            continue;
          const ir::Node& node = graph.node(nodes[k]);
          std::string text =
              fmt::format("{}: error: step {}: {}: the ELBO is not finite: {} gives {}",
                          place_of(*state.parsed, node.origin), step + 1, shown_site(node.origin.site),
                          node.op ? node.op->name : std::string_view("a density"), number);
          if (node.op && !node.operands.empty()) {
            std::vector<ir::NodeId> operands = node.operands;
            const auto inputs = ir::interpret(graph, interpreter_inputs(state, graph, step), operands);
            text += " at";
            for (const ir::DenseArray& input : inputs)
              text += fmt::format(" {}",
                                  input.numbers.at(input.numbers.size() == values[k].numbers.size() ? i : 0));
          }
          return text + hint;
        }
    } catch (const std::exception& fault) {
      where = fmt::format("the objective ({})", fault.what());
    }
  }
  return fmt::format("{}: error: step {}: {} is {}{}", state.parsed->source.name, step + 1, where,
                     state.runner->scalar(0), hint);
}

} // namespace plait::session
