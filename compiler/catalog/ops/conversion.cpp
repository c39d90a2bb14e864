#include "compiler/catalog/ops/row.hpp"

#include <algorithm>
#include <cmath>

namespace plait::op {

constinit const Op to_real = {
    .name = "to_real",
    .arity = 1,
    .result = ResultRule::to_real,
    .evaluate = +[](Numbers in) { return in[0]; },
    .derivative = not_differentiable,
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.to_real(in[0]); },
    .samples = ir::SampleRange{-50, 50},
};

// Truncates; the nearest 32-bit integer where there is none, 0 for NaN.
constinit const Op to_integer = {
    .name = "to_integer",
    .arity = 1,
    .result = ResultRule::to_integer,
    .evaluate =
        +[](Numbers in) {
          return std::isnan(in[0]) ? 0.0 : std::clamp(std::trunc(in[0]), -2147483648.0, 2147483647.0);
        },
    .derivative = not_differentiable,
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.to_integer(in[0]); },
    .samples = ir::SampleRange{-50, 50},
};

// The value of x, held constant by differentiation.
constinit const Op stop_gradient = {
    .name = "stop_gradient",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return in[0]; },
    .derivative = not_differentiable,
    .lower = +[](LaneBuilder&, Lanes in) { return in[0]; },
    .samples = ir::SampleRange{-10, 10},
};

} // namespace plait::op
