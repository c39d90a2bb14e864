#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/distribution.hpp"

#include <algorithm>
#include <array>

// KL(q || p) = E_q[log q - log p] in closed form. Each is the negative entropy of q less the expectation
// under q of log p; parameters are those of the rows of the same names.

namespace plait::catalog {
namespace {

using ir::Builder;
using ir::Value;
using Values = std::span<const Value>;

// log(s_p / s_q) + (s_q^2 + (m_q - m_p)^2) / (2 s_p^2) - 1/2
Value normal_normal(Builder&, Values q, Values p) {
  const Value inverse = 1.0 / p[1];
  const Value ratio = q[1] * inverse;
  return 0.5 * (square(ratio) + square((q[0] - p[0]) * inverse)) - (log(ratio) + 0.5);
}

// log(s_p / s_q) + (s_q / s_p)^2 / 2 - 1/2
Value half_normal_half_normal(Builder&, Values q, Values p) {
  const Value ratio = q[0] / p[0];
  return 0.5 * square(ratio) - (log(ratio) + 0.5);
}

// (a_q - a_p) psi(a_q) - log G(a_q) + log G(a_p) + a_p log(b_q / b_p) + a_q (b_p - b_q) / b_q. The same for
// the reciprocals.
Value gamma_of(Value a_q, Value b_q, Value a_p, Value b_p) {
  const Value ratio = b_p / b_q;
  return (a_q - a_p) * digamma(a_q) - lgamma(a_q) + lgamma(a_p) - a_p * log(ratio) + a_q * (ratio - 1.0);
}

Value gamma_gamma(Builder&, Values q, Values p) {
  return gamma_of(q[0], q[1], p[0], p[1]);
}

// exponential(rate) = gamma(1, rate)
Value exponential_gamma(Builder& builder, Values q, Values p) {
  return gamma_of(builder.real(1), q[0], p[0], p[1]);
}
Value gamma_exponential(Builder& builder, Values q, Values p) {
  return gamma_of(q[0], q[1], builder.real(1), p[0]);
}

// r - 1 - log r, r = rate_p / rate_q
Value exponential_exponential(Builder&, Values q, Values p) {
  const Value ratio = p[0] / q[0];
  return ratio - 1.0 - log(ratio);
}

// log B(p) - log B(q) + (a_q - a_p) psi(a_q) + (b_q - b_p) psi(b_q) - (a_q - a_p + b_q - b_p) psi(a_q + b_q)
Value beta_beta(Builder&, Values q, Values p) {
  const Value a = q[0] - p[0];
  const Value b = q[1] - p[1];
  return log_beta_function(p[0], p[1]) - log_beta_function(q[0], q[1]) + a * digamma(q[0]) +
         b * digamma(q[1]) - (a + b) * digamma(q[0] + q[1]);
}

// log G(Q) - log G(P) + sum_k [log G(p_k) - log G(q_k) + (q_k - p_k) (psi(q_k) - psi(Q))], Q = sum_k q_k, P =
// sum_k p_k
Value dirichlet_dirichlet(Builder& builder, Values q, Values p) {
  const Value total = builder.sum_last(q[0]);
  const Value difference = q[0] - p[0];
  const Value terms = lgamma(p[0]) - lgamma(q[0]) + difference * digamma(q[0]);
  return lgamma(total) - lgamma(builder.sum_last(p[0])) + builder.sum_last(terms) -
         builder.sum_last(difference) * digamma(total);
}

// log(s_p / s_q) + |d| / s_p + s_q / s_p exp(-|d| / s_q) - 1, d = m_q - m_p
Value laplace_laplace(Builder&, Values q, Values p) {
  const Value ratio = q[1] / p[1];
  const Value distance = abs(q[0] - p[0]) / q[1];
  return ratio * (distance + exp(-distance)) - log(ratio) - 1.0;
}

// sum over the two outcomes of q log(q / p)
Value bernoulli_of(Value q, Value log_q, Value log_not_q, Value log_p, Value log_not_p) {
  return q * (log_q - log_p) + (1.0 - q) * (log_not_q - log_not_p);
}
Value bernoulli_bernoulli(Builder&, Values q, Values p) {
  return bernoulli_of(q[0], log_clamped(q[0]), log_one_minus(q[0]), log_clamped(p[0]), log_one_minus(p[0]));
}
Value bernoulli_bernoulli_logit(Builder&, Values q, Values p) {
  return bernoulli_of(q[0], log_clamped(q[0]), log_one_minus(q[0]), log_sigmoid(p[0]), log_sigmoid(-p[0]));
}
Value bernoulli_logit_bernoulli(Builder&, Values q, Values p) {
  return bernoulli_of(sigmoid(q[0]), log_sigmoid(q[0]), log_sigmoid(-q[0]), log_clamped(p[0]),
                      log_one_minus(p[0]));
}
Value bernoulli_logit_bernoulli_logit(Builder&, Values q, Values p) {
  return bernoulli_of(sigmoid(q[0]), log_sigmoid(q[0]), log_sigmoid(-q[0]), log_sigmoid(p[0]),
                      log_sigmoid(-p[0]));
}

// sum_k q_k log(q_k / p_k)
Value categorical_of(Builder& builder, Value q, Value log_q, Value log_p) {
  const Shape& left = log_q.type().shape;
  const Shape& right = log_p.type().shape;
  const Shape batch = batch_of(left.size() >= right.size() ? left : right, 1);
  log_p = with_batch(log_p, batch, 1);
  log_q = with_batch(log_q, batch, 1);
  q = with_batch(q, batch, 1);
  return builder.sum_last(q * (log_q - log_p));
}
Value normalized(Builder& builder, Value logits) {
  return logits - spread_last(builder.log_sum_exp_last(logits), logits.type().shape.back());
}
Value categorical_categorical(Builder& builder, Values q, Values p) {
  return categorical_of(builder, q[0], log_clamped(q[0]), log_clamped(p[0]));
}
Value categorical_categorical_logit(Builder& builder, Values q, Values p) {
  return categorical_of(builder, q[0], log_clamped(q[0]), normalized(builder, p[0]));
}
Value categorical_logit_categorical(Builder& builder, Values q, Values p) {
  const Value log_q = normalized(builder, q[0]);
  return categorical_of(builder, exp(log_q), log_q, log_clamped(p[0]));
}
Value categorical_logit_categorical_logit(Builder& builder, Values q, Values p) {
  const Value log_q = normalized(builder, q[0]);
  return categorical_of(builder, exp(log_q), log_q, normalized(builder, p[0]));
}

// rate_q log(rate_q / rate_p) - rate_q + rate_p
Value poisson_poisson(Builder&, Values q, Values p) {
  return x_log_y(q[0], q[0] / p[0]) - q[0] + p[0];
}

// log det L_p - log det L_q + (|L_p^-1 L_q|^2 + |L_p^-1 (m_q - m_p)|^2 - n) / 2, | | the Euclidean norm of
// all entries
Value multivariate_normal_multivariate_normal(Builder& builder, Values q, Values p) {
  Shape batch;
  for (const Values& side : {q, p})
    for (std::size_t k = 0; k < 2; ++k)
      if (const auto& shape = side[k].type().shape; shape.size() - (k + 1) > batch.size())
        batch = batch_of(shape, static_cast<int>(k + 1));
  const Value difference = with_batch(q[0], batch, 1) - with_batch(p[0], batch, 1);
  const auto rank = static_cast<std::int32_t>(batch.size());
  const Value q_factor = with_batch(q[1], batch, 2);
  std::vector<std::int32_t> swapped;
  for (std::int32_t k = 0; k < rank; ++k)
    swapped.push_back(k);
  swapped.insert(swapped.end(), {rank + 1, rank});
  const Value columns = builder.transpose(q_factor, swapped);
  const Value p_factor = p[1].type().shape.size() == 2 ? p[1] : with_batch(p[1], batch, 2);
  const Value spread = builder.sum_last(builder.sum_last(square(solve_vectors(p_factor, columns))));
  const Value shift = builder.sum_last(square(solve_vectors(p_factor, difference)));
  const Value log_dets = builder.sum_last(log(diagonal(p[1]))) - builder.sum_last(log(diagonal(q[1])));
  const auto length = static_cast<double>(known(q[1].type().shape.back()));
  return log_dets + 0.5 * (spread + shift - length);
}

// Sorted by (q, p).
constexpr std::array rows = {
    KlDivergence{"bernoulli", "bernoulli", &bernoulli_bernoulli},
    KlDivergence{"bernoulli", "bernoulli_logit", &bernoulli_bernoulli_logit},
    KlDivergence{"bernoulli_logit", "bernoulli", &bernoulli_logit_bernoulli},
    KlDivergence{"bernoulli_logit", "bernoulli_logit", &bernoulli_logit_bernoulli_logit},
    KlDivergence{"beta", "beta", &beta_beta},
    KlDivergence{"categorical", "categorical", &categorical_categorical},
    KlDivergence{"categorical", "categorical_logit", &categorical_categorical_logit},
    KlDivergence{"categorical_logit", "categorical", &categorical_logit_categorical},
    KlDivergence{"categorical_logit", "categorical_logit", &categorical_logit_categorical_logit},
    KlDivergence{"dirichlet", "dirichlet", &dirichlet_dirichlet},
    KlDivergence{"exponential", "exponential", &exponential_exponential},
    KlDivergence{"exponential", "gamma", &exponential_gamma},
    KlDivergence{"gamma", "exponential", &gamma_exponential},
    KlDivergence{"gamma", "gamma", &gamma_gamma},
    KlDivergence{"half_normal", "half_normal", &half_normal_half_normal},
    KlDivergence{"inverse_gamma", "inverse_gamma", &gamma_gamma},
    KlDivergence{"laplace", "laplace", &laplace_laplace},
    KlDivergence{"lognormal", "lognormal", &normal_normal},
    KlDivergence{"multivariate_normal", "multivariate_normal", &multivariate_normal_multivariate_normal},
    KlDivergence{"normal", "normal", &normal_normal},
    KlDivergence{"poisson", "poisson", &poisson_poisson},
};

} // namespace

std::span<const KlDivergence> kl_divergences() {
  return rows;
}

const KlDivergence* find_kl_divergence(std::string_view q, std::string_view p) {
  const auto place =
      std::ranges::find_if(rows, [&](const KlDivergence& row) { return row.q == q && row.p == p; });
  return place == rows.end() ? nullptr : &*place;
}

} // namespace plait::catalog
