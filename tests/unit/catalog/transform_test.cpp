// Transforms of distributions: the way back undoes the way forward, and the log determinant is that of the
// Jacobian by differences.
#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/transform.hpp"
#include "compiler/tensor_ir/interpret.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace catalog = plait::catalog;
namespace ir = plait::ir;

namespace {

double total(const std::vector<double>& numbers) {
  double sum = 0;
  for (double number : numbers)
    sum += number;
  return sum;
}

/** log |det| by elimination with pivots. */
double log_determinant(std::vector<std::vector<double>> m) {
  double result = 0;
  for (std::size_t k = 0; k < m.size(); ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k; i < m.size(); ++i)
      pivot = std::abs(m[i][k]) > std::abs(m[pivot][k]) ? i : pivot;
    std::swap(m[k], m[pivot]);
    result += std::log(std::abs(m[k][k]));
    for (std::size_t i = k + 1; i < m.size(); ++i)
      for (std::size_t j = m.size(); j-- > k;)
        m[i][j] -= m[k][j] * m[i][k] / m[k][k];
  }
  return result;
}

} // namespace

TEST_CASE("every transform that is no flow has the determinant of its Jacobian, and undoes itself") {
  for (const catalog::Transform* row : catalog::transforms()) {
    if (row->flow != catalog::FlowKind::none)
      continue;
    INFO(row->name);
    const std::vector<double> source{0.3, -0.9, 1.4}; // three numbers make a correlation matrix of 3 rows
    std::vector<std::int64_t> image_size{3};
    std::string error;
    if (row->image_size)
      image_size = row->image_size({3}, error).value();
    ir::Graph graph;
    ir::Builder builder(graph);
    graph.parameters.push_back({"x", {ir::Extent::known(3)}, {}, "x"});
    const ir::Value x = builder.parameter(0);
    std::vector<ir::Extent> shape;
    for (std::int64_t extent : image_size)
      shape.push_back(ir::Extent::known(extent));
    std::vector<ir::Value> parameters;
    for (const catalog::DistributionParameter& parameter : row->parameters.get()())
      parameters.push_back(builder.real(parameter.name == "scale" ? 1.7 : -0.4));
    const catalog::Moved there = row->forward(builder, x, parameters, shape);
    std::vector<ir::NodeId> nodes{there.value.id(), there.log_det.id()};
    if (row->backward) {
      const catalog::Moved back = row->backward(builder, there.value, parameters);
      nodes.push_back(back.value.id());
      nodes.push_back(back.log_det.id());
    }
    ir::Inputs inputs;
    inputs.parameters.push_back(source);
    const auto here = ir::interpret(graph, inputs, nodes);
    REQUIRE(here[0].numbers.size() ==
            static_cast<std::size_t>(image_size[0] * (image_size.size() > 1 ? image_size[1] : 1)));
    if (row->backward) {
      std::vector<double> expected = source;
      if (row->exchangeable)
        std::sort(expected.begin(), expected.end());
      for (std::size_t k = 0; k < expected.size(); ++k)
        CHECK(here[2].numbers[k] == Approx(expected[k]).margin(1e-12));
      CHECK(total(here[3].numbers) == Approx(total(here[1].numbers)).margin(1e-12));
    }
    if (row->exchangeable) {
      CHECK(total(here[1].numbers) == Approx(-std::log(6.0)));
      continue;
    }
    // Free coordinates of the image: a simplex without its last, the part of a factor below its diagonal.
    std::vector<std::size_t> free{0, 1, 2};
    if (image_size.size() == 2)
      free = {3, 6, 7};
    std::vector<std::vector<double>> jacobian(3, std::vector<double>(3));
    for (std::size_t k = 0; k < 3; ++k) {
      const double h = 1e-5;
      inputs.parameters[0][k] = source[k] + h;
      const auto high = ir::interpret(graph, inputs, nodes);
      inputs.parameters[0][k] = source[k] - h;
      const auto low = ir::interpret(graph, inputs, nodes);
      inputs.parameters[0][k] = source[k];
      for (std::size_t i = 0; i < 3; ++i)
        jacobian[i][k] = (high[0].numbers[free[i]] - low[0].numbers[free[i]]) / (2 * h);
    }
    CHECK(total(here[1].numbers) == Approx(log_determinant(jacobian)).margin(1e-8));
  }
}

TEST_CASE("transforms say which supports they take, and how many numbers") {
  const auto image = [](const char* name, catalog::SupportKind domain) {
    const auto support = catalog::find_transform(name)->support.get()(catalog::Support{domain});
    return support ? catalog::to_string(*support) : std::string("none");
  };
  using Kind = catalog::SupportKind;
  CHECK(image("exp", Kind::real) == "positive");
  CHECK(image("exp", Kind::positive) == "none");
  CHECK(image("ordered", Kind::positive) == "positive_ordered");
  CHECK(image("ordered", Kind::unit_interval) == "none");
  CHECK(image("iaf", Kind::real) == "real");
  CHECK(image("to_simplex", Kind::real) == "simplex");
  std::string error;
  const auto* correlation = catalog::find_transform("to_cholesky_corr");
  CHECK(correlation->image_size({6}, error).value() == std::vector<std::int64_t>{4, 4});
  CHECK(!correlation->image_size({4}, error));
  CHECK_THAT(error, Catch::Contains("K (K - 1) / 2"));
  CHECK(catalog::find_transform("normal") == nullptr);
  CHECK(!catalog::has_density_everywhere(*catalog::find_transform("iaf")));
  CHECK(catalog::has_density_everywhere(*catalog::find_transform("coupling")));
}
