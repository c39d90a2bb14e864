#include "compiler/elbo/ragged_subset.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/elbo/site_draws.hpp"

namespace plait::elbo {

using ir::AxisId;
using ir::Value;

namespace {

Value smaller(Value a, Value b) {
  return ir::select(ir::less(a, b), a, b);
}

Value drawn_in_row(ir::Builder& builder, AxisId axis, Value length) {
  return smaller(length, builder.extent(builder.graph().axis(axis).extent));
}

} // namespace

Value ragged_scale(ir::Builder& builder, AxisId axis, Value length) {
  const Value drawn = drawn_in_row(builder, axis, length);
  return ir::select(ir::greater(drawn, builder.integer(0)), ir::to_real(length) / ir::to_real(drawn),
                    builder.real(1));
}

RaggedSubset ragged_subset(ir::Builder& builder, AxisId axis, Value row, Value length) {
  const Value place = builder.axis_index(axis);
  SiteDraws draws(builder, "rows of " + builder.graph().axis(axis).name, row, Value());
  const Value scaled = (ir::to_real(place) + draws.uniform({})) * ragged_scale(builder, axis, length);
  // Rounding may reach T itself.
  const Value last = ir::integer_subtract(length, builder.integer(1));
  const Value chosen = smaller(ir::to_integer(scaled), last);
  const Value exists = ir::less(place, drawn_in_row(builder, axis, length));
  const Value whole = ir::less_equal(length, builder.extent(builder.graph().axis(axis).extent));
  const Value element = ir::select(whole, place, chosen);
  // Places that do not exist read element 0, whose terms are left out.
  return {ir::select(exists, element, builder.integer(0)), exists};
}

} // namespace plait::elbo
