#include "compiler/elbo/site_draws.hpp"

#include "compiler/catalog/ops.hpp"

#include <fmt/format.h>

namespace plait::elbo {

using ir::Value;

Value SiteDraws::draw(ir::RandomKind kind, std::vector<ir::Extent> shape, std::vector<Value> parameters) {
  // The first draw of a site has the site's own stream; a second one (beta needs two gammas) a stream of its
  // own.
  const std::string stream = draws_ == 0 ? site_ : fmt::format("{}#{}", site_, draws_);
  ++draws_;
  Value base = builder_->integer(0);
  if (iteration_) {
    base = iteration_;
    for (const ir::Extent& extent : shape)
      base = ir::integer_multiply(base, builder_->extent(extent));
  }
  return builder_->random(kind, stream, row_, base, shape, parameters);
}

Value SiteDraws::normal(const std::vector<ir::Extent>& shape) {
  if (still_)
    return builder_->broadcast(builder_->real(0), row_.type().axes, shape);
  return draw(ir::RandomKind::normal, shape, {});
}

Value SiteDraws::uniform(const std::vector<ir::Extent>& shape) {
  return draw(ir::RandomKind::uniform, shape, {});
}

Value SiteDraws::log_gamma(Value alpha) {
  return ir::attach_log_gamma_derivative(alpha, draw(ir::RandomKind::log_gamma, alpha.type().shape, {alpha}));
}

Value SiteDraws::poisson(Value rate) {
  return draw(ir::RandomKind::poisson, rate.type().shape, {rate});
}

Value SiteDraws::binomial(Value trials, Value probability) {
  return draw(ir::RandomKind::binomial, probability.type().shape, {trials, probability});
}

} // namespace plait::elbo
