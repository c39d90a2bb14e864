// Two subsampled plates at once: side by side, crossed and nested. The mean of the step over all pairs of
// subsets is the step on all rows, to rounding, in value and gradient. Noise is keyed by the global row, so
// that the draws of a row are the same in every subset.
#include "tests/unit/elbo/two_plates.hpp"

#include <bit>

using namespace plait;
using namespace plait::test;
using namespace plait::test::two_plates;

namespace {

/// Adds what a gradient reports for the rows drawn to an array over all rows.
void add(const Objective& part, const std::string& name, const Numbers& drawn, double weight, Numbers& sum) {
  const ir::Graph& graph = part.graph();
  const auto index = static_cast<std::size_t>(part.elbo().parameters->find(name));
  const ir::Parameter& parameter = graph.parameters.at(index);
  sum.resize(part.inputs.parameters[index].size());
  std::size_t points = 1;
  for (ir::AxisId axis : parameter.axes)
    points *=
        graph.axis(axis).subsampled
            ? part.inputs.rows.at(static_cast<std::size_t>(graph.axis(axis).minibatch)).size()
            : static_cast<std::size_t>(part.inputs.extents.at(ir::to_string(graph.axis(axis).population)));
  const std::size_t width = drawn.size() / points;
  REQUIRE(width * points == drawn.size());
  for (std::size_t point = 0; point < points; ++point) {
    std::size_t rest = point, row = 0, stride = 1;
    for (std::size_t a = parameter.axes.size(); a-- > 0;) {
      const ir::Axis& axis = graph.axis(parameter.axes[a]);
      const auto population =
          static_cast<std::size_t>(part.inputs.extents.at(ir::to_string(axis.population)));
      const Rows* rows =
          axis.subsampled ? &part.inputs.rows[static_cast<std::size_t>(axis.minibatch)] : nullptr;
      const std::size_t count = rows ? rows->size() : population;
      row += stride * (rows ? (*rows)[rest % count] : rest % count);
      rest /= count;
      stride *= population;
    }
    for (std::size_t e = 0; e < width; ++e)
      sum.at(row * width + e) += weight * drawn[point * width + e];
  }
}

std::vector<Rows> subsets(std::uint32_t population, int count) {
  std::vector<Rows> result;
  for (std::uint32_t mask = 0; mask < 1U << population; ++mask)
    if (std::popcount(mask) == count) {
      result.emplace_back();
      for (std::uint32_t row = 0; row < population; ++row)
        if (mask >> row & 1)
          result.back().push_back(row);
    }
  return result;
}

struct Sum {
  double elbo = 0, weight = 0;
  std::map<std::string, Numbers> gradient;

  void add(const Objective& part, double by) {
    const Objective::Value value = part.evaluate();
    elbo += by * value.elbo;
    weight += by;
    for (const auto& [name, numbers] : value.gradient)
      ::add(part, name, numbers, by, gradient[name]);
  }
};

void check_equal(const Sum& mean, const Objective::Value& whole) {
  CHECK(mean.weight == Approx(1).epsilon(1e-12));
  CHECK(mean.elbo == Approx(whole.elbo).epsilon(1e-11));
  REQUIRE(mean.gradient.size() == whole.gradient.size());
  REQUIRE(!whole.gradient.empty());
  double largest = 0;
  for (const auto& [name, numbers] : whole.gradient)
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      INFO(name << " " << k);
      CHECK(mean.gradient.at(name)[k] == Approx(numbers[k]).epsilon(1e-10).margin(1e-11));
      largest = std::max(largest, std::abs(numbers[k]));
    }
  CHECK(largest > 0.1); // there is something to compare
}

/// The minibatches of a graph, in its order, with the subsets to draw.
std::vector<std::vector<Rows>> all_subsets(const Objective& part) {
  std::vector<std::vector<Rows>> result;
  for (const ir::Minibatch& minibatch : part.graph().minibatches) {
    const std::uint32_t population = ir::to_string(minibatch.population) == "N" ? size_n : size_m;
    result.push_back(subsets(population, minibatch.plate == "rows" ? 3 : 2));
  }
  return result;
}

} // namespace

