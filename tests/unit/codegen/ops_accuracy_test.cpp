// Error bounds of the lowerings in units in the last place, against the C library in extended precision. No
// JIT: the same expressions run on plain numbers; lanes_test.cpp shows that vectors give the same.
#include "compiler/catalog/ops.hpp"
#include "compiler/codegen/runtime_symbols.hpp"
#include "tests/support/plain_lanes.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace plait;

namespace {

using Extended = long double;

struct Case {
  std::string_view op;
  Extended (*exact)(Extended);
  double low, high;     ///< magnitudes are drawn log-uniformly and values uniformly from here
  double single_bound;  ///< ulp
  double precise_bound; ///< ulp
};

Extended sigmoid(Extended x) {
  return 1 / (1 + std::exp(-x));
}
Extended softplus(Extended x) {
  return std::fmax(x, 0.0L) + std::log1p(std::exp(-std::fabs(x)));
}
Extended log_sigmoid(Extended x) {
  return -softplus(-x);
}
Extended log1m_exp(Extended x) {
  return x > -0.693L ? std::log(-std::expm1(x)) : std::log1p(-std::exp(x));
}
Extended normal_cdf(Extended x) {
  return 0.5L * std::erfc(-x * 0.70710678118654752440084436210485L);
}

Extended normal_log_cdf(Extended x) {
  return x < 0 ? std::log(normal_cdf(x)) : std::log1p(-normal_cdf(-x));
}
Extended inverse_mills(Extended x) {
  return std::exp(-x * x / 2) * 0.39894228040143267793994605993438L / normal_cdf(x);
}
Extended lgamma(Extended x) {
  return std::lgamma(x);
}

constexpr Case cases[] = {
    {"exp", std::exp, -87, 88, 1.1, 1.1},
    {"exp", std::exp, -708, 709, 0, 1.1},
    {"expm1", std::expm1, -20, 20, 2, 2},
    {"expm1", std::expm1, -87, 88, 2, 2},
    {"log", std::log, 1e-30, 1e30, 1.5, 1.5},
    {"log", std::log, 0.3, 3, 1.5, 1.5},
    {"log1p", std::log1p, -0.9999, 10, 3, 3},
    {"log1p", std::log1p, 0, 1e20, 3, 3},
    {"sin", std::sin, -10, 10, 2, 2},
    {"sin", std::sin, -1e5, 1e5, 2, 2},
    {"cos", std::cos, -10, 10, 2, 2},
    {"cos", std::cos, -1e5, 1e5, 2, 2},
    {"tan", std::tan, -1e4, 1e4, 4, 4},
    {"atan", std::atan, -1e6, 1e6, 3, 3},
    {"tanh", std::tanh, -22, 22, 3, 3},
    {"sigmoid", sigmoid, -80, 80, 3, 3},
    {"softplus", softplus, -80, 80, 3, 3},
    {"log_sigmoid", log_sigmoid, -80, 80, 3, 3},
    {"log1m_exp", log1m_exp, -80, -1e-30, 4, 4},
    {"erf", std::erf, -7, 7, 3, 3},
    {"normal_cdf", normal_cdf, -12, 9, 4, 6},
    {"normal_log_cdf", normal_log_cdf, -100, 9, 5, 7},
    {"inverse_mills", inverse_mills, -100, 9, 5, 7},
    {"lgamma", lgamma, 1e-30, 1, 4, 6},
    {"lgamma", lgamma, 0.5, 4, 5, 6},
    {"lgamma", lgamma, 3, 1e30, 4, 6},
};

/** Uniform over the range, and with magnitudes spread over all scales that fit. */
std::vector<double> samples_of(const Case& row, bool single, std::size_t count) {
  std::mt19937_64 random(7);
  std::vector<double> samples;
  std::uniform_real_distribution<double> uniform(row.low, row.high);
  std::uniform_real_distribution<double> scale(-70, 0);
  const double largest = std::max(std::fabs(row.low), std::fabs(row.high));
  while (samples.size() < count) {
    double x = uniform(random);
    if (samples.size() % 2 == 1) {
      x = std::exp2(scale(random)) * largest * (samples.size() % 4 == 1 ? 1 : -1);
      if (x < row.low || x > row.high)
        x = uniform(random);
    }
    samples.push_back(single ? static_cast<double>(static_cast<float>(x)) : x);
  }
  return samples;
}

template <class T>
double ulp_error(Extended value, Extended exact) {
  if (std::isnan(value) && std::isnan(exact))
    return 0;
  if (value == exact)
    return 0;
  int exponent = 0;
  std::frexp(static_cast<T>(exact), &exponent);
  exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
  const Extended ulp = std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits);
  const Extended error = std::fabs(value - exact) / ulp;
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : static_cast<double>(error);
}

