#include "tests/unit/catalog/harness.hpp"

#include <algorithm>
#include <set>

// Every row of distributions() against tests/oracles/distributions.json.

namespace {

using namespace plait;
using namespace plait::test;
using catalog::Distribution;

std::vector<Value> differentiable(const std::vector<Value>& values) {
  std::vector<Value> result;
  for (const Value value : values)
    if (value.builder().graph().node(value.id()).kind == ir::Kind::parameter)
      result.push_back(value);
  return result;
}

Value point_of(Program& program, const nlohmann::json& row, const Numbers& numbers) {
  const Shape shape = shape_of(row.at("event"));
  return row.at("discrete").get<bool>() ? program.builder.literal(ir::Element::integer, shape, numbers)
                                        : program.parameter(shape, numbers);
}

template <class Check>
void for_each_row(Check check) {
  for (const auto& row : oracle("distributions")) {
    const auto name = row.at("name").get<std::string>();
    INFO(name << " " << row.at("parameters").dump());
    const Distribution* distribution = catalog::find_distribution(name);
    REQUIRE(distribution);
    check(row, *distribution);
  }
}

} // namespace

TEST_CASE("every distribution has an oracle row, and every oracle row a distribution") {
  std::set<std::string> listed;
  for (const auto& row : oracle("distributions"))
    listed.insert(row.at("name").get<std::string>());
  std::set<std::string> present;
  std::vector<std::string> order;
  for (const Distribution* row : catalog::distributions()) {
    present.emplace(row->name);
    order.emplace_back(row->name);
  }
  CHECK(listed == present);
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(order.size() == present.size());
  CHECK_FALSE(catalog::find_distribution("no such row"));
}

TEST_CASE("rows are consistent in themselves") {
  for (const Distribution* row : catalog::distributions()) {
    INFO(row->name);
    const auto kind = row->support.get().kind;
    CHECK(catalog::is_discrete(kind) == (row->pathwise.get() == catalog::Pathwise::none));
    CHECK(catalog::event_rank(kind) <= row->event_rank.get());
    const bool needs_bounds =
        kind == catalog::SupportKind::interval || kind == catalog::SupportKind::greater_than;
    CHECK(needs_bounds == (row->bounds != nullptr));
    const bool finite = kind == catalog::SupportKind::bit || kind == catalog::SupportKind::category ||
                        kind == catalog::SupportKind::bounded_count;
    CHECK(finite == (row->support_size != nullptr));
  }
}

TEST_CASE("log densities equal the oracle") {
  for_each_row([](const nlohmann::json& row, const Distribution& distribution) {
    for (std::size_t k = 0; k < row.at("points").size(); ++k) {
      Program program;
      const auto parameters = bind_parameters(program, row.at("parameters"), distribution.parameters.get()());
      const Value value = point_of(program, row, row["points"][k].get<Numbers>());
      const Value result = catalog::log_prob(program.builder, distribution, value, parameters);
      const double expected = row["log_prob"][k].get<double>();
      INFO("point " << row["points"][k].dump() << ": " << program.number(result) << ", expected "
                    << expected);
      CHECK(close(program.number(result), expected, 2e-11));
    }
  });
}

TEST_CASE("log densities have the derivative of their value") {
  for_each_row([](const nlohmann::json& row, const Distribution& distribution) {
    if (distribution.point_mass)
      return;
    for (const auto& point : row.at("points")) {
      Program program;
      const auto parameters = bind_parameters(program, row.at("parameters"), distribution.parameters.get()());
      const Value value = point_of(program, row, point.get<Numbers>());
      const Value result = catalog::log_prob(program.builder, distribution, value, parameters);
      std::vector<Value> inputs = differentiable(parameters);
      if (!row.at("discrete").get<bool>())
        inputs.push_back(value);
      INFO("point " << point.dump());
      check_gradient(program, result, inputs, 1e-6);
    }
  });
}

