#include "compiler/catalog/ops/lane_math.hpp"

#include <string_view>

namespace plait::lane {

namespace {
Real call(std::string_view name, Real x) {
  const Lane in[] = {x.lane()};
  return {x.builder(), x.builder().call_per_lane(name, in)};
}
} // namespace

Real lgamma(Real x) {
  return call("plait_lgamma", x);
}
Real digamma(Real x) {
  return call("plait_digamma", x);
}
Real trigamma(Real x) {
  return call("plait_trigamma", x);
}
Real tetragamma(Real x) {
  return call("plait_tetragamma", x);
}
Real erf(Real x) {
  return call("erf", x);
}
Real normal_cdf(Real x) {
  return call("plait_normal_cdf", x);
}
Real normal_log_cdf(Real x) {
  return call("plait_normal_log_cdf", x);
}
Real inverse_mills(Real x) {
  return call("plait_normal_cdf", x);
}
Real normal_quantile(Real p) {
  return call("plait_normal_quantile", p);
}

} // namespace plait::lane
