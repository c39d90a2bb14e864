// Where data drawn anew lie: the predict walk's draws of every statement, put together in the order in which
// the data are declared.
#include "compiler/elbo/executor.hpp"
#include "compiler/program/describe.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plait::elbo {

using catalog::as_real;
using ir::AxisId;
using ir::Extent;
using ir::Value;
using program::Subscript;

namespace {

std::vector<Subscript> subscripts_of(const program::Sample& sample) {
  const auto* index = program::get_if<program::Index>(sample.value);
  return index ? index->subscripts : std::vector<Subscript>{};
}

/** How many dimensions of the result a subscript leaves. */
std::size_t dims_left(const Subscript& subscript) {
  return subscript.kind == Subscript::Kind::element ? subscript.element->type.dims.size() : 1;
}

} // namespace

// When the subscripts are the indices of the open plates and loops, each once and all of it, the draws of a
// statement only have to be turned. Loops may begin late: what they leave out is not covered.
std::optional<std::vector<AxisId>> Executor::frames_behind(const program::Sample& sample) const {
  std::vector<program::Dim> sizes = program_->symbol(sample.symbol).type.dims;
  std::vector<AxisId> dims;
  for (const Subscript& subscript : subscripts_of(sample)) {
    const auto* name = subscript.kind == Subscript::Kind::element
                           ? program::get_if<program::Name>(subscript.element)
                           : nullptr;
    const Value index = name ? bound_[static_cast<std::size_t>(name->symbol)] : Value();
    const program::Dim& size = sizes.at(dims.size());
    std::optional<AxisId> mark;
    for (const OpenPlate& plate : plates_)
      if (index && plate.row.id() == index.id() && program_->plate(plate.id).size == size)
        mark = plate.axis;
    for (std::size_t l = 0; l < loops_.size(); ++l)
      if (index && loops_[l].index.id() == index.id() && program_->loop(loops_[l].id).extent == size)
        mark = static_cast<AxisId>(-1) - static_cast<AxisId>(l);
    if (!mark || std::find(dims.begin(), dims.end(), *mark) != dims.end())
      return std::nullopt;
    dims.push_back(*mark);
    for (std::size_t k = dims.size(); k < sizes.size(); ++k)
      program::choose_row(sizes[k], subscript.element, *program_);
  }
  if (dims.size() != plates_.size() + loops_.size())
    return std::nullopt;
  return dims;
}

void Executor::keep_redrawn(const program::Sample& sample, Value value) {
  const program::Symbol& data = program_->symbol(sample.symbol);
  value = as_real(of_symbol(value, data));
  if (value.type().shape.empty())
    value = catalog::fill(value, sizes_->shape(sample.value->type.dims));
  const auto dims = frames_behind(sample);
  if (!dims) {
    scatter_redrawn(sample, value);
    return;
  }
  Redrawn redrawn;
  redrawn.data = data.id;
  redrawn.key = fmt::format("{} drawn at {}", data.name, sample.span.begin);
  redrawn.dims = *dims;
  const bool starts_late = std::any_of(loops_.begin(), loops_.end(), [&](const OpenLoop& loop) {
    return program::constant_value(program_->loop(loop.id).lower) != 0.0;
  });
  redrawn.everywhere = conditions_.empty() && !starts_late;
  produce(redrawn.key, value);
  if (!redrawn.everywhere)
    produce(redrawn.key + covered_suffix, builder_->broadcast(builder_->real(1), open_axes(), {}));
  const auto same_key = [&](const Redrawn& other) { return other.key == redrawn.key; };
  if (std::none_of(redrawn_.begin(), redrawn_.end(), same_key))
    redrawn_.push_back(std::move(redrawn));
}

