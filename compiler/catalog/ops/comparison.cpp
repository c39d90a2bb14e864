#include "compiler/catalog/ops/row.hpp"

namespace plait::op {

namespace {

using ir::Comparison;

/** Compares as machines do: false when either is NaN, except not_equal. */
template <Comparison comparison>
double compare_numbers(Numbers in) {
  switch (comparison) {
  case Comparison::equal:
    return in[0] == in[1];
  case Comparison::not_equal:
    return in[0] != in[1];
  case Comparison::less:
    return in[0] < in[1];
  case Comparison::less_equal:
    return in[0] <= in[1];
  case Comparison::greater:
    return in[0] > in[1];
  case Comparison::greater_equal:
    return in[0] >= in[1];
  }
}

template <Comparison comparison>
consteval Op real_row(std::string_view name) {
  return {
      .name = name,
      .arity = 2,
      .result = ResultRule::real_comparison,
      .evaluate = &compare_numbers<comparison>,
      .derivative = not_differentiable,
      .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.compare(comparison, in[0], in[1]); },
      .samples = ir::SampleRange{-2, 2},
  };
}

template <Comparison comparison>
consteval Op integer_row(std::string_view name) {
  return {
      .name = name,
      .arity = 2,
      .result = ResultRule::integer_comparison,
      .evaluate = &compare_numbers<comparison>,
      .derivative = not_differentiable,
      .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.integer_compare(comparison, in[0], in[1]); },
      .samples = ir::SampleRange{-3, 3},
  };
}

} // namespace

constinit const Op less = real_row<Comparison::less>("less");
constinit const Op less_equal = real_row<Comparison::less_equal>("less_equal");
constinit const Op greater = real_row<Comparison::greater>("greater");
constinit const Op greater_equal = real_row<Comparison::greater_equal>("greater_equal");
constinit const Op equal = real_row<Comparison::equal>("equal");
constinit const Op not_equal = real_row<Comparison::not_equal>("not_equal");

constinit const Op integer_less = integer_row<Comparison::less>("integer_less");
constinit const Op integer_less_equal = integer_row<Comparison::less_equal>("integer_less_equal");
constinit const Op integer_greater = integer_row<Comparison::greater>("integer_greater");
constinit const Op integer_greater_equal = integer_row<Comparison::greater_equal>("integer_greater_equal");
constinit const Op integer_equal = integer_row<Comparison::equal>("integer_equal");
constinit const Op integer_not_equal = integer_row<Comparison::not_equal>("integer_not_equal");

constinit const Op logical_and = {
    .name = "logical_and",
    .arity = 2,
    .result = ResultRule::boolean,
    .evaluate = +[](Numbers in) { return in[0] != 0 && in[1] != 0 ? 1.0 : 0.0; },
    .derivative = not_differentiable,
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.mask_and(in[0], in[1]); },
    .samples = ir::SampleRange{0, 1},
};

constinit const Op logical_or = {
    .name = "logical_or",
    .arity = 2,
    .result = ResultRule::boolean,
    .evaluate = +[](Numbers in) { return in[0] != 0 || in[1] != 0 ? 1.0 : 0.0; },
    .derivative = not_differentiable,
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.mask_or(in[0], in[1]); },
    .samples = ir::SampleRange{0, 1},
};

constinit const Op logical_not = {
    .name = "logical_not",
    .arity = 1,
    .result = ResultRule::boolean,
    .evaluate = +[](Numbers in) { return in[0] == 0 ? 1.0 : 0.0; },
    .derivative = not_differentiable,
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.mask_not(in[0]); },
    .samples = ir::SampleRange{0, 1},
};

// The derivative flows to the branch taken. A branch not taken that computes NaN or infinity from its inputs
// still multiplies a zero derivative by it: guard its argument with a select of its own.
constinit const Op select = {
    .name = "select",
    .arity = 3,
    .result = ResultRule::select,
    .evaluate = +[](Numbers in) { return in[0] != 0 ? in[1] : in[2]; },
    .derivative =
        +[](Builder& builder, Value grad, Value, Values in) {
          const Value zero = builder.real(0);
          return Derivatives{std::nullopt, ir::select(in[0], grad, zero), ir::select(in[0], zero, grad)};
        },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.select(in[0], in[1], in[2]); },
    .samples = ir::SampleRange{0, 1},
};

} // namespace plait::op