struct Worst {
  double error = 0;
  double at = 0;
};

template <class T>
Worst worst_error(const Case& row, std::size_t count) {
  const ir::Op& op = *catalog::find_op(row.op);
  testing::PlainLanes<T> lanes;
  constexpr ir::Element real[] = {ir::Element::real};
  Worst worst;
  for (const double x : samples_of(row, sizeof(T) == 4, count)) {
    const double value = lanes.run(op, {&x, 1}, real);
    const double error = ulp_error<T>(value, row.exact(x));
    if (!(error <= worst.error))
      worst = {error, x};
  }
  return worst;
}

/** Inputs where formulas break: signed zeros, infinities, NaN, the ends of the range, points of change. */
std::vector<double> edges_of(bool single) {
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> edges = {0.0, -0.0, std::nan(""), infinity, -infinity};
  const double largest = single ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  const double smallest = single ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
  for (const double x :
       {0.25, 0.5, 1.0, 2.0, 3.0, 10.0, 100.0, 700.0, 800.0, 1e6, largest, smallest, smallest / 64}) {
    edges.push_back(x);
    edges.push_back(-x);
  }
  return edges;
}

ir::Element element_of(const ir::Op& op, std::size_t input, bool integers) {
  switch (op.result.get()) {
  case ir::ResultRule::integer:
  case ir::ResultRule::integer_comparison:
    return ir::Element::integer;
  case ir::ResultRule::boolean:
    return ir::Element::boolean;
  case ir::ResultRule::to_real:
    return integers ? ir::Element::integer : ir::Element::boolean;
  case ir::ResultRule::select:
    return input == 0 ? ir::Element::boolean : ir::Element::real;
  default:
    return ir::Element::real;
  }
}

/** Agreement up to rounding: the same infinity, both NaN, or close; results that underflow may be 0. */
bool agree(double value, double exact, double tolerance, double absolute) {
  if (std::isnan(value) || std::isnan(exact))
    return std::isnan(value) && std::isnan(exact);
  if (value == exact)
    return true;
  return std::fabs(value - exact) <= tolerance * std::fabs(exact) + absolute;
}

/** Trigonometric reductions lose all digits far out: the bound of elementary_lanes.cpp ends at 1e5. */
bool is_trigonometric(const ir::Op& op) {
  return op.name == "sin" || op.name == "cos" || op.name == "tan";
}

template <class T>
void check_row(const ir::Op& op, std::span<const double> inputs, double tolerance, double absolute) {
  std::vector<ir::Element> elements;
  std::vector<double> rounded;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    elements.push_back(element_of(op, k, true));
    double x = inputs[k];
    if (elements[k] != ir::Element::real) {
      if (!(std::fabs(x) < 1e6))
        return;
      x = std::round(x);
      if (elements[k] == ir::Element::boolean)
        x = x != 0;
    }
    rounded.push_back(static_cast<double>(static_cast<T>(x)));
    if (is_trigonometric(op) && std::fabs(x) > 1e5 && std::isfinite(x))
      return;
  }
  testing::PlainLanes<T> lanes([](std::string_view name) -> void* {
    for (const codegen::RuntimeSymbol& symbol : codegen::runtime_symbols())
      if (symbol.name == name)
        return symbol.address;
    return nullptr;
  });
  const double value = lanes.run(op, rounded, elements);
  double exact = op.evaluate.get()(rounded);
  if (op.result.get() == ir::ResultRule::real || op.result.get() == ir::ResultRule::select)
    exact = static_cast<double>(static_cast<T>(exact));
  INFO(op.name << "(" << rounded[0]
               << (rounded.size() > 1 ? ", " + std::to_string(rounded[1]) : std::string()) << ") = " << value
               << ", not " << exact);
  CHECK(agree(value, exact, tolerance, absolute));
}

} // namespace

namespace {

double number_of(const nlohmann::json& value) {
  if (value.is_number())
    return value.get<double>();
  return value == "nan" ? std::nan("") : value == "inf" ? HUGE_VAL : -HUGE_VAL;
}

} // namespace

