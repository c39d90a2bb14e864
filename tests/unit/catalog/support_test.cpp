#include "tests/unit/catalog/harness.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>

// Bijectors against tests/oracles/supports.json, and the table of which support lies inside which.

namespace {

using namespace plait;
using namespace plait::test;
using catalog::Support;
using catalog::SupportKind;

const std::map<std::string, SupportKind> kinds = {
    {"real", SupportKind::real},
    {"positive", SupportKind::positive},
    {"unit_interval", SupportKind::unit_interval},
    {"interval", SupportKind::interval},
    {"greater_than", SupportKind::greater_than},
    {"less_than", SupportKind::less_than},
    {"simplex", SupportKind::simplex},
    {"ordered", SupportKind::ordered},
    {"positive_ordered", SupportKind::positive_ordered},
    {"cholesky_corr", SupportKind::cholesky_corr},
    {"cholesky_cov", SupportKind::cholesky_cov},
    {"covariance", SupportKind::covariance},
};

Support support_of(const nlohmann::json& row) {
  Support support{kinds.at(row.at("kind").get<std::string>())};
  if (row.contains("lower"))
    support.lower = row["lower"].get<double>();
  if (row.contains("upper"))
    support.upper = row["upper"].get<double>();
  return support;
}

Shape unconstrained_shape(const Support& support, const Shape& shape) {
  return catalog::unconstrained_shape(support.kind, shape);
}

std::vector<std::int64_t> sizes_of(const Shape& shape) {
  std::vector<std::int64_t> sizes;
  for (const Extent& extent : shape)
    sizes.push_back(extent.value);
  return sizes;
}

void check_all(const Numbers& found, const Numbers& expected, double tolerance) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t k = 0; k < found.size(); ++k) {
    INFO("entry " << k << ": " << found[k] << ", expected " << expected[k]);
    CHECK(close(found[k], expected[k], tolerance));
  }
}

} // namespace

TEST_CASE("every continuous support has an oracle row") {
  std::set<SupportKind> listed;
  for (const auto& row : oracle("supports"))
    listed.insert(support_of(row).kind);
  for (const SupportKind kind : catalog::support_kinds()) {
    INFO(catalog::to_string({kind}));
    CHECK(listed.contains(kind) != catalog::is_discrete(kind));
  }
}

TEST_CASE("bijectors equal the oracle, alone and in a batch") {
  for (const auto& row : oracle("supports")) {
    const Support support = support_of(row);
    const auto y = row.at("unconstrained").get<Numbers>();
    const auto x = row.at("constrained").get<Numbers>();
    const Shape event = shape_of(row.at("shape"));
    INFO(catalog::to_string(support) << " at " << row["unconstrained"].dump());
    for (const std::int64_t copies : {0, 3}) {
      Program program;
      Shape shape = event;
      Numbers given;
      Numbers expected;
      for (std::int64_t copy = 0; copy < std::max<std::int64_t>(copies, 1); ++copy) {
        given.insert(given.end(), y.begin(), y.end());
        expected.insert(expected.end(), x.begin(), x.end());
      }
      if (copies > 0)
        shape.insert(shape.begin(), Extent::known(copies));
      const Value unconstrained = program.parameter(unconstrained_shape(support, shape), given);
      const auto result = catalog::constrain(program.builder, support, {}, unconstrained, shape);
      REQUIRE(result.value.type().shape == shape);
      REQUIRE(result.log_abs_det_jacobian.type().shape ==
              Shape(shape.begin(), shape.end() - catalog::event_rank(support.kind)));
      check_all(program.numbers(result.value), expected, 1e-13);
      for (const double found : program.numbers(result.log_abs_det_jacobian))
        CHECK(close(found, row.at("log_det").get<double>(), 1e-12));
      check_all(catalog::unconstrain(support, sizes_of(shape), program.numbers(result.value)), given, 1e-9);
    }
  }
}

TEST_CASE("bijectors are differentiable") {
  for (const auto& row : oracle("supports")) {
    const Support support = support_of(row);
    const Shape shape = shape_of(row.at("shape"));
    INFO(catalog::to_string(support) << " at " << row["unconstrained"].dump());
    Program program;
    const Value y =
        program.parameter(unconstrained_shape(support, shape), row["unconstrained"].get<Numbers>());
    const auto result = catalog::constrain(program.builder, support, {}, y, shape);
    Numbers weights;
    for (std::size_t k = 0; k < count_of(shape); ++k)
      weights.push_back(0.3 + static_cast<double>(k));
    const Value weight = program.builder.literal(ir::Element::real, shape, weights);
    check_gradient(program, program.builder.sum_event(weight * result.value) + result.log_abs_det_jacobian,
                   {y}, 1e-7);
  }
}