TEST_CASE("a batch of values gives the log density of each") {
  for_each_row([](const nlohmann::json& row, const Distribution& distribution) {
    // Two copies of all points, a batch of shape [2, n]: with parameters that have none of the batch's
    // dimensions, its last one, or both.
    const auto& points = row.at("points");
    const auto expected = row.at("log_prob").get<Numbers>();
    for (const int dimensions : {0, 1, 2}) {
      Program program;
      const Shape batch = {Extent::known(2), Extent::known(static_cast<std::int64_t>(points.size()))};
      Numbers numbers;
      for (int copy = 0; copy < 2; ++copy)
        for (const auto& point : points) {
          const auto part = point.get<Numbers>();
          numbers.insert(numbers.end(), part.begin(), part.end());
        }
      Shape shape = batch;
      for (const Extent& extent : shape_of(row.at("event")))
        shape.push_back(extent);
      const Value value = row.at("discrete").get<bool>()
                              ? program.builder.literal(ir::Element::integer, shape, numbers)
                              : program.parameter(shape, numbers);
      auto parameters = bind_parameters(program, row.at("parameters"), distribution.parameters.get()());
      for (int d = 0; d < dimensions; ++d)
        for (Value& parameter : parameters)
          parameter = program.builder.expand(parameter, 0, batch[static_cast<std::size_t>(1 - d)]);
      const Value result = catalog::log_prob(program.builder, distribution, value, parameters);
      REQUIRE(result.type().shape == batch);
      const Numbers found = program.numbers(result);
      if (distribution.point_mass)
        continue;
      INFO("parameters with " << dimensions << " of the batch's dimensions");
      for (std::size_t k = 0; k < found.size(); ++k)
        CHECK(close(found[k], expected[k % expected.size()], 2e-11));
    }
  });
}

TEST_CASE("a plate of parameters gives the log density at each of its indices") {
  for_each_row([](const nlohmann::json& row, const Distribution& distribution) {
    Program program;
    const ir::AxisId plate = program.plate(3);
    auto parameters = bind_parameters(program, row.at("parameters"), distribution.parameters.get()());
    for (Value& parameter : parameters)
      parameter = program.builder.broadcast(parameter, {plate}, parameter.type().shape);
    const Value value = point_of(program, row, row["points"][0].get<Numbers>());
    const Value result = catalog::log_prob(program.builder, distribution, value, parameters);
    REQUIRE(result.type().axes == std::vector<ir::AxisId>{plate});
    REQUIRE(result.type().shape.empty());
    for (const double found : program.numbers(result))
      CHECK(close(found, row["log_prob"][0].get<double>(), 2e-11));
  });
}

TEST_CASE("entropies equal the oracle, and exist where it has one") {
  for_each_row([](const nlohmann::json& row, const Distribution& distribution) {
    CHECK(row.at("entropy").is_null() == (distribution.entropy == nullptr));
    if (!distribution.entropy || row.at("entropy").is_null())
      return;
    Program program;
    const auto parameters = bind_parameters(program, row.at("parameters"), distribution.parameters.get()());
    const auto single =
        catalog::entropy(program.builder, distribution, parameters, shape_of(row.at("event")));
    REQUIRE(single);
    CHECK(close(program.number(*single), row["entropy"].get<double>(), 1e-8));
    Shape shape = {Extent::known(2)};
    for (const Extent& extent : shape_of(row.at("event")))
      shape.push_back(extent);
    const auto batch = catalog::entropy(program.builder, distribution, parameters, shape);
    CHECK(batch->type().shape == Shape{Extent::known(2)});
  });
}

TEST_CASE("finite supports carry probability one") {
  for_each_row([](const nlohmann::json& row, const Distribution& distribution) {
    if (!distribution.support_size)
      return;
    Program program;
    const auto parameters = bind_parameters(program, row.at("parameters"), distribution.parameters.get()());
    const auto size = distribution.support_size(parameters);
    REQUIRE(size);
    double total = 0;
    for (std::int64_t k = 0; k < size->value; ++k) {
      const Value value = program.builder.integer(k);
      total += std::exp(program.number(catalog::log_prob(program.builder, distribution, value, parameters)));
    }
    CHECK(close(total, 1, 1e-11));
  });
}

