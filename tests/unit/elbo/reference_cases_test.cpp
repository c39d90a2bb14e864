// One driver for the rows of tests/oracles/reference_cases.json: numbers that other systems test themselves
// with and golden values of the literature, each derived anew by tests/oracles/regenerate_reference_cases.py.
//
// Most rows know no Monte Carlo error. The draws of a graph are replaced by given numbers: by the nodes of a
// quadrature, whose weighted sum is the expectation of the estimator and of its square to rounding ("grid"),
// or by one point of the noise
// ("noise"). Other rows hold on every draw ("draws"), and a few in the mean ("mean": within four standard
// errors, which must be below the row's tolerance).
#include "build.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <set>

using plait::test::Objective;
using plait::test::Setting;
using Numbers = std::vector<double>;
using Json = nlohmann::json;

namespace {

std::vector<Json> rows_of(const std::string& how) {
  std::ifstream file(std::string(PLAIT_SOURCE_DIR) + "/tests/oracles/reference_cases.json");
  REQUIRE(file);
  std::vector<Json> rows;
  const Json table = Json::parse(file);
  for (const Json& row : table.at("rows"))
    if (row.contains(how))
      rows.push_back(row);
  REQUIRE(!rows.empty());
  return rows;
}

std::int64_t size_of(const plait::ir::Extent& extent, const plait::ir::Inputs& inputs) {
  return extent.is_known() ? extent.value : inputs.extents.at(extent.name);
}

/** How many numbers an array of `shape` for each row of the populations of `axes` has. */
std::int64_t stored_count(const plait::ir::Graph& graph, const plait::ir::Inputs& inputs,
                          const std::vector<plait::ir::Extent>& shape,
                          const std::vector<plait::ir::AxisId>& axes) {
  std::int64_t count = 1;
  for (const plait::ir::Extent& extent : shape)
    count *= size_of(extent, inputs);
  for (plait::ir::AxisId axis : axes)
    count *= size_of(graph.axis(axis).population, inputs);
  return count;
}

Objective objective_of(const Json& row) {
  std::string text;
  for (const Json& line : row.at("program"))
    text += line.get<std::string>() + "\n";
  Setting setting;
  setting.sizes = row.value("sizes", std::map<std::string, std::int64_t>{});
  setting.data = row.value("data", std::map<std::string, Numbers>{});
  for (const auto& [name, lists] : row.value("ragged", std::map<std::string, std::vector<Numbers>>{}))
    setting.ragged[name] = plait::test::ragged_input(lists);
  setting.options.objective = row.at("objective");
  setting.options.objective_options = row.value("objective_options", std::map<std::string, double>{});
  setting.options.particles = row.value("particles", 1);
  setting.options.subsample = row.contains("rows");
  Objective objective(text, setting);
  for (const auto& [name, numbers] : row.value("parameters", std::map<std::string, Numbers>{}))
    objective.set_parameter(name, numbers);
  // What the program does not name, such as running averages of costs, starts at 0.
  for (std::size_t k = 0; k < objective.graph().parameters.size(); ++k)
    if (objective.inputs.parameters[k].empty())
      objective.inputs.parameters[k].resize(static_cast<std::size_t>(
          stored_count(objective.graph(), objective.inputs, objective.graph().parameters[k].shape,
                       objective.graph().parameters[k].axes)));
  return objective;
}

/** The graph with its draws turned into inputs that the test sets. */
class Noise {
public:
  explicit Noise(const Objective& objective) : graph_(objective.graph()), inputs_(objective.inputs) {
    std::erase_if(graph_.outputs, [](const plait::ir::Output& output) {
      return output.kind != plait::ir::OutputKind::scalar && output.kind != plait::ir::OutputKind::gradient;
    });
    std::set<plait::ir::NodeId> live;
    for (const plait::ir::Output& output : graph_.outputs)
      visit(output.node, live);
    for (plait::ir::NodeId id : live) {
      const plait::ir::Node node = graph_.node(id);
      if (node.kind != plait::ir::Kind::random)
        continue;
      REQUIRE(node.region == plait::ir::root_region); // in a loop every iteration would have the same noise
      const std::int64_t count = stored_count(graph_, inputs_, node.type.shape, node.type.axes);
      plait::ir::Node& replaced = graph_.node(id);
      replaced.kind = plait::ir::Kind::parameter;
      replaced.index = static_cast<std::int32_t>(graph_.parameters.size());
      replaced.operands.clear();
      graph_.parameters.push_back({"noise:" + node.name, node.type.shape, node.type.axes, "noise"});
      inputs_.parameters.emplace_back(static_cast<std::size_t>(count));
      draws.push_back({node.name, node.random, static_cast<std::size_t>(replaced.index)});
    }
  }

  struct Draw {
    std::string name; ///< the site, "#1" and so on behind it for the second and later draws of a site
    plait::ir::RandomKind kind;
    std::size_t parameter;
  };
  std::vector<Draw> draws;