TEST_CASE("Ops on reals give the values of an independent library") {
  std::ifstream file(PLAIT_SOURCE_DIR "/tests/oracles/ops.json");
  const nlohmann::json rows = nlohmann::json::parse(file);
  std::set<std::string> covered;
  for (const nlohmann::json& row : rows) {
    const std::string name = row["name"];
    covered.insert(name);
    const auto found = std::find_if(catalog::ops().begin(), catalog::ops().end(),
                                    [&](const ir::Op* op) { return op->name == name; });
    REQUIRE(found != catalog::ops().end());
    const ir::Op& op = **found;
    const std::vector<ir::Element> elements(static_cast<std::size_t>(op.arity.get()), ir::Element::real);
    testing::PlainLanes<double> precise;
    testing::PlainLanes<float> single;
    for (std::size_t point = 0; point < row["points"].size(); ++point) {
      std::vector<double> inputs;
      for (const nlohmann::json& input : row["points"][point])
        inputs.push_back(number_of(input));
      const double exact = number_of(row["values"][point]);
      const double rounded = static_cast<double>(static_cast<float>(exact));
      INFO(name << " at " << row["points"][point].dump());
      const double evaluated = op.evaluate.get()(inputs);
      INFO("reference " << evaluated << ", exact " << exact);
      CHECK(agree(evaluated, exact, std::max(row["tolerance"].get<double>(), op.tolerance), 0));
      const double in_double = precise.run(op, inputs, elements);
      INFO("f64 " << in_double);
      CHECK(agree(in_double, exact, row["tolerance"], 0));
      const double in_float = single.run(op, inputs, elements);
      INFO("f32 " << in_float);
      CHECK(agree(in_float, rounded, row["single_tolerance"], 2 * std::numeric_limits<float>::min()));
    }
  }
  for (const ir::Op* op : catalog::ops()) {
    // Draws and their derivatives are judged beside the samplers.
    if (op->result.get() == ir::ResultRule::real && !op->name.starts_with("log_gamma_")) {
      INFO(op->name);
      CHECK(covered.count(std::string(op->name)) == 1);
    }
  }
}

TEST_CASE("Every row's lowering gives its reference value") {
  std::mt19937_64 random(11);
  for (const ir::Op* op : catalog::ops()) {
    const ir::SampleRange range = op->samples;
    std::uniform_real_distribution<double> uniform(range.low, range.high);
    const auto arity = static_cast<std::size_t>(op->arity.get());
    for (int sample = 0; sample < 500; ++sample) {
      std::vector<double> inputs(arity);
      for (double& x : inputs)
        x = uniform(random);
      check_row<double>(*op, inputs, op->tolerance, 1e-14);
      check_row<float>(*op, inputs, 1e-5, 2e-6);
    }
  }
}

TEST_CASE("Lowerings agree with their reference at the edges") {
  for (const ir::Op* op : catalog::ops()) {
    const auto arity = static_cast<std::size_t>(op->arity.get());
    if (op->name == "log_gamma_sample_derivative")
      continue; // a call of the very function that evaluates it
    for (const bool single : {false, true}) {
      const std::vector<double> edges = edges_of(single);
      const std::size_t points = arity == 1 ? edges.size() : edges.size() * edges.size();
      for (std::size_t point = 0; point < points; ++point) {
        std::vector<double> inputs = {edges[point % edges.size()]};
        if (arity >= 2)
          inputs.push_back(edges[point / edges.size()]);
        if (arity == 3)
          inputs.push_back(1.5);
        // Negative zero is no base of its own, and the ratio at the very end of the range is not
        // representable.
        if ((op->name == "pow" && inputs[0] == 0 && std::signbit(inputs[0])) ||
            (op->name == "inverse_mills" && inputs[0] < -1e30))
          continue;
        if (single)
          check_row<float>(*op, inputs, 2e-5, 2 * std::numeric_limits<float>::min());
        else
          check_row<double>(*op, inputs, 1e-12, 2 * std::numeric_limits<double>::min());
      }
    }
  }
}

TEST_CASE("Elementary functions keep their bounds in ulp") {
  for (const Case& row : cases) {
    const Worst precise = worst_error<double>(row, 20000);
    INFO(row.op << " f64 on [" << row.low << ", " << row.high << "] at " << precise.at);
    CHECK(precise.error <= row.precise_bound);
    if (row.single_bound > 0) {
      const Worst single = worst_error<float>(row, 20000);
      INFO(row.op << " f32 on [" << row.low << ", " << row.high << "] at " << single.at);
      CHECK(single.error <= row.single_bound);
    }
  }
}
