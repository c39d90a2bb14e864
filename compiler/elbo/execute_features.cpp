#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"

#include <algorithm>
#include <set>

namespace plait::elbo {

using catalog::as_integer;
using catalog::as_real;
using ir::Extent;
using ir::Value;
using program::Frame;

namespace {

/** All elements as one vector; null when their number is not known. */
Value flat(Value value) {
  ir::Builder& builder = value.builder();
  std::int64_t elements = 1;
  for (const Extent& extent : value.type().shape) {
    if (!extent.is_known())
      return {};
    elements *= extent.value;
  }
  return builder.reshape(value, {Extent::known(elements)});
}

/** Whether every frame of `outer` is one of `inner`. */
bool lies_in(const std::vector<Frame>& outer, const std::vector<Frame>& inner) {
  return std::all_of(outer.begin(), outer.end(), [&](const Frame& frame) {
    return std::find(inner.begin(), inner.end(), frame) != inner.end();
  });
}

} // namespace

/** Means of the first dimension's elements that exist, of their squares where they are real numbers, and the
 * logarithm of 1 + their number: what elements that the model exchanges or visits in turn have in common. */
void Executor::add_summary(Value elements, bool is_real, Value count, Values& parts) {
  const Extent extent = elements.type().shape.front();
  const ir::NodeId loop = builder_->begin_loop(extent, false, {});
  const Value here = builder_->loop_index(loop);
  const Value position = builder_->finish_loop(loop, {}, std::span(&here, 1), {}).stacked.at(0);
  Value exists = ir::less(position, count);
  for (std::size_t dim = 1; dim < elements.type().shape.size(); ++dim)
    exists = builder_->expand(exists, static_cast<std::int32_t>(dim), elements.type().shape[dim]);
  const Value number = ir::to_real(count);
  const auto mean = [&](Value value) {
    value = ir::select(exists, value, builder_->real(0));
    return builder_->sum(value, {}, {0}) / ir::maximum(number, builder_->real(1));
  };
  std::vector<Value> found{mean(elements)};
  if (is_real)
    found.push_back(mean(ir::square(elements)));
  found.push_back(ir::log1p(number));
  for (Value part : found)
    if (const Value vector = flat(part))
      parts.push_back(vector);
}

bool Executor::add_features(const program::Index& index, program::SymbolId data,
                            const std::vector<Frame>& site_frames, Values& parts) {
  std::vector<Frame> plates = site_frames;
  std::erase_if(plates, [](const Frame& frame) { return frame.kind != Frame::Kind::plate; });
  // Subscripts that name open indices lead to the elements of this site's own plates.
  const auto frame_of = [&](const program::Subscript& subscript) -> std::optional<Frame> {
    const auto* name = subscript.kind == program::Subscript::Kind::element
                           ? program::get_if<program::Name>(subscript.element)
                           : nullptr;
    if (!name)
      return std::nullopt;
    const program::Symbol& symbol = program_->symbol(name->symbol);
    if (symbol.kind == program::SymbolKind::plate_index)
      return Frame{Frame::Kind::plate, symbol.frame_id};
    if (symbol.kind == program::SymbolKind::loop_index)
      return Frame{Frame::Kind::loop, symbol.frame_id};
    return std::nullopt;
  };
  Value value = data_value(data);
  std::vector<Frame> taken;
  std::size_t next = 0;
  // Loops of the site itself are entered below: the row as a whole is summarized first.
  for (; next < index.subscripts.size(); ++next) {
    const auto frame = frame_of(index.subscripts[next]);
    if (!frame || frame->kind != Frame::Kind::plate || !lies_in({*frame}, plates))
      break;
    value = builder_->gather(value, integer(index.subscripts[next].element), 0);
    taken.push_back(*frame);
  }
  if (!lies_in(plates, taken))
    return false; // it reaches these plates through an index: their elements have no data of their own
  const program::Type& type = program_->symbol(data).type;
  const bool is_index = type.element == program::Element::index && type.index_size.has_value();
  const auto numbers = [&](Value raw) {
    if (!is_index)
      return as_real(raw);
    // One coordinate for each of the values it can take.
    const Extent size = sizes_->extent(*type.index_size);
    const auto last = static_cast<std::int32_t>(raw.type().shape.size());
    const std::vector<Extent> shape = raw.type().shape;
    Value number = catalog::iota(*builder_, catalog::known(size));
    for (std::size_t k = 0; k < shape.size(); ++k)
      number = builder_->expand(number, static_cast<std::int32_t>(k), shape[k]);
    return ir::to_real(ir::equal(builder_->expand(as_integer(raw), last, size), number));
  };
  const auto inner = next < index.subscripts.size() ? frame_of(index.subscripts[next]) : std::nullopt;
  if (!inner) {
    if (next == index.subscripts.size())
      if (const Value vector = flat(numbers(value)))
        parts.push_back(vector);
    return true;
  }
  const Value count = inner->kind == Frame::Kind::loop ? integer(program_->loop(inner->id).upper)
                                                       : dim_value(program_->plate(inner->id).size);
  add_summary(numbers(value), !is_index && type.element == program::Element::real, count, parts);
  // In the site's own loop, the data of this iteration too.
  const bool own_loop = lies_in({*inner}, site_frames);
  if (!own_loop || inner->kind != Frame::Kind::loop || index.subscripts.size() != next + 1)
    return true;
  value = builder_->gather(value, integer(index.subscripts[next].element), 0);
  if (const Value vector = flat(numbers(value)))
    parts.push_back(vector);
  return true;
}

std::optional<Value> Executor::features_of(const program::Sample& site) {
  if (std::none_of(site.frames.begin(), site.frames.end(),
                   [](const Frame& frame) { return frame.kind == Frame::Kind::plate; }))
    return std::nullopt;
  Values parts;
  bool observes = false;
  std::set<program::SymbolId> seen;
  const auto look_at = [&](const auto& self, const program::ExprPtr& expr, bool observed) -> void {
    if (!expr)
      return;
    if (const auto* index = program::get_if<program::Index>(expr)) {
      const auto* base = program::get_if<program::Name>(index->base);
      if (base && program_->symbol(base->symbol).kind == program::SymbolKind::data) {
        const std::size_t before = parts.size();
        if (!seen.contains(base->symbol) && add_features(*index, base->symbol, site.frames, parts) &&
            parts.size() > before)
          seen.insert(base->symbol);
        observes = observes || (observed && seen.contains(base->symbol));
      }
    }
    const bool is_index = program::get_if<program::Index>(expr) != nullptr; // subscripts are no observations
    for (const program::ExprPtr& part : parts_of(*expr))
      self(self, part, observed && !is_index);
  };
  program::for_each_statement(program_->model, [&](const program::Statement& statement) {
    if (const auto* sample = program::get_if<program::Sample>(statement)) {
      look_at(look_at, sample->value, sample->observed);
      for (const program::ExprPtr& argument : program::reads_of(*sample))
        look_at(look_at, argument, false);
    } else if (const auto* assign = program::get_if<program::Assign>(statement)) {
      look_at(look_at, assign->value, false);
    } else if (const auto* branch = program::get_if<program::IfStatement>(statement)) {
      look_at(look_at, branch->condition, false);
    } else if (const auto* factor = program::get_if<program::FactorStatement>(statement)) {
      look_at(look_at, factor->value, true);
    }
  });
  if (!observes)
    return std::nullopt;    // covariates alone do not tell one element's latents from another's
  for (Value& part : parts) // a part from the data alone may lack the open plates
    part = builder_->broadcast(part, ir::unite(part.type().axes, open_axes()), ir::Type(part.type()).shape);
  return parts.size() == 1 ? parts.front() : builder_->concat(parts, 0);
}

} // namespace plait::elbo
