#include "tests/unit/catalog/harness.hpp"

#include <algorithm>
#include <numeric>

// Samplers against the marginal laws of tests/oracles/distributions.json, with fixed seeds: a chi-square test
// whose critical value is passed once in a million, moments within five standard errors, and derivatives of
// expectations.

namespace {

using namespace plait;
using namespace plait::test;
using catalog::Distribution;
using catalog::SupportKind;

constexpr std::int64_t draws_made = 100000;
constexpr double standard_errors = 5;

struct Drawn {
  Program program;
  std::vector<Value> parameters; ///< one value per draw, so that derivatives stay apart
  Value value;
  std::size_t event = 1;
};

void draw(Drawn& drawn, const nlohmann::json& row, const Distribution& distribution, std::int64_t count) {
  Program& program = drawn.program;
  program.inputs.seed = 7;
  program.inputs.step = 3;
  const ir::AxisId plate = program.plate(count);
  for (const Value parameter :
       bind_parameters(program, row.at("parameters"), distribution.parameters.get()()))
    drawn.parameters.push_back(program.builder.broadcast(parameter, {plate}, parameter.type().shape));
  SiteDraws draws(program.builder, program.builder.plate_row(plate), std::string(distribution.name));
  const Shape shape = shape_of(row.at("event"));
  drawn.value = catalog::sample(draws, distribution, drawn.parameters, shape);
  drawn.event = count_of(shape);
  REQUIRE(drawn.value.type().shape == shape);
}

bool is_inside_support(const Numbers& x, const Distribution& distribution, const nlohmann::json& row) {
  const auto all = [&](auto predicate) { return std::all_of(x.begin(), x.end(), predicate); };
  const auto whole = [](double v) { return v >= 0 && v == std::floor(v); };
  const auto parameter = [&](std::size_t k) { return row["parameters"][k]["numbers"][0].get<double>(); };
  const double sum = std::accumulate(x.begin(), x.end(), 0.0);
  switch (distribution.support.get().kind) {
  case SupportKind::positive:
    return all([](double v) { return v > 0 && std::isfinite(v); });
  case SupportKind::unit_interval:
    return all([](double v) { return v > 0 && v <= 1; });
  case SupportKind::interval:
    return all([&](double v) { return v >= parameter(0) && v <= parameter(1); });
  case SupportKind::greater_than:
    return all([&](double v) { return v >= parameter(0); });
  case SupportKind::simplex:
    return all([](double v) { return v > 0 && v <= 1; }) && std::abs(sum - 1) < 1e-12;
  case SupportKind::cholesky_corr: {
    const auto size = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(x.size()))));
    for (std::size_t i = 0; i < size; ++i) {
      double squares = 0;
      for (std::size_t j = 0; j < size; ++j) {
        squares += x[i * size + j] * x[i * size + j];
        if (j > i && x[i * size + j] != 0)
          return false;
      }
      if (std::abs(squares - 1) > 1e-12 || x[i * size + i] < 0)
        return false;
    }
    return true;
  }
  case SupportKind::bit:
    return all([](double v) { return v == 0 || v == 1; });
  case SupportKind::category: {
    const auto& last = row["parameters"].back()["shape"];
    const bool cuts = distribution.parameters.get()().size() == 2;
    return all([&](double v) { return whole(v) && v < last[0].get<double>() + (cuts ? 1 : 0); });
  }
  case SupportKind::bounded_count:
    return all([&](double v) { return whole(v) && v <= parameter(0); });
  case SupportKind::count_vector:
    return all(whole) && sum == parameter(0);
  case SupportKind::count:
    return all(whole);
  default:
    return all([](double v) { return std::isfinite(v); });
  }
}

Numbers component(const Numbers& all, std::size_t event, std::size_t which) {
  Numbers result;
  for (std::size_t k = which; k < all.size(); k += event)
    result.push_back(all[k]);
  return result;
}