// Any other subscripts: the draws are added into zeros, one dimension of the data after the other from the
// last to the first, which leaves those before it in their places. A plate is summed over once no subscript
// that is left depends on it; a loop adds up its iterations when it is closed.
void Executor::scatter_redrawn(const program::Sample& sample, Value value) {
  const std::vector<Subscript> subscripts = subscripts_of(sample);
  const std::vector<Extent> shape = sizes_->shape(program_->symbol(sample.symbol).type.dims);
  const std::optional<Value> mask = open_mask();
  std::vector<Value> positions(subscripts.size());
  for (std::size_t k = 0; k < subscripts.size(); ++k)
    if (subscripts[k].kind == Subscript::Kind::element) {
      // What does not exist counts 0 and may stand anywhere inside.
      const Value last = ir::integer_subtract(builder_->extent(shape.at(k)), builder_->integer(1));
      positions[k] = inside(integer(subscripts[k].element), last);
    }
  const auto scattered = [&](Value drawn) {
    const ir::Type type = drawn.type();
    drawn = builder_->broadcast(drawn, ir::unite(type.axes, open_axes()), type.shape);
    if (mask)
      drawn = ir::select(*mask, drawn, builder_->zeros(drawn.type()));
    const auto left_before = [&](std::size_t count) { // axes that the subscripts before `count` depend on
      std::vector<AxisId> axes;
      for (std::size_t k = 0; k < count; ++k)
        if (positions[k])
          axes = ir::unite(axes, positions[k].type().axes);
      return axes;
    };
    for (std::size_t k = subscripts.size(); k-- > 0;) {
      std::int32_t dim = 0;
      for (std::size_t before = 0; before < k; ++before)
        dim += static_cast<std::int32_t>(dims_left(subscripts[before]));
      if (subscripts[k].kind == Subscript::Kind::slice)
        drawn = builder_->pad(drawn, dim, sizes_->extent(subscripts[k].lower), shape.at(k));
      if (!positions[k])
        continue;
      const std::vector<AxisId> axes = drawn.type().axes;
      drawn = builder_->scatter_add(positions[k], drawn, dim, shape.at(k),
                                    ir::subtract(ir::unite(axes, positions[k].type().axes), left_before(k)));
    }
    const std::vector<AxisId> rest = drawn.type().axes;
    return rest.empty() ? drawn : builder_->sum(drawn, rest);
  };
  const Value ones = builder_->broadcast(builder_->real(1), {}, value.type().shape);
  add_scattered(sample.symbol, &Scattered::value, scattered(value));
  add_scattered(sample.symbol, &Scattered::covered, scattered(ones));
}

void Executor::add_scattered(program::SymbolId data, Value Scattered::* part, Value value) {
  Value& slot = scattered_[data].*part;
  slot = slot ? slot + value : value;
}

void Executor::hand_over_scattered(const std::map<program::SymbolId, Scattered>& iteration,
                                   HandedOver& sums) {
  for (const auto& [data, parts] : iteration)
    for (Value Scattered::* part : {&Scattered::value, &Scattered::covered})
      sums.add(parts.*part, [this, data = data, part](Value sum) { add_scattered(data, part, sum); });
}

Value Executor::turned(Value value, const std::vector<AxisId>& dims) {
  std::vector<AxisId> plates;
  std::copy_if(dims.begin(), dims.end(), std::back_inserter(plates), [](AxisId dim) { return dim >= 0; });
  for (auto axis = plates.rbegin(); axis != plates.rend(); ++axis)
    value = builder_->axis_to_dim(value, *axis);
  // Now come plates as the subscripts have them, loops as they are nested, and the dimensions of one value.
  std::vector<std::int32_t> permutation;
  std::int32_t plate = 0;
  for (AxisId dim : dims)
    permutation.push_back(dim >= 0 ? plate++ : static_cast<std::int32_t>(plates.size()) - 1 - dim);
  for (std::size_t k = dims.size(); k < value.type().shape.size(); ++k)
    permutation.push_back(static_cast<std::int32_t>(k));
  return std::is_sorted(permutation.begin(), permutation.end()) ? value
                                                                : builder_->transpose(value, permutation);
}

std::map<program::SymbolId, Executor::RedrawnData> Executor::take_redrawn() {
  std::map<program::SymbolId, RedrawnData> result;
  /** Sets the elements of the data that another part covers. */
  const auto add = [&](program::SymbolId data, Value value, std::optional<Value> covered) {
    RedrawnData& entry = result[data];
    if (!covered) {
      entry = {value, std::nullopt};
      return;
    }
    // Shapes differ in the dimensions of one value: what covers them covers them whole.
    Value whole = *covered;
    const std::vector<Extent> shape = value.type().shape;
    for (std::size_t k = whole.type().shape.size(); k < shape.size(); ++k)
      whole = builder_->expand(whole, static_cast<std::int32_t>(k), shape[k]);
    const Value here = ir::greater(whole, builder_->real(0));
    if (!entry.value) {
      const bool absent = drawing.absent.contains(data);
      entry.value = absent ? builder_->zeros(value.type()) : as_real(data_value(data));
      if (absent)
        entry.exists = builder_->zeros(value.type());
    }
    entry.value = ir::select(here, value, entry.value);
    if (entry.exists)
      entry.exists = ir::select(here, builder_->real(1), *entry.exists);
  };
  for (const Redrawn& part : redrawn_) {
    const auto take = [&](const std::string& key) {
      const Value value = results.at(key);
      results.erase(key);
      return turned(value, part.dims);
    };
    const Value value = take(part.key);
    add(part.data, value,
        part.everywhere ? std::nullopt : std::optional<Value>(take(part.key + covered_suffix)));
  }
  for (const auto& [data, part] : scattered_)
    add(data, part.value, part.covered);
  redrawn_.clear();
  scattered_.clear();
  return result;
}

} // namespace plait::elbo
