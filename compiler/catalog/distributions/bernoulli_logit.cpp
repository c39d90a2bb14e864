#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"logit"}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value logit = p[0];
  return log_sigmoid((2.0 * as_real(value) - 1.0) * logit);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value logit = p[0];
  return as_integer(less(draws.uniform(shape), sigmoid(logit)));
}

Value entropy(Builder&, Values p) {
  const Value logit = p[0];
  return softplus(logit) - logit * sigmoid(logit);
}

std::optional<Extent> support_size(Values) {
  return Extent::known(2);
}

} // namespace

// p(1) = 1 / (1 + exp(-logit)). Stan: bernoulli_logit. log p(y) = log sigmoid((2y - 1) logit): no
// cancellation.
constinit const Distribution row::bernoulli_logit = {
    .name = "bernoulli_logit",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::bit},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
    .support_size = &support_size,
    .entropy = &entropy,
};

} // namespace plait::catalog