  Numbers& of(const Draw& draw) { return inputs_.parameters.at(draw.parameter); }
  const plait::ir::Graph& graph() const { return graph_; }
  plait::ir::Inputs& inputs() { return inputs_; }

private:
  void visit(plait::ir::NodeId id, std::set<plait::ir::NodeId>& live) {
    if (!live.insert(id).second)
      return;
    for (plait::ir::NodeId operand : graph_.node(id).operands)
      visit(operand, live);
    if (graph_.node(id).kind != plait::ir::Kind::loop)
      return;
    const plait::ir::Loop& loop = graph_.loop_of(id);
    for (const auto* list : {&loop.nexts, &loop.stacked, &loop.accumulated})
      for (plait::ir::NodeId result : *list)
        visit(result, live);
  }

  plait::ir::Graph graph_;
  plait::ir::Inputs inputs_;
};

/** Weighted sums of the estimate, of its gradient and of their squares. */
struct Moments {
  double weight = 0, elbo = 0, elbo_square = 0;
  std::map<std::string, Numbers> gradient, square;

  void add(const plait::ir::Graph& graph, const plait::ir::Inputs& inputs, double by) {
    const plait::ir::Results results = plait::ir::interpret(graph, inputs);
    const double value = results.number(graph, "elbo");
    weight += by;
    elbo += by * value;
    elbo_square += by * value * value;
    for (std::size_t k = 0; k < graph.outputs.size(); ++k)
      if (graph.outputs[k].kind == plait::ir::OutputKind::gradient)
        add_gradient(graph, inputs, graph.outputs[k], results.outputs[k].numbers, by);
  }

  double variance(const std::string& name, std::size_t k) const {
    return square.at(name)[k] - gradient.at(name)[k] * gradient.at(name)[k];
  }

private:
  void add_gradient(const plait::ir::Graph& graph, const plait::ir::Inputs& inputs,
                    const plait::ir::Output& output, const Numbers& loss, double by) {
    const plait::ir::Parameter& parameter = graph.parameters.at(static_cast<std::size_t>(output.index));
    // A parameter in a subsampled plate reports the drawn rows, in their order.
    const std::vector<std::uint32_t>* drawn = nullptr;
    for (plait::ir::AxisId axis : parameter.axes)
      if (graph.axis(axis).subsampled)
        drawn = &inputs.rows.at(static_cast<std::size_t>(graph.axis(axis).minibatch));
    const std::size_t stored = inputs.parameters.at(static_cast<std::size_t>(output.index)).size();
    gradient[output.name].resize(stored);
    square[output.name].resize(stored);
    for (std::size_t k = 0; k < loss.size(); ++k) {
      const std::size_t place = drawn ? (*drawn)[k] : k;
      gradient[output.name].at(place) -= by * loss[k];
      square[output.name].at(place) += by * loss[k] * loss[k];
    }
  }
};

/** Sums over the tensor product of the nodes given for every single number that is drawn. */
void add_grid(Moments& moments, Noise& noise, const Json& grid, double by) {
  struct Axis {
    double* place;
    Numbers points, weights;
  };
  std::vector<Axis> axes;
  for (const Noise::Draw& draw : noise.draws) {
    const std::string kind = draw.kind == plait::ir::RandomKind::normal    ? "normal"
                             : draw.kind == plait::ir::RandomKind::uniform ? "uniform"
                                                                           : "log_gamma";
    INFO("draw " << draw.name << " of kind " << kind);
    const std::string key = grid.contains(draw.name) ? draw.name : kind;
    REQUIRE(grid.contains(key));
    for (double& number : noise.of(draw))
      axes.push_back({&number, grid.at(key).at("points"), grid.at(key).at("weights")});
  }
  std::vector<std::size_t> digits(axes.size());
  for (bool more = true; more;) {
    double weight = by;
    for (std::size_t a = 0; a < axes.size(); ++a) {
      *axes[a].place = axes[a].points[digits[a]];
      weight *= axes[a].weights[digits[a]];
    }
    moments.add(noise.graph(), noise.inputs(), weight);
    more = false;
    for (std::size_t a = 0; a < axes.size() && !more; ++a) {
      digits[a] = (digits[a] + 1) % axes[a].points.size();
      more = digits[a] != 0;
    }
  }
}

/** The subsets of rows that a row of the table asks for: listed, or all of one size. */
std::vector<std::vector<std::uint32_t>> subsets_of(const Json& rows, std::int64_t population) {
  if (rows.is_array())
    return rows;
  std::vector<std::vector<std::uint32_t>> subsets;
  const auto wanted = rows.at("every").get<std::size_t>();
  for (std::uint32_t mask = 0; mask < 1U << population; ++mask) {
    std::vector<std::uint32_t> subset;
    for (std::uint32_t row = 0; row < population; ++row)
      if (mask >> row & 1)
        subset.push_back(row);
    if (subset.size() == wanted)
      subsets.push_back(subset);
  }
  return subsets;
}

/** |a - b| <= tolerance (1 + |b|). */
bool near(double found, double expected, double tolerance) {
  return std::abs(found - expected) <= tolerance * (1 + std::abs(expected));
}

int check(const Json& row, const Moments& moments) {
  const double tolerance = row.at("tolerance");
  int checks = 0;
  if (row.contains("elbo")) {
    INFO("elbo " << moments.elbo << ", expected " << row.at("elbo"));
    CHECK(near(moments.elbo, row.at("elbo"), tolerance));
    ++checks;
  }
  if (row.contains("elbo_variance")) {
    const double variance = moments.elbo_square - moments.elbo * moments.elbo;
    INFO("variance of the elbo " << variance << ", expected " << row.at("elbo_variance"));
    CHECK(near(variance, row.at("elbo_variance"), tolerance));
    ++checks;
  }
  for (const std::string kind : {"gradient", "variance"})
    for (const auto& [name, expected] : row.value(kind, std::map<std::string, Numbers>{})) {
      REQUIRE(moments.gradient.contains(name));
      REQUIRE(moments.gradient.at(name).size() == expected.size());
      for (std::size_t k = 0; k < expected.size(); ++k) {
        const double found = kind == "gradient" ? moments.gradient.at(name)[k] : moments.variance(name, k);
        INFO(kind << " " << name << "[" << k << "] " << found << ", expected " << expected[k]);
        CHECK(near(found, expected[k], tolerance));
        ++checks;
      }
    }
  return checks;
}

#define PLAIT_ROW(row) INFO((row).at("case").get<std::string>() << ": " << (row).at("why").get<std::string>())

} // namespace