TEST_CASE("the mean over all pairs of subsets is the full-data step") {
  for (const Program& program : programs())
    for (const std::string objective : {"elbo", "sampled_elbo", "stl"}) {
      if (!program.objectives.empty() && std::find(program.objectives.begin(), program.objectives.end(),
                                                   objective) == program.objectives.end())
        continue;
      INFO(program.name << ", " << objective);
      const auto whole = make(program, objective, false).evaluate();
      Objective part = make(program, objective, true);
      const auto choices = all_subsets(part);
      REQUIRE(choices.size() == 2);
      Sum mean;
      const double weight = 1.0 / static_cast<double>(choices[0].size() * choices[1].size());
      for (const Rows& first : choices[0])
        for (const Rows& second : choices[1]) {
          part.set_rows(0, first);
          part.set_rows(1, second);
          mean.add(part, weight);
        }
      check_equal(mean, whole);
      // One pair is not the full data: what is tested is a mean of different numbers.
      CHECK(part.evaluate().elbo != Approx(whole.elbo).epsilon(1e-6));
    }
}

// A pass with batches of 3 and 1 of four rows, 2 and 1 of three. Each batch is scaled by N over its own size.
// Weighted by that size over N, the batches of a pass add up to the full value: every row counts once. The
// plain mean of a pass does not, the row of the short batch counts for more; it is right on average over the
// orders in which the rows come, because each batch alone is then a uniform subset of its size.
TEST_CASE("a pass in batches, the last one shorter, adds up to the full-data step") {
  for (const Program& program : programs()) {
    INFO(program.name);
    const auto whole = make(program, "sampled_elbo", false).evaluate();
    Objective part = make(program, "sampled_elbo", true);
    const auto passes = [&](std::size_t minibatch) -> std::vector<Rows> {
      return ir::to_string(part.graph().minibatches[minibatch].population) == "N"
                 ? std::vector<Rows>{{0, 2, 3}, {1}}
                 : std::vector<Rows>{{0, 1}, {2}};
    };
    Sum weighted, plain;
    for (const Rows& first : passes(0))
      for (const Rows& second : passes(1)) {
        part.set_rows(0, first);
        part.set_rows(1, second);
        const double rows = static_cast<double>(first.size() * second.size());
        const std::size_t all = (passes(0)[0].size() + 1) * (passes(1)[0].size() + 1);
        weighted.add(part, rows / static_cast<double>(all));
        plain.add(part, 0.25);
      }
    check_equal(weighted, whole);
    CHECK(plain.elbo != Approx(whole.elbo).epsilon(1e-6));
    // The short batches alone, over all rows that may be left for them.
    Sum last;
    const auto rows_of = [&](std::size_t minibatch) {
      return ir::to_string(part.graph().minibatches[minibatch].population) == "N" ? size_n : size_m;
    };
    for (std::uint32_t i = 0; i < rows_of(0); ++i)
      for (std::uint32_t j = 0; j < rows_of(1); ++j) {
        part.set_rows(0, {i});
        part.set_rows(1, {j});
        last.add(part, 1.0 / (rows_of(0) * rows_of(1)));
      }
    check_equal(last, whole);
  }
}

TEST_CASE("plates one index at a time give the same numbers") {
  for (const Program& program : programs()) {
    INFO(program.name);
    Program sequential = program;
    sequential.text = one_at_a_time(program.text);
    REQUIRE(sequential.text != program.text);
    Objective together = make(program, "elbo", true), one_by_one = make(sequential, "elbo", true);
    for (Objective* objective : {&together, &one_by_one})
      for (std::size_t k = 0; k < 2; ++k)
        objective->set_rows(k, {0, 2});
    const auto expected = together.evaluate(), found = one_by_one.evaluate();
    CHECK(found.elbo == Approx(expected.elbo).epsilon(1e-13));
    REQUIRE(found.gradient.size() == expected.gradient.size());
    for (const auto& [name, numbers] : expected.gradient)
      for (std::size_t k = 0; k < numbers.size(); ++k) {
        INFO(name << " " << k);
        CHECK(found.gradient.at(name)[k] == Approx(numbers[k]).epsilon(1e-12).margin(1e-13));
      }
  }
}
