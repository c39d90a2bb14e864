/** \file
 * The list of distributions. A new one is a file beside this one and a line here.
 */
#pragma once

#include "compiler/catalog/distribution.hpp"

#define PLAIT_DISTRIBUTIONS(ROW)                                                                             \
  ROW(bernoulli)                                                                                             \
  ROW(bernoulli_logit)                                                                                       \
  ROW(beta)                                                                                                  \
  ROW(beta_binomial)                                                                                         \
  ROW(binomial)                                                                                              \
  ROW(binomial_logit)                                                                                        \
  ROW(categorical)                                                                                           \
  ROW(categorical_logit)                                                                                     \
  ROW(cauchy)                                                                                                \
  ROW(delta)                                                                                                 \
  ROW(dirichlet)                                                                                             \
  ROW(dirichlet_multinomial)                                                                                 \
  ROW(exponential)                                                                                           \
  ROW(gamma)                                                                                                 \
  ROW(geometric)                                                                                             \
  ROW(gumbel)                                                                                                \
  ROW(half_cauchy)                                                                                           \
  ROW(half_normal)                                                                                           \
  ROW(half_student_t)                                                                                        \
  ROW(inverse_gamma)                                                                                         \
  ROW(laplace)                                                                                               \
  ROW(lkj_corr_cholesky)                                                                                     \
  ROW(logistic)                                                                                              \
  ROW(lognormal)                                                                                             \
  ROW(multinomial)                                                                                           \
  ROW(multivariate_normal)                                                                                   \
  ROW(negative_binomial)                                                                                     \
  ROW(negative_binomial_log)                                                                                 \
  ROW(normal)                                                                                                \
  ROW(ordered_logistic)                                                                                      \
  ROW(pareto)                                                                                                \
  ROW(poisson)                                                                                               \
  ROW(poisson_log)                                                                                           \
  ROW(student_t)                                                                                             \
  ROW(uniform)                                                                                               \
  ROW(weibull)                                                                                               \
  ROW(zero_inflated_poisson)

namespace plait::catalog::row {

#define PLAIT_DECLARE_ROW(name) extern const Distribution name;
PLAIT_DISTRIBUTIONS(PLAIT_DECLARE_ROW)
#undef PLAIT_DECLARE_ROW

} // namespace plait::catalog::row