TEST_CASE("reference cases: exact expectations", "[reference]") {
  for (const Json& row : rows_of("grid")) {
    PLAIT_ROW(row);
    Objective objective = objective_of(row);
    Moments moments;
    if (row.contains("rows")) {
      const auto subsets = subsets_of(row.at("rows"), row.at("population").get<std::int64_t>());
      REQUIRE(!subsets.empty());
      for (const auto& subset : subsets) {
        objective.set_rows(0, subset);
        Noise noise(objective);
        add_grid(moments, noise, row.at("grid"), 1.0 / static_cast<double>(subsets.size()));
      }
    } else {
      Noise noise(objective);
      add_grid(moments, noise, row.at("grid"), 1);
    }
    CHECK(moments.weight == Approx(1).epsilon(1e-9));
    CHECK(check(row, moments) > 0);
  }
}

TEST_CASE("reference cases: estimates at given noise", "[reference]") {
  for (const Json& row : rows_of("noise")) {
    PLAIT_ROW(row);
    const Objective objective = objective_of(row);
    Noise noise(objective);
    REQUIRE(noise.draws.size() == row.at("noise").size());
    for (const Noise::Draw& draw : noise.draws) {
      const Numbers given = row.at("noise").at(draw.name);
      REQUIRE(given.size() == noise.of(draw).size());
      noise.of(draw) = given;
    }
    Moments moments;
    moments.add(noise.graph(), noise.inputs(), 1);
    CHECK(check(row, moments) > 0);
  }
}

TEST_CASE("reference cases: what holds on every draw", "[reference]") {
  for (const Json& row : rows_of("draws")) {
    PLAIT_ROW(row);
    Objective objective = objective_of(row);
    for (std::uint32_t step = 0; step < row.at("draws").get<std::uint32_t>(); ++step) {
      objective.inputs.step = step;
      Moments moments;
      moments.add(objective.graph(), objective.inputs, 1);
      CHECK(check(row, moments) > 0);
    }
  }
}

TEST_CASE("reference cases: means over many draws", "[reference]") {
  for (const Json& row : rows_of("mean")) {
    PLAIT_ROW(row);
    Objective objective = objective_of(row);
    const double tolerance = row.at("tolerance");
    // What the expected number itself may be off by, where it was simulated.
    const double slack = row.value("slack", 0.0);
    const auto mean = objective.average(row.at("mean"));
    if (row.contains("elbo")) {
      INFO("elbo " << mean.elbo << " +- " << mean.elbo_error << ", expected " << row.at("elbo"));
      CHECK(4 * mean.elbo_error <= tolerance);
      CHECK(std::abs(mean.elbo - row.at("elbo").get<double>()) <= 4 * mean.elbo_error + slack);
    }
    for (const auto& [name, expected] : row.at("gradient").get<std::map<std::string, Numbers>>()) {
      REQUIRE(mean.gradient.at(name).size() == expected.size());
      for (std::size_t k = 0; k < expected.size(); ++k) {
        const double error = mean.error.at(name)[k];
        INFO(name << "[" << k << "] " << mean.gradient.at(name)[k] << " +- " << error << ", expected "
                  << expected[k]);
        CHECK(4 * error <= tolerance);
        CHECK(std::abs(mean.gradient.at(name)[k] - expected[k]) <= 4 * error + slack);
      }
    }
  }
}
