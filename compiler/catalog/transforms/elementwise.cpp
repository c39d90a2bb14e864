#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/transforms/rows.hpp"

namespace plait::catalog {
namespace {

using ir::Builder;
using ir::Value;
using Values = std::span<const Value>;
using Parameters = std::vector<DistributionParameter>;

Parameters no_parameters() {
  return {};
}

std::optional<Support> from_real(const Support& domain, SupportKind image) {
  return domain.kind == SupportKind::real ? std::optional(Support{image}) : std::nullopt;
}

// y = exp(x), log |dy/dx| = x.
Moved exp_forward(Builder&, Value x, Values, const Shape&) {
  return {exp(x), x};
}
Moved exp_backward(Builder&, Value y, Values) {
  const Value x = log_clamped(y);
  return {x, x};
}

// y = 1 / (1 + e^-x), log |dy/dx| = log y + log(1 - y) = x - 2 softplus(x).
Moved sigmoid_forward(Builder&, Value x, Values, const Shape&) {
  return {sigmoid(x), x - 2.0 * softplus(x)};
}
Moved sigmoid_backward(Builder&, Value y, Values) {
  const Value log_yes = log_clamped(y);
  const Value log_no = log_one_minus(y);
  return {log_yes - log_no, log_yes + log_no};
}

// y = log(1 + e^x), dy/dx = sigmoid(x) = 1 - e^-y.
Moved softplus_forward(Builder&, Value x, Values, const Shape&) {
  return {softplus(x), log_sigmoid(x)};
}
Moved softplus_backward(Builder&, Value y, Values) {
  const Value log_slope = log1m_exp(-y);
  return {y + log_slope, log_slope}; // x = log(e^y - 1)
}

Parameters affine_parameters() {
  return {{"loc"}, {"scale", SupportKind::positive}};
}
// y = loc + scale x, log |dy/dx| = log scale. The scale may vary over axes that the value does not have.
Moved affine_forward(Builder&, Value x, Values p, const Shape& shape) {
  const Value scale = p[1];
  return {p[0] + scale * x, fill(log(scale), shape)};
}
Moved affine_backward(Builder&, Value y, Values p) {
  const Value scale = p[1];
  return {(y - p[0]) / scale, fill(log(scale), y.type().shape)};
}

} // namespace

constinit const Transform row::affine_transform = {
    .name = "affine",
    .usage = std::string_view("affine(d, loc, scale)"),
    .meaning = std::string_view("loc + scale x"),
    .parameters = &affine_parameters,
    .event_rank = 0,
    .support = +[](const Support& domain) { return from_real(domain, SupportKind::real); },
    .forward = &affine_forward,
    .backward = &affine_backward,
};

constinit const Transform row::exp_transform = {
    .name = "exp",
    .usage = std::string_view("exp(d)"),
    .meaning = std::string_view("exp(x), positive"),
    .parameters = &no_parameters,
    .event_rank = 0,
    .support = +[](const Support& domain) { return from_real(domain, SupportKind::positive); },
    .forward = &exp_forward,
    .backward = &exp_backward,
};

constinit const Transform row::sigmoid_transform = {
    .name = "sigmoid",
    .usage = std::string_view("sigmoid(d)"),
    .meaning = std::string_view("1 / (1 + exp(-x)), between 0 and 1"),
    .parameters = &no_parameters,
    .event_rank = 0,
    .support = +[](const Support& domain) { return from_real(domain, SupportKind::unit_interval); },
    .forward = &sigmoid_forward,
    .backward = &sigmoid_backward,
};

constinit const Transform row::softplus_transform = {
    .name = "softplus",
    .usage = std::string_view("softplus(d)"),
    .meaning = std::string_view("log(1 + exp(x)), positive"),
    .parameters = &no_parameters,
    .event_rank = 0,
    .support = +[](const Support& domain) { return from_real(domain, SupportKind::positive); },
    .forward = &softplus_forward,
    .backward = &softplus_backward,
};

} // namespace plait::catalog
