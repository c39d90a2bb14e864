/** \file
 * A distribution is one row: parameters with their constraints, support, log density in tensor IR, a sampler,
 * and whether that sampler has a pathwise derivative. Gradients, fusion, vectorization and plates come from
 * the pipeline.
 */
#pragma once

#include "compiler/catalog/support.hpp"
#include "compiler/tensor_ir/build.hpp"
#include "compiler/tensor_ir/op.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace plait::catalog {

struct DistributionParameter {
  std::string_view name;
  SupportKind constraint = SupportKind::real;
  int rank = 0;         ///< event dimensions one parameter value uses
  bool integer = false; ///< trials of binomial and the like
};

enum class Pathwise : std::uint8_t {
  explicit_derivative, ///< the sampler is differentiable in its parameters: loc + scale * noise
  implicit_derivative, ///< through the distribution function: gamma, beta, dirichlet, student_t
  none                 ///< discrete
};

/** Source of a site's randomness. Every call is a new sub-stream of the site, so two draws of one site never
 * repeat numbers. The result has the site's axes and shape `shape`. */
class Draws {
public:
  virtual ~Draws() = default;
  virtual ir::Builder& builder() = 0;
  virtual ir::Value normal(const std::vector<ir::Extent>& shape) = 0;
  virtual ir::Value uniform(const std::vector<ir::Extent>& shape) = 0;
  /** log of a standard gamma draw, differentiable (implicitly) in `alpha`; `alpha` already has shape `shape`.
   */
  virtual ir::Value log_gamma(ir::Value alpha) = 0;
  virtual ir::Value poisson(ir::Value rate) = 0;
  virtual ir::Value binomial(ir::Value trials, ir::Value probability) = 0;
};

struct Distribution {
  std::string_view name;
  ir::Required<std::vector<DistributionParameter> (*)()> parameters;
  ir::Required<int> event_rank; ///< event dimensions of a value
  /** Support given the parameter values (bounds of uniform); for static checks called with empty values. */
  ir::Required<Support> support;
  SupportBounds (*bounds)(std::span<const ir::Value> parameters) = nullptr; ///< interval supports only
  /** log density. Parameters arrive with full batch shape or scalar: rank r parameters have shape batch + r
   * dims (or r dims alone, see `keeps_shared`). Real parameters arrive real, integer ones integer or real.
   * Result: shape of the batch. Discrete values arrive as integers. */
  ir::Required<ir::Value (*)(ir::Builder&, ir::Value value, std::span<const ir::Value> parameters)> log_prob;
  /** A draw of shape `shape` (batch + event). Integer element for discrete supports. */
  ir::Required<ir::Value (*)(Draws&, std::span<const ir::Value> parameters,
                             const std::vector<ir::Extent>& shape)>
      sample;
  ir::Required<Pathwise> pathwise;
  /** Number of values of a finite support for `using enumerate`, from the parameters; empty when infinite. */
  std::optional<ir::Extent> (*support_size)(std::span<const ir::Value> parameters) = nullptr;
  /** Closed-form entropy with the batch shape; null where there is none. */
  ir::Value (*entropy)(ir::Builder&, std::span<const ir::Value> parameters) = nullptr;
  /** The row itself handles parameters of rank >= 1 that the whole batch shares: they are not repeated over
   * it. */
  bool keeps_shared = false;
  /** All mass at one point: the support is that of the argument, whatever `support` says. */
  bool point_mass = false;
};

/** All rows, sorted by name. */
std::span<const Distribution* const> distributions();
/** nullptr when there is no such row. */
const Distribution* find_distribution(std::string_view name);

/** KL(q || p) in closed form. */
struct KlDivergence {
  std::string_view q;
  std::string_view p;
  ir::Required<ir::Value (*)(ir::Builder&, std::span<const ir::Value> q_parameters,
                             std::span<const ir::Value> p_parameters)>
      value;
};
/** All rows, sorted by (q, p). */
std::span<const KlDivergence> kl_divergences();
const KlDivergence* find_kl_divergence(std::string_view q, std::string_view p);

/** The call every stage uses: broadcasts parameters to the batch shape of `value`, then the row's log_prob.
 * Result has the batch shape; sum it for the site's total. */
ir::Value log_prob(ir::Builder& builder, const Distribution& distribution, ir::Value value,
                   std::span<const ir::Value> parameters);
/** Same for a draw of `shape`. */
ir::Value sample(Draws& draws, const Distribution& distribution, std::span<const ir::Value> parameters,
                 const std::vector<ir::Extent>& shape);

/** A position k = 0 … K-1 with probability proportional to exp(log_weights[k]), K known when the program is
 * compiled. */
ir::Value draw_by_log_weights(Draws& draws, ir::Value log_weights);

/** The row's closed-form entropy for a draw of `shape`: parameters broadcast, result of the batch shape.
 * Empty when there is none. */
std::optional<ir::Value> entropy(ir::Builder& builder, const Distribution& distribution,
                                 std::span<const ir::Value> parameters, const std::vector<ir::Extent>& shape);
/** KL(q || p) in closed form for a draw of `shape`: result of the batch shape. Empty when there is none. */
std::optional<ir::Value> kl_divergence(ir::Builder& builder, const Distribution& q,
                                       std::span<const ir::Value> q_parameters, const Distribution& p,
                                       std::span<const ir::Value> p_parameters,
                                       const std::vector<ir::Extent>& shape);

} // namespace plait::catalog
