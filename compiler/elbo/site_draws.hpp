/** \file
 * Random numbers of one site: which counters its draws use (runtime/rng.hpp). The row is the global row over
 * the site's plates and particles, so the numbers do not depend on batch order, tiles or threads.
 */
#pragma once

#include "compiler/catalog/distribution.hpp"

#include <string>
#include <vector>

namespace plait::elbo {

class SiteDraws final : public catalog::Draws {
public:
  /** `row`: integer scalar value with the site's axes. `iteration`: integer number of the enclosing loops'
   * iteration, or empty outside loops. */
  SiteDraws(ir::Builder& builder, std::string site, ir::Value row, ir::Value iteration)
      : builder_(&builder), site_(std::move(site)), row_(row), iteration_(iteration) {}

  /** From here on every normal draw is 0, its mean. */
  void be_still() { still_ = true; }

  ir::Builder& builder() override { return *builder_; }
  ir::Value normal(const std::vector<ir::Extent>& shape) override;
  ir::Value uniform(const std::vector<ir::Extent>& shape) override;
  ir::Value log_gamma(ir::Value alpha) override;
  ir::Value poisson(ir::Value rate) override;
  ir::Value binomial(ir::Value trials, ir::Value probability) override;

private:
  ir::Value draw(ir::RandomKind kind, std::vector<ir::Extent> shape, std::vector<ir::Value> parameters);

  ir::Builder* builder_;
  std::string site_;
  ir::Value row_;
  ir::Value iteration_;
  int draws_ = 0;
  bool still_ = false;
};

} // namespace plait::elbo