double mean_of(const Numbers& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
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

TEST_CASE("draws follow their law") {
  for_each_row([](const nlohmann::json& row, const Distribution& distribution) {
    Drawn drawn;
    draw(drawn, row, distribution, draws_made);
    const bool discrete = row.at("discrete").get<bool>();
    REQUIRE(drawn.value.type().element == (discrete ? ir::Element::integer : ir::Element::real));
    const Numbers all = drawn.program.numbers(drawn.value);
    REQUIRE(all.size() == drawn.event * draws_made);
    for (std::size_t k = 0; k < all.size(); k += drawn.event) {
      const Numbers one(all.begin() + static_cast<std::ptrdiff_t>(k),
                        all.begin() + static_cast<std::ptrdiff_t>(k + drawn.event));
      if (!is_inside_support(one, distribution, row)) {
        INFO("draw " << k / drawn.event << " leaves the support: " << nlohmann::json(one).dump());
        FAIL_CHECK();
        break;
      }
    }
    CHECK((!row.at("marginals").empty() || distribution.point_mass));
    for (const auto& marginal : row.at("marginals")) {
      const Numbers x = component(all, drawn.event, marginal.at("component").get<std::size_t>());
      INFO("component " << marginal.at("component"));
      const auto edges = marginal.at("edges").get<Numbers>();
      const auto probabilities = marginal.at("probabilities").get<Numbers>();
      REQUIRE(edges.size() + 1 == probabilities.size());
      Numbers counts(probabilities.size(), 0.0);
      for (const double v : x)
        counts[static_cast<std::size_t>(std::upper_bound(edges.begin(), edges.end(), v) - edges.begin())] +=
            1;
      double statistic = 0;
      for (std::size_t k = 0; k < counts.size(); ++k) {
        const double expected = probabilities[k] * static_cast<double>(draws_made);
        statistic += (counts[k] - expected) * (counts[k] - expected) / expected;
      }
      INFO("chi-square " << statistic << ", critical " << marginal.at("critical"));
      CHECK(statistic < marginal.at("critical").get<double>());
      if (!marginal.contains("mean"))
        continue;
      const double mean = marginal["mean"].get<double>();
      const double variance = marginal["variance"].get<double>();
      const double fourth = marginal["fourth"].get<double>();
      const double found = mean_of(x);
      Numbers squares;
      for (const double v : x)
        squares.push_back((v - mean) * (v - mean));
      CHECK(std::abs(found - mean) < standard_errors * std::sqrt(variance / static_cast<double>(draws_made)));
      const double spread =
          std::sqrt(std::max(fourth - variance * variance, 0.0) / static_cast<double>(draws_made));
      CHECK(std::abs(mean_of(squares) - variance) <= standard_errors * spread + 1e-12);
    }
  });
}

TEST_CASE("draws carry the derivative of expectations in their parameters") {
  for_each_row([](const nlohmann::json& row, const Distribution& distribution) {
    if (!row.contains("expectation_gradient"))
      return;
    Drawn drawn;
    draw(drawn, row, distribution, draws_made);
    ir::Builder& builder = drawn.program.builder;
    // sum_k (k+1) tanh(x_k) over the components whose marginal the oracle knows.
    Numbers weights(drawn.event, 0.0);
    for (const auto& marginal : row.at("marginals")) {
      const auto which = marginal.at("component").get<std::size_t>();
      weights[which] = static_cast<double>(which + 1);
    }
    const Value weight = builder.literal(ir::Element::real, shape_of(row.at("event")), weights);
    const Value loss = builder.sum(builder.sum_event(weight * tanh(drawn.value)), {0});
    const auto gradients = autodiff::gradients(builder, loss, drawn.parameters);
    for (std::size_t k = 0; k < gradients.size(); ++k) {
      const Numbers all = drawn.program.numbers(gradients[k]);
      const auto& expected = row["expectation_gradient"][k];
      for (std::size_t j = 0; j < expected.size(); ++j) {
        if (expected[j].is_null())
          continue;
        const Numbers x = component(all, expected.size(), j);
        const double mean = mean_of(x);
        double squares = 0;
        for (const double v : x)
          squares += (v - mean) * (v - mean);
        const double error = std::sqrt(squares) / static_cast<double>(draws_made);
        INFO("parameter " << k << " entry " << j << ": " << mean << " +- " << error << ", expected "
                          << expected[j]);
        CHECK(error > 0);
        CHECK(std::abs(mean - expected[j].get<double>()) < standard_errors * error);
      }
    }
  });
}

TEST_CASE("a batch of draws has the shape asked for and no repeated draw") {
  for_each_row([](const nlohmann::json& row, const Distribution& distribution) {
    for (const bool own : {false, true}) {
      Program program;
      auto parameters = bind_parameters(program, row.at("parameters"), distribution.parameters.get()());
      if (own)
        for (Value& parameter : parameters)
          parameter = program.builder.expand(parameter, 0, Extent::known(3));
      SiteDraws draws(program.builder, program.builder.integer(0));
      Shape shape = {Extent::known(2), Extent::known(3)};
      for (const Extent& extent : shape_of(row.at("event")))
        shape.push_back(extent);
      const Value value = catalog::sample(draws, distribution, parameters, shape);
      REQUIRE(value.type().shape == shape);
      const Numbers all = program.numbers(value);
      const Value density = catalog::log_prob(program.builder, distribution, value, parameters);
      CHECK(density.type().shape == Shape{Extent::known(2), Extent::known(3)});
      for (const double entry : program.numbers(density))
        CHECK(std::isfinite(entry));
      if (row.at("discrete").get<bool>() || distribution.point_mass)
        continue;
      const std::size_t event = all.size() / 6;
      const std::size_t last =
          distribution.name == std::string_view("lkj_corr_cholesky") ? event - 2 : event - 1;
      std::vector<double> distinct = component(all, event, last);
      std::sort(distinct.begin(), distinct.end());
      CHECK(std::adjacent_find(distinct.begin(), distinct.end()) == distinct.end());
    }
  });
}