TEST_CASE("0 is the uniform point of a simplex, also of a long one") {
  for (const std::int64_t size : {1, 2, 5, 64, 65, 66, 200}) {
    Program program;
    const Shape shape = {Extent::known(size)};
    const Value y =
        program.parameter({Extent::known(size - 1)}, Numbers(static_cast<std::size_t>(size - 1), 0.0));
    const auto result = catalog::constrain(program.builder, {SupportKind::simplex}, {}, y, shape);
    for (const double entry : program.numbers(result.value))
      CHECK(entry == Approx(1 / static_cast<double>(size)));
  }
}

TEST_CASE("long vectors go the way of short ones") {
  // Longer than the limit up to which running sums are matrix products.
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  for (const SupportKind kind : {SupportKind::simplex, SupportKind::ordered, SupportKind::positive_ordered}) {
    INFO(catalog::to_string({kind}));
    Program program;
    const Shape shape = {Extent::known(2), Extent::known(97)};
    const Shape free = catalog::unconstrained_shape(kind, shape);
    Numbers y(count_of(free));
    for (double& entry : y)
      entry = normal(random) * 0.3;
    const auto result = catalog::constrain(program.builder, {kind}, {}, program.parameter(free, y), shape);
    check_all(catalog::unconstrain({kind}, sizes_of(shape), program.numbers(result.value)), y, 1e-9);
  }
}

TEST_CASE("bounds may be values of the program") {
  Program program;
  const Value y = program.parameter({Extent::known(2)}, {0.0, 1.0});
  const Value lower = program.parameter({}, {-2.0});
  const Value upper = program.parameter({Extent::known(2)}, {4.0, 5.0});
  const auto result =
      catalog::constrain(program.builder, {SupportKind::interval}, {lower, upper}, y, {Extent::known(2)});
  const Numbers x = program.numbers(result.value);
  CHECK(x[0] == Approx(1.0));
  CHECK(x[1] == Approx(-2 + 7 / (1 + std::exp(-1.0))));
  CHECK_THROWS_AS(catalog::constrain(program.builder, {SupportKind::interval}, {}, y, {Extent::known(2)}),
                  std::logic_error);
  CHECK_THROWS_AS(catalog::constrain(program.builder, {SupportKind::count}, {}, y, {Extent::known(2)}),
                  std::logic_error);
}

TEST_CASE("values outside of their support are named") {
  const auto rejects = [](const Support& support, const std::vector<std::int64_t>& shape,
                          const Numbers& numbers, const std::string& text) {
    try {
      catalog::unconstrain(support, shape, numbers);
      FAIL_CHECK("accepted by " << catalog::to_string(support));
    } catch (const std::domain_error& error) {
      CHECK_THAT(error.what(), Catch::Contains(text));
    }
  };
  const double infinity = std::numeric_limits<double>::infinity();
  rejects({SupportKind::real}, {}, {infinity}, "inf is not inside real");
  rejects({SupportKind::positive}, {2}, {1.0, 0.0}, "0 is not inside positive");
  rejects({SupportKind::unit_interval}, {}, {1.0}, "1 is not inside unit");
  rejects({SupportKind::interval, -1.0, 2.0}, {}, {2.5}, "2.5 is not inside real<lower=-1, upper=2>");
  rejects({SupportKind::interval}, {}, {2.5}, "known only while the model runs");
  rejects({SupportKind::greater_than, 3.0}, {}, {2.5}, "real<lower=3>");
  rejects({SupportKind::less_than, {}, 3.0}, {}, {3.5}, "real<upper=3>");
  rejects({SupportKind::simplex}, {3}, {0.5, 0.25, 0.5}, "sum to 1.25");
  rejects({SupportKind::simplex}, {2}, {0.0, 1.0}, "0 is not inside simplex");
  rejects({SupportKind::ordered}, {3}, {0.5, 1.5, 1.5}, "1.5 follows 1.5");
  rejects({SupportKind::positive_ordered}, {2}, {-0.5, 1.5}, "-0.5");
  rejects({SupportKind::cholesky_cov}, {2, 2}, {1, 0.5, 0, 1}, "above the diagonal");
  rejects({SupportKind::cholesky_cov}, {2, 2}, {1, 0, 0.5, -1}, "diagonal holds -1");
  rejects({SupportKind::cholesky_corr}, {2, 2}, {1, 0, 0.5, 0.5}, "row 1 has length");
  rejects({SupportKind::covariance}, {2, 2}, {1, 2, 2, 1}, "not positive definite");
  rejects({SupportKind::covariance}, {2, 2}, {1, 0.2, 0.3, 1}, "differ");
}

