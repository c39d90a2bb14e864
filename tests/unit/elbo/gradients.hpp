/** \file
 * Checks of gradients that tests of guides, flows and chains share.
 */
#pragma once

#include "tests/unit/elbo/build.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace plait::test {

/** Starts every parameter at independent numbers of that standard deviation. */
inline void scatter_parameters(Objective& fit, double deviation, unsigned seed = 5) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, deviation);
  for (std::size_t k = 0; k < fit.graph().parameters.size(); ++k) {
    std::vector<double> values(stored_size(fit.graph(), fit.graph().parameters[k], fit.inputs.extents));
    std::generate(values.begin(), values.end(), [&] { return normal(random); });
    fit.inputs.parameters[k] = std::move(values);
  }
}

/** Derivative of the estimate along one number of a parameter by a central difference; the draws stay. */
inline double difference(Objective& fit, std::size_t parameter, std::size_t element) {
  const double h = 1e-5;
  double& place = fit.inputs.parameters[parameter][element];
  const double here = place;
  const auto at = [&](double value) {
    place = value;
    return ir::interpret(fit.graph(), fit.inputs).number(fit.graph(), "elbo");
  };
  const double slope = (at(here + h) - at(here - h)) / (2 * h);
  place = here;
  return slope;
}

/** Compares derivatives with differences: of large parameters the first numbers and ever fewer later. */
inline void check_gradients(Objective& fit) {
  const auto value = fit.evaluate();
  REQUIRE(std::isfinite(value.elbo));
  for (std::size_t p = 0; p < fit.graph().parameters.size(); ++p) {
    const std::string name = fit.graph().parameters[p].name;
    for (std::size_t k = 0; k < fit.inputs.parameters[p].size(); k += 1 + k / 8) {
      INFO(name << " " << k);
      CHECK(value.gradient.at(name)[k] == Approx(difference(fit, p, k)).epsilon(1e-6).margin(1e-6));
    }
  }
}

/** The same at given unconstrained values, every number of them; none may be 0. */
inline void check_gradients(Objective& fit, const std::map<std::string, std::vector<double>>& at) {
  for (const auto& [name, values] : at)
    fit.set_parameter(name, values);
  const auto gradient = fit.evaluate().gradient;
  for (const auto& [name, values] : at) {
    const auto parameter = static_cast<std::size_t>(fit.elbo().parameters->find(name));
    for (std::size_t k = 0; k < values.size(); ++k) {
      INFO(name << "[" << k << "]");
      CHECK(gradient.at(name)[k] == Approx(difference(fit, parameter, k)).epsilon(1e-6).margin(1e-8));
      CHECK(std::abs(gradient.at(name)[k]) > 1e-4);
    }
  }
}

/** For a program without data under "sampled_elbo": the weights p(z) / q(z) have mean 1 when log q is the
 * density of the draws. `largest_error`: of the mean of the weights, so that the check says something. */
inline void check_density_of_draws(Objective& fit, double largest_error) {
  const int draws = 20'000;
  double mean = 0;
  double squares = 0;
  for (int draw = 0; draw < draws; ++draw) {
    fit.inputs.step = static_cast<std::uint32_t>(draw);
    const double weight = std::exp(ir::interpret(fit.graph(), fit.inputs).number(fit.graph(), "elbo"));
    mean += weight / draws;
    squares += weight * weight / draws;
  }
  const double error = std::sqrt((squares - mean * mean) / draws);
  CHECK(error < largest_error);
  CHECK(std::abs(mean - 1) < 4 * error);
}

/** Two estimates of one bound share their draws, and the second holds the parameters of log q: the values are
 * the same, and the difference of the gradients is the score, of mean 0. */
inline void check_difference_is_score(Objective& sampled, Objective& held) {
  CHECK(held.evaluate().elbo == Approx(sampled.evaluate().elbo).margin(1e-9));
  const int draws = 1500;
  std::map<std::string, std::vector<double>> sum, squares;
  bool differ = false;
  for (int draw = 0; draw < draws; ++draw) {
    sampled.inputs.step = held.inputs.step = static_cast<std::uint32_t>(draw);
    const auto a = sampled.evaluate();
    const auto b = held.evaluate();
    for (const auto& [name, gradient] : a.gradient) {
      sum[name].resize(gradient.size());
      squares[name].resize(gradient.size());
      for (std::size_t k = 0; k < gradient.size(); ++k) {
        const double score = gradient[k] - b.gradient.at(name)[k];
        differ = differ || std::abs(score) > 1e-3;
        sum[name][k] += score / draws;
        squares[name][k] += score * score / draws;
      }
    }
  }
  CHECK(differ);
  for (const auto& [name, mean] : sum)
    for (std::size_t k = 0; k < mean.size(); ++k) {
      INFO(name << " " << k);
      CHECK(std::abs(mean[k]) < 5 * std::sqrt(squares[name][k] / draws) + 1e-9);
    }
}

} // namespace plait::test
