#include "compiler/catalog/ops/lane_math.hpp"

#include <string_view>

namespace plait::lane {

namespace {
Real call(std::string_view name, Real x) {
  const Lane in[] = {x.lane()};
  return {x.builder(), x.builder().call_per_lane(name, in)};
}
} // namespace

Real exp(Real x) {
  return call("exp", x);
}
Real expm1(Real x) {
  return call("expm1", x);
}
Real log(Real x) {
  return call("log", x);
}
Real log1p(Real x) {
  return call("log1p", x);
}
Real sin(Real x) {
  return call("sin", x);
}
Real cos(Real x) {
  return call("cos", x);
}
Real tan(Real x) {
  return call("tan", x);
}
Real atan(Real x) {
  return call("atan", x);
}
Real tanh(Real x) {
  return call("tanh", x);
}
Real pow(Real x, Real y) {
  return exp(y * log(x));
}
Real sigmoid(Real x) {
  return 1 / (1 + exp(-x));
}
Real softplus(Real x) {
  return maximum(x, x.constant(0)) + log1p(exp(-abs(x)));
}
Real log1m_exp(Real x) {
  return log(-expm1(x));
}
Real log_add_exp(Real a, Real b) {
  return maximum(a, b) + log1p(exp(-abs(a - b)));
}
Real cos_of_turns(Real u) {
  return cos(u * 6.283185307179586);
}

} // namespace plait::lane
