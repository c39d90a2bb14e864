#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/transforms/rows.hpp"

#include <cmath>

namespace plait::catalog {
namespace {

using ir::Builder;
using ir::Extent;
using ir::Value;
using Values = std::span<const Value>;
using Parameters = std::vector<DistributionParameter>;
using Event = std::vector<std::int64_t>;

Parameters no_parameters() {
  return {};
}

std::optional<Support> from_real(const Support& domain, SupportKind image) {
  return domain.kind == SupportKind::real ? std::optional(Support{image}) : std::nullopt;
}

Value zero_like(Builder& builder, Value x) {
  return builder.broadcast(builder.real(0), x.type().axes, {});
}

// The vector from its last entry to its first: det = ±1.
Moved reversed(Builder& builder, Value x) {
  const std::int64_t size = known(x.type().shape.at(0));
  std::vector<double> positions;
  for (std::int64_t k = size; k-- > 0;)
    positions.push_back(static_cast<double>(k));
  const Value index = builder.literal(ir::Element::integer, {Extent::known(size)}, std::move(positions));
  return {builder.gather(x, index, 0), zero_like(builder, x)};
}

// K independent draws of one density p, in increasing order: density K! prod p(y_k) on increasing y, so that
// the log "determinant" by which the density of the draws is divided is -log K!. Entry k of the order is the
// draw that k others are smaller than.
Moved sorted(Builder& builder, Value x) {
  const std::int64_t size = known(x.type().shape.at(0));
  const Extent extent = Extent::known(size);
  const Value row = builder.expand(x, 1, extent);    // [i, j] = x_i
  const Value column = builder.expand(x, 0, extent); // [i, j] = x_j
  const Value rank = builder.sum_last(as_real(less(column, row)));
  const Value place = builder.expand(as_real(iota(builder, size)), 1, extent); // [k, i] = k
  const Value chosen = as_real(equal(place, builder.expand(rank, 0, extent)));
  return {builder.sum_last(chosen * column),
          builder.broadcast(builder.real(-std::lgamma(static_cast<double>(size) + 1)), x.type().axes, {})};
}

template <SupportKind kind>
Moved to_support(Builder& builder, Value x, Values, const Shape& shape) {
  const Constrained image = constrain(builder, Support{kind}, {}, x, shape);
  return {image.value, image.log_abs_det_jacobian};
}

// u_0 = y_0, u_k = log(y_k - y_{k-1}); log |dy/du| = sum of the u_k, k > 0. Positive: u_0 = log y_0 as well.
Moved from_ordered(Builder& builder, Value y, bool all_positive) {
  const std::int64_t size = known(y.type().shape.at(0));
  const Value first = builder.slice(y, 0, Extent::known(0), Extent::known(1));
  const Value start = all_positive ? log_clamped(first) : first;
  if (size == 1)
    return {start, all_positive ? start : zero_like(builder, y)};
  const Value upper = builder.slice(y, 0, Extent::known(1), Extent::known(size - 1));
  const Value lower = builder.slice(y, 0, Extent::known(0), Extent::known(size - 1));
  const Value steps = log_clamped(upper - lower);
  const std::vector<Value> parts = {start, steps};
  const Value source = builder.concat(parts, 0);
  return {source, builder.sum_last(all_positive ? source : steps)};
}

// Stick breaking backwards (see constrain.cpp): the share of entry k is x_k / (1 - sum before).
Moved from_simplex(Builder& builder, Value y, Values) {
  const std::int64_t size = known(y.type().shape.at(0));
  const Value taken = log_clamped(builder.slice(y, 0, Extent::known(0), Extent::known(size - 1)));
  // What is left after entry k: the sum of the entries behind it, which loses no digits.
  std::vector<double> behind;
  std::vector<double> offset;
  std::vector<double> weight;
  for (std::int64_t k = 0; k + 1 < size; ++k) {
    for (std::int64_t m = 0; m < size; ++m)
      behind.push_back(m > k ? 1 : 0);
    offset.push_back(std::log(static_cast<double>(size - 1 - k)));
    weight.push_back(static_cast<double>(size - 1 - k));
  }
  const Value left = log_clamped(builder.matmul(matrix_literal(builder, std::move(behind), size), y));
  const Value logit = taken - left;
  return {logit + vector_literal(builder, offset),
          builder.sum_last(log_sigmoid(logit) + vector_literal(builder, weight) * log_sigmoid(-logit))};
}

std::optional<Event> one_more(const Event& event, std::string&) {
  return Event{event[0] + 1};
}

std::optional<Event> square(const Event& event, std::string& error) {
  std::int64_t size = 1;
  while (size * (size - 1) / 2 < event[0])
    ++size;
  if (size * (size - 1) / 2 != event[0]) {
    error = "a correlation matrix of K rows is made of K (K - 1) / 2 numbers; " + std::to_string(event[0]) +
            " is none of these";
    return std::nullopt;
  }
  return Event{size, size};
}

} // namespace

constinit const Transform row::reverse_transform = {
    .name = "reverse",
    .usage = std::string_view("reverse(d)"),
    .meaning = std::string_view("a vector from its last entry to its first"),
    .parameters = &no_parameters,
    .event_rank = 1,
    .support =
        +[](const Support& domain) {
          return event_rank(domain.kind) == 0 ? std::optional(domain) : std::nullopt;
        },
    .forward = +[](Builder& builder, Value x, Values, const Shape&) { return reversed(builder, x); },
    .backward = +[](Builder& builder, Value y, Values) { return reversed(builder, y); },
};

constinit const Transform row::ordered_transform = {
    .name = "ordered",
    .usage = std::string_view("ordered(d[K])"),
    .meaning = std::string_view("K independent draws of d in increasing order"),
    .parameters = &no_parameters,
    .event_rank = 1,
    .support = +[](const Support& domain) -> std::optional<Support> {
      if (domain.kind == SupportKind::real)
        return Support{SupportKind::ordered};
      if (domain.kind == SupportKind::positive)
        return Support{SupportKind::positive_ordered};
      return std::nullopt;
    },
    .forward = +[](Builder& builder, Value x, Values, const Shape&) { return sorted(builder, x); },
    .backward = +[](Builder& builder, Value y, Values) -> Moved {
      const auto size = static_cast<double>(known(y.type().shape.at(0)));
      return {y, builder.broadcast(builder.real(-std::lgamma(size + 1)), y.type().axes, {})};
    },
    .exchangeable = true,
};

constinit const Transform row::to_ordered_transform = {
    .name = "to_ordered",
    .usage = std::string_view("to_ordered(d)"),
    .meaning = std::string_view("y_0 = x_0, y_k = y_{k-1} + exp(x_k)"),
    .parameters = &no_parameters,
    .event_rank = 1,
    .support = +[](const Support& domain) { return from_real(domain, SupportKind::ordered); },
    .forward = &to_support<SupportKind::ordered>,
    .backward = +[](Builder& builder, Value y, Values) { return from_ordered(builder, y, false); },
};

constinit const Transform row::to_positive_ordered_transform = {
    .name = "to_positive_ordered",
    .usage = std::string_view("to_positive_ordered(d)"),
    .meaning = std::string_view("y_0 = exp(x_0), y_k = y_{k-1} + exp(x_k)"),
    .parameters = &no_parameters,
    .event_rank = 1,
    .support = +[](const Support& domain) { return from_real(domain, SupportKind::positive_ordered); },
    .forward = &to_support<SupportKind::positive_ordered>,
    .backward = +[](Builder& builder, Value y, Values) { return from_ordered(builder, y, true); },
};

constinit const Transform row::to_simplex_transform = {
    .name = "to_simplex",
    .usage = std::string_view("to_simplex(d[K - 1])"),
    .meaning = std::string_view("stick breaking: K - 1 numbers to a simplex of K"),
    .parameters = &no_parameters,
    .event_rank = 1,
    .support = +[](const Support& domain) { return from_real(domain, SupportKind::simplex); },
    .image_size = &one_more,
    .forward = &to_support<SupportKind::simplex>,
    .backward = &from_simplex,
};

constinit const Transform row::to_cholesky_corr_transform = {
    .name = "to_cholesky_corr",
    .usage = std::string_view("to_cholesky_corr(d[K * (K - 1) / 2])"),
    .meaning = std::string_view("partial correlations tanh(x) to the Cholesky factor of a K x K correlation "
                                "matrix"),
    .parameters = &no_parameters,
    .event_rank = 1,
    .support = +[](const Support& domain) { return from_real(domain, SupportKind::cholesky_corr); },
    .image_size = &square,
    .forward = &to_support<SupportKind::cholesky_corr>,
};

namespace {

Parameters flow_parameters() {
  return {};
}

} // namespace

// Kingma et al. 2016: y_k = x_k exp(s_k) + t_k, where s_k and t_k are functions of x_0 … x_{k-1}.
constinit const Transform row::iaf_transform = {
    .name = "iaf",
    .usage = std::string_view("iaf(d, f, context = h)  or  iaf(d, flows = 1, hidden = H, context = h)"),
    .meaning =
        std::string_view("inverse autoregressive flow: entry k moves by a function of those before it"),
    .parameters = &flow_parameters,
    .event_rank = 1,
    .support = +[](const Support& domain) { return from_real(domain, SupportKind::real); },
    .flow = FlowKind::autoregressive,
};

// Dinh et al. 2017: the first half stays, the second is y = x exp(s) + t, s and t functions of the first.
constinit const Transform row::coupling_transform = {
    .name = "coupling",
    .usage =
        std::string_view("coupling(d, f, context = h)  or  coupling(d, flows = 2, hidden = H, context = h)"),
    .meaning = std::string_view("affine coupling: the second half moves by a function of the first"),
    .parameters = &flow_parameters,
    .event_rank = 1,
    .support = +[](const Support& domain) { return from_real(domain, SupportKind::real); },
    .flow = FlowKind::halves,
};

} // namespace plait::catalog
