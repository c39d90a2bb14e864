#include "tests/unit/catalog/harness.hpp"

#include <algorithm>
#include <set>

// Closed-form divergences against tests/oracles/kl.json.

namespace {

using namespace plait;
using namespace plait::test;

struct Pair {
  Program program;
  const catalog::Distribution* q = nullptr;
  const catalog::Distribution* p = nullptr;
  std::vector<Value> q_parameters;
  std::vector<Value> p_parameters;
  Shape event;
};

void build(Pair& pair, const nlohmann::json& row) {
  pair.q = catalog::find_distribution(row.at("q").get<std::string>());
  pair.p = catalog::find_distribution(row.at("p").get<std::string>());
  REQUIRE(pair.q);
  REQUIRE(pair.p);
  pair.q_parameters = bind_parameters(pair.program, row.at("q_parameters"), pair.q->parameters.get()());
  pair.p_parameters = bind_parameters(pair.program, row.at("p_parameters"), pair.p->parameters.get()());
  if (pair.q->event_rank == 1)
    pair.event = {pair.q_parameters[0].type().shape.back()};
}

} // namespace

TEST_CASE("every divergence has an oracle row, and the rows are sorted") {
  std::set<std::pair<std::string, std::string>> listed;
  for (const auto& row : oracle("kl"))
    listed.emplace(row.at("q").get<std::string>(), row.at("p").get<std::string>());
  std::vector<std::pair<std::string, std::string>> present;
  for (const auto& row : catalog::kl_divergences())
    present.emplace_back(row.q, row.p);
  CHECK(std::is_sorted(present.begin(), present.end()));
  CHECK(listed == std::set(present.begin(), present.end()));
  CHECK(listed.size() == present.size());
  CHECK_FALSE(catalog::find_kl_divergence("normal", "cauchy"));
}

TEST_CASE("divergences equal the oracle and have its derivative") {
  for (const auto& row : oracle("kl")) {
    INFO(row.dump());
    Pair pair;
    build(pair, row);
    const auto value = catalog::kl_divergence(pair.program.builder, *pair.q, pair.q_parameters, *pair.p,
                                              pair.p_parameters, pair.event);
    REQUIRE(value);
    CHECK(close(pair.program.number(*value), row.at("value").get<double>(), 1e-7));
    std::vector<Value> inputs = pair.q_parameters;
    inputs.insert(inputs.end(), pair.p_parameters.begin(), pair.p_parameters.end());
    check_gradient(pair.program, *value, inputs, 1e-6);
  }
}

TEST_CASE("a batch has a divergence for each of its members") {
  for (const auto& row : oracle("kl"))
    for (const bool own_q : {false, true})
      for (const bool own_p : {false, true}) {
        INFO(row.dump());
        Pair pair;
        build(pair, row);
        Shape shape = pair.event;
        shape.insert(shape.begin(), Extent::known(2));
        if (own_q)
          for (Value& parameter : pair.q_parameters)
            parameter = pair.program.builder.expand(parameter, 0, Extent::known(2));
        if (own_p)
          for (Value& parameter : pair.p_parameters)
            parameter = pair.program.builder.expand(parameter, 0, Extent::known(2));
        const auto value = catalog::kl_divergence(pair.program.builder, *pair.q, pair.q_parameters, *pair.p,
                                                  pair.p_parameters, shape);
        REQUIRE(value);
        REQUIRE(value->type().shape == Shape{Extent::known(2)});
        for (const double found : pair.program.numbers(*value))
          CHECK(close(found, row.at("value").get<double>(), 1e-7));
      }
}

TEST_CASE("a law diverges from itself by 0") {
  for (const auto& row : oracle("kl")) {
    if (row.at("q") != row.at("p"))
      continue;
    INFO(row.dump());
    Pair pair;
    build(pair, row);
    const auto value = catalog::kl_divergence(pair.program.builder, *pair.q, pair.q_parameters, *pair.p,
                                              pair.q_parameters, pair.event);
    CHECK(std::abs(pair.program.number(*value)) < 1e-14);
    for (const Value gradient : autodiff::gradients(pair.program.builder, *value, pair.q_parameters)) {
      const Numbers entries = pair.program.numbers(gradient);
      const bool factor = gradient.type().shape.size() == 2;
      const std::size_t size = factor ? static_cast<std::size_t>(pair.event[0].value) : 1;
      for (std::size_t k = 0; k < entries.size(); ++k)
        // Above its diagonal a Cholesky factor is 0 and stays so.
        if (!factor || k % size <= k / size)
          CHECK(std::abs(entries[k]) < 1e-13);
    }
  }
}