TEST_CASE("supports print as a user writes them") {
  CHECK(catalog::to_string({SupportKind::real}) == "real");
  CHECK(catalog::to_string({SupportKind::positive}) == "positive");
  CHECK(catalog::to_string({SupportKind::unit_interval}) == "unit");
  CHECK(catalog::to_string({SupportKind::interval, 0.0, 2.0}) == "real<lower=0, upper=2>");
  CHECK(catalog::to_string({SupportKind::greater_than, 0.5}) == "real<lower=0.5>");
  CHECK(catalog::to_string({SupportKind::category, 0.0, 4.0}) == "index<5>");
  CHECK(catalog::to_string({SupportKind::covariance}) == "cov");
  std::set<std::string> names;
  for (const SupportKind kind : catalog::support_kinds())
    names.insert(catalog::to_string({kind}));
  CHECK(names.size() == catalog::support_kinds().size());
}

TEST_CASE("which support lies inside which") {
  const Support unit{SupportKind::unit_interval};
  const Support positive{SupportKind::positive};
  const Support real{SupportKind::real};
  const Support zero_to_two{SupportKind::interval, 0.0, 2.0};
  const Support unknown{SupportKind::interval};
  const Support simplex{SupportKind::simplex};
  const Support bit{SupportKind::bit};
  const Support count{SupportKind::count};
  const Support up_to_ten{SupportKind::bounded_count, 0.0, 10.0};
  const Support five{SupportKind::category, 0.0, 4.0};
  const Support counts{SupportKind::count_vector};
  const auto inside = [](const Support& a, const Support& b) { return catalog::is_inside(a, b); };

  for (const SupportKind kind : catalog::support_kinds()) {
    INFO(catalog::to_string({kind}));
    CHECK(inside({kind}, {kind}));
    CHECK(inside({kind}, real));
    if (kind != SupportKind::real) {
      CHECK(inside(real, {kind}) == (kind == SupportKind::interval || kind == SupportKind::greater_than ||
                                     kind == SupportKind::less_than));
      CHECK(catalog::can_guide({kind}, {kind}));
    }
  }
  CHECK(inside(unit, positive));
  CHECK(inside(unit, zero_to_two));
  CHECK_FALSE(inside(positive, unit));
  CHECK_FALSE(inside(zero_to_two, unit));
  CHECK(inside(zero_to_two, positive));
  CHECK(inside(positive, {SupportKind::greater_than, 0.0}));
  CHECK(inside(positive, {SupportKind::greater_than, -1.0}));
  CHECK_FALSE(inside(positive, {SupportKind::greater_than, 1.0}));
  CHECK_FALSE(inside({SupportKind::less_than, {}, 1.0}, positive));
  CHECK(inside(unknown, zero_to_two));
  CHECK(inside(zero_to_two, unknown));
  CHECK(inside(simplex, unit));
  CHECK(inside(simplex, positive));
  CHECK_FALSE(inside({SupportKind::ordered}, positive));
  CHECK(inside({SupportKind::positive_ordered}, positive));
  CHECK(inside({SupportKind::positive_ordered}, {SupportKind::ordered}));
  CHECK_FALSE(inside({SupportKind::ordered}, {SupportKind::positive_ordered}));
  CHECK(inside({SupportKind::cholesky_corr}, {SupportKind::cholesky_cov}));
  CHECK_FALSE(inside({SupportKind::cholesky_cov}, {SupportKind::cholesky_corr}));
  CHECK_FALSE(inside({SupportKind::cholesky_cov}, {SupportKind::covariance}));
  CHECK(inside(bit, count));
  CHECK(inside(bit, up_to_ten));
  CHECK(inside(five, up_to_ten));
  CHECK_FALSE(inside(up_to_ten, five));
  CHECK_FALSE(inside(count, up_to_ten));
  CHECK_FALSE(inside(bit, unit));
  CHECK_FALSE(inside(unit, bit));
  CHECK_FALSE(inside(counts, up_to_ten));
  CHECK(inside(counts, count));
  CHECK_FALSE(inside(count, counts));

  CHECK(catalog::can_guide(unit, positive));
  CHECK_FALSE(catalog::can_guide(positive, unit));
  CHECK_FALSE(catalog::can_guide(simplex, unit));
  CHECK_FALSE(catalog::can_guide(bit, real));
  CHECK(catalog::can_guide({SupportKind::positive_ordered}, {SupportKind::ordered}));
  CHECK(catalog::can_guide({SupportKind::ordered}, real));
  CHECK_FALSE(catalog::can_guide({SupportKind::cholesky_corr}, {SupportKind::cholesky_cov}));
}