TEST_CASE("impossible and extreme arguments give no NaN, in value or derivative") {
  const auto check = [](const char* name, const std::vector<Numbers>& parameters, double value,
                        bool discrete) {
    Program program;
    std::vector<Value> inputs;
    for (const Numbers& numbers : parameters)
      inputs.push_back(program.parameter(
          numbers.size() == 1 ? Shape{} : Shape{Extent::known(static_cast<std::int64_t>(numbers.size()))},
          numbers));
    const Value point =
        discrete ? program.builder.integer(static_cast<std::int64_t>(value)) : program.builder.real(value);
    const Value result = catalog::log_prob(program.builder, *catalog::find_distribution(name), point, inputs);
    INFO(name << " at " << value);
    CHECK_FALSE(std::isnan(program.number(result)));
    for (const Value gradient : autodiff::gradients(program.builder, result, inputs))
      for (const double entry : program.numbers(gradient))
        CHECK(std::isfinite(entry));
    return program.number(result);
  };
  for (const double p : {0.0, 0.5, 1.0})
    for (const double y : {0.0, 1.0}) {
      const double found = check("bernoulli", {{p}}, y, true);
      CHECK(std::isfinite(found));
      if (p == y)
        CHECK(found == 0);
    }
  CHECK(check("bernoulli_logit", {{200.0}}, 0, true) == Approx(-200));
  CHECK(check("bernoulli_logit", {{-200.0}}, 0, true) == Approx(-std::exp(-200.0)).margin(1e-300));
  CHECK(check("categorical", {{1.0, 0.0}}, 0, true) == 0);
  CHECK(std::isfinite(check("categorical", {{1.0, 0.0}}, 1, true)));
  CHECK(check("geometric", {{1.0}}, 0, true) == 0);
  CHECK(check("zero_inflated_poisson", {{0.0}, {2.0}}, 0, true) == Approx(-2));
  CHECK(std::isfinite(check("zero_inflated_poisson", {{1.0}, {2.0}}, 3, true)));
  CHECK(check("poisson", {{2.0}}, 0, true) == Approx(-2));
  CHECK(std::isfinite(check("ordered_logistic", {{60.0}, {-1.0, 1.0}}, 0, true)));
  CHECK(std::isfinite(check("beta", {{0.5}, {0.5}}, 1, false)));
  CHECK(std::isfinite(check("beta", {{0.5}, {0.5}}, 0, false)));
  for (const char* name : {"exponential", "half_normal", "half_cauchy"})
    CHECK(std::isinf(check(name, {{1.0}}, -0.5, false)));
  CHECK(std::isinf(check("uniform", {{0.0}, {1.0}}, 1.5, false)));
}

TEST_CASE("a delta is impossible elsewhere") {
  Program program;
  const Value point = program.builder.real(2);
  const Distribution& delta = *catalog::find_distribution("delta");
  CHECK(program.number(
            catalog::log_prob(program.builder, delta, program.builder.real(2), std::vector{point})) == 0);
  CHECK(program.number(catalog::log_prob(program.builder, delta, point, std::vector{point})) == 0);
  CHECK(std::isinf(program.number(
      catalog::log_prob(program.builder, delta, program.builder.real(3), std::vector{point}))));

  // A draw stays at its point through the plates and copies it is repeated over.
  const ir::AxisId plate = program.plate(3);
  const Value moving = program.parameter({}, {0.1});
  const Value drawn = program.builder.broadcast(moving, {plate}, {Extent::known(2)});
  const Value density = catalog::log_prob(program.builder, delta, drawn, std::vector{stop_gradient(moving)});
  CHECK(program.graph.node(density.id()).op == nullptr);
  CHECK(program.numbers(density) == Numbers(6, 0.0));
}
