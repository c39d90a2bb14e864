// Dreams: latents and data drawn from the model itself, and what the guide makes of them.
#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plait::elbo {

using ir::AxisId;
using ir::Value;
using program::Subscript;

void Executor::dream() {
  drawing.simulates = true;
  run(program_->model, Role::predict);
  run(*program_->guide, Role::guide);
}

void Executor::simulate(const program::Sample& sample, const Values& parameters) {
  const program::Symbol& symbol = program_->symbol(sample.symbol);
  Value value = of_symbol(draw_from(sample, parameters).value, symbol);
  if (value.type().element == ir::Element::real)
    value = ir::stop_gradient(value);
  const ir::Type drawn = value.type();
  value = builder_->broadcast(value, ir::unite(drawn.axes, open_axes()), drawn.shape);
  if (sample.observed) {
    note_simulated(sample);
    keep_drawn(sample, value);
    produce(symbol.name, value);
    return;
  }
  bound_[static_cast<std::size_t>(symbol.id)] = value;
  set_where_taken(symbol.name, value);
}

void Executor::note_simulated(const program::Sample& sample) {
  const program::Symbol& data = program_->symbol(sample.symbol);
  const auto refuse = [&](const std::string& reason) {
    throw Unsupported(sample.target_span, fmt::format("simulating {}, {}", data.name, reason));
  };
  if (!conditions_.empty())
    refuse("which is observed under a condition: it is not known what it is elsewhere");
  if (simulated_.contains(data.id))
    refuse("which is observed in more than one place");
  std::vector<Subscript> subscripts;
  if (const auto* index = program::get_if<program::Index>(sample.value))
    subscripts = index->subscripts;
  std::vector<AxisId> dims;
  std::size_t plates = 0, loops = 0;
  for (std::size_t k = 0; k < subscripts.size(); ++k) {
    const program::Dim& size = data.type.dims.at(k);
    const auto* name = subscripts[k].kind == Subscript::Kind::element
                           ? program::get_if<program::Name>(subscripts[k].element)
                           : nullptr;
    const Value index = name ? bound_[static_cast<std::size_t>(name->symbol)] : Value();
    const auto plate = std::find_if(plates_.begin(), plates_.end(), [&](const OpenPlate& open) {
      return index && open.row.id() == index.id();
    });
    if (plate != plates_.end() && program_->plate(plate->id).size == size &&
        std::find(dims.begin(), dims.end(), plate->axis) == dims.end()) {
      dims.push_back(plate->axis);
      ++plates;
      continue;
    }
    const auto open = std::find_if(loops_.begin(), loops_.end(), [&](const OpenLoop& candidate) {
      return index && candidate.index.id() == index.id();
    });
    if (open != loops_.end()) {
      const program::Loop& loop = program_->loop(open->id);
      const auto mark = static_cast<AxisId>(-1 - (open - loops_.begin()));
      if (loop.extent == size && program::constant_value(loop.lower) == 0.0 &&
          std::find(dims.begin(), dims.end(), mark) == dims.end()) {
        dims.push_back(mark);
        ++loops;
        continue;
      }
    }
    refuse("whose subscripts are not the indices of plates and loops that run over all of it");
  }
  if (plates != plates_.size() || loops != loops_.size())
    refuse("which is observed anew in every element of a plate or loop");
  simulated_[data.id] = std::move(dims);
}

bool Executor::is_own_index(const Subscript& subscript, AxisId axis) const {
  const auto* index = subscript.kind == Subscript::Kind::element
                          ? program::get_if<program::Name>(subscript.element)
                          : nullptr;
  const Value row = index ? bound_[static_cast<std::size_t>(index->symbol)] : Value();
  return std::any_of(plates_.begin(), plates_.end(), [&](const OpenPlate& open) {
    return open.axis == axis && row && open.row.id() == row.id();
  });
}

Value Executor::simulated_data(const program::Name& name, std::vector<Subscript>& subscripts, Span span) {
  if (!drawing.simulates)
    return {};
  const program::Symbol& data = program_->symbol(name.symbol);
  if (role_ != Role::guide) {
    bool observed = false;
    program::for_each_statement(program_->model, [&](const program::Statement& statement) {
      if (const auto* sample = program::get_if<program::Sample>(statement))
        observed = observed || (sample->observed && sample->symbol == name.symbol);
    });
    if (observed)
      throw Unsupported(span, fmt::format("simulating {}, which the model reads elsewhere than where it is "
                                          "drawn",
                                          data.name));
    return {};
  }
  const auto found = simulated_.find(name.symbol);
  if (found == simulated_.end())
    return {};
  Value value = results.at(data.name);
  const std::vector<AxisId>& dims = found->second;
  const auto loops =
      static_cast<std::size_t>(std::count_if(dims.begin(), dims.end(), [](AxisId dim) { return dim < 0; }));
  std::vector<AxisId> whole; // plates that are read from outside
  std::vector<std::size_t>
      order; // dimensions that are left: of plates from 0 on, of loops from dims.size() on
  std::vector<Subscript> rest;
  for (std::size_t k = 0; k < std::max(dims.size(), subscripts.size()); ++k) {
    if (k < dims.size() && dims[k] >= 0) {
      if (k < subscripts.size() && is_own_index(subscripts[k], dims[k]))
        continue;
      const ir::Axis axis = builder_->graph().axis(dims[k]);
      if (axis.subsampled || axis.ragged_subset)
        throw Unsupported(span, fmt::format("simulating {}, which the guide reads for other elements of the "
                                            "subsampled plate {} than its own",
                                            data.name, axis.name));
      order.push_back(whole.size());
      whole.push_back(dims[k]);
    } else if (k < dims.size()) {
      order.push_back(dims.size() + static_cast<std::size_t>(-1 - dims[k]));
    }
    if (k < subscripts.size())
      rest.push_back(subscripts[k]);
  }
  for (auto axis = whole.rbegin(); axis != whole.rend(); ++axis)
    value = builder_->axis_to_dim(value, *axis);
  // Now come plates, loops as they are nested, and the dimensions of one value.
  std::vector<std::int32_t> permutation;
  for (const std::size_t dim : order)
    permutation.push_back(
        static_cast<std::int32_t>(dim < dims.size() ? dim : whole.size() + dim - dims.size()));
  for (std::size_t dim = whole.size() + loops; dim < value.type().shape.size(); ++dim)
    permutation.push_back(static_cast<std::int32_t>(dim));
  if (!std::is_sorted(permutation.begin(), permutation.end()))
    value = builder_->transpose(value, permutation);
  subscripts = std::move(rest);
  return value;
}

} // namespace plait::elbo
