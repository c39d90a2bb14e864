#include "compiler/catalog/support.hpp"

#include <fmt/format.h>

#include <limits>
#include <stdexcept>

namespace plait::catalog {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/** The open interval (lower, upper) behind a real support of one dimension; an unknown bound is empty. */
struct Interval {
  std::optional<double> lower;
  std::optional<double> upper;
};

std::optional<Interval> interval_of(const Support& support) {
  switch (support.kind) {
  case SupportKind::real:
    return Interval{-infinity, infinity};
  case SupportKind::positive:
    return Interval{0.0, infinity};
  case SupportKind::unit_interval:
    return Interval{0.0, 1.0};
  case SupportKind::interval:
    return Interval{support.lower, support.upper};
  case SupportKind::greater_than:
    return Interval{support.lower, infinity};
  case SupportKind::less_than:
    return Interval{-infinity, support.upper};
  default:
    return std::nullopt;
  }
}

// Unknown bounds compare as equal to anything.
bool fits(const Interval& inner, const Interval& outer) {
  return (!inner.lower || !outer.lower || *inner.lower >= *outer.lower) &&
         (!inner.upper || !outer.upper || *inner.upper <= *outer.upper);
}

/** The tightest interval known to hold every entry of a value of several dimensions. */
Interval entries_of(SupportKind kind) {
  switch (kind) {
  case SupportKind::simplex:
    return {0.0, 1.0};
  case SupportKind::positive_ordered:
    return {0.0, infinity};
  case SupportKind::cholesky_corr:
    return {-1.0, 1.0};
  default:
    return {-infinity, infinity};
  }
}

/** Largest value of a discrete support that starts at 0; infinity for counts, empty when unknown. */
std::optional<double> last_of(const Support& support) {
  if (support.kind == SupportKind::bit)
    return 1.0;
  if (support.kind == SupportKind::count)
    return infinity;
  return support.upper;
}

std::string bounds_text(const Support& support) {
  std::string text;
  if (support.lower)
    text += fmt::format("lower={}", *support.lower);
  if (support.upper)
    text += fmt::format("{}upper={}", text.empty() ? "" : ", ", *support.upper);
  return text;
}

} // namespace

bool is_discrete(SupportKind kind) {
  return kind >= SupportKind::bit;
}

bool has_runtime_bounds(const Support& support) {
  if (support.kind == SupportKind::interval)
    return !support.lower || !support.upper;
  return (support.kind == SupportKind::greater_than && !support.lower) ||
         (support.kind == SupportKind::less_than && !support.upper);
}

std::vector<SupportKind> support_kinds() {
  std::vector<SupportKind> kinds;
  for (int kind = 0; kind <= static_cast<int>(SupportKind::count_vector); ++kind)
    kinds.push_back(static_cast<SupportKind>(kind));
  return kinds;
}

std::string to_string(const Support& support) {
  switch (support.kind) {
  case SupportKind::real:
    return "real";
  case SupportKind::positive:
    return "positive";
  case SupportKind::unit_interval:
    return "unit";
  case SupportKind::interval:
  case SupportKind::greater_than:
  case SupportKind::less_than: {
    const std::string bounds = bounds_text(support);
    if (!bounds.empty())
      return "real<" + bounds + ">";
    return support.kind == SupportKind::interval       ? "real<lower=…, upper=…>"
           : support.kind == SupportKind::greater_than ? "real<lower=…>"
                                                       : "real<upper=…>";
  }
  case SupportKind::simplex:
    return "simplex";
  case SupportKind::ordered:
    return "ordered";
  case SupportKind::positive_ordered:
    return "positive_ordered";
  case SupportKind::cholesky_corr:
    return "cholesky_corr";
  case SupportKind::cholesky_cov:
    return "cholesky_cov";
  case SupportKind::covariance:
    return "cov";
  case SupportKind::bit:
    return "bit";
  case SupportKind::count:
    return "int<lower=0>";
  case SupportKind::bounded_count:
    return support.upper ? fmt::format("int<lower=0, upper={}>", *support.upper) : "int<lower=0, upper=…>";
  case SupportKind::category:
    return support.upper ? fmt::format("index<{}>", *support.upper + 1) : "index";
  case SupportKind::count_vector:
    return "int vector with a fixed sum";
  }
  throw std::logic_error("unknown support");
}

bool is_inside(const Support& inner, const Support& outer) {
  if (is_discrete(inner.kind) != is_discrete(outer.kind))
    return outer.kind == SupportKind::real;
  if (is_discrete(inner.kind)) {
    if (inner.kind == SupportKind::count_vector)
      return outer.kind == SupportKind::count_vector || outer.kind == SupportKind::count;
    if (outer.kind == SupportKind::count_vector)
      return false;
    const auto inner_last = last_of(inner);
    const auto outer_last = last_of(outer);
    if (inner.kind == SupportKind::count)
      return outer.kind == SupportKind::count;
    return !inner_last || !outer_last || *inner_last <= *outer_last;
  }
  const auto outer_interval = interval_of(outer);
  if (const auto inner_interval = interval_of(inner))
    return outer_interval && fits(*inner_interval, *outer_interval);
  // Several dimensions inside bounds on their entries. The entries of a simplex or a correlation factor may
  // touch their bounds only in the limit, as the values of an open interval do.
  if (outer_interval)
    return fits(entries_of(inner.kind), *outer_interval);
  if (inner.kind == outer.kind)
    return true;
  switch (outer.kind) {
  case SupportKind::ordered:
    return inner.kind == SupportKind::positive_ordered;
  case SupportKind::cholesky_cov:
    return inner.kind == SupportKind::cholesky_corr;
  default:
    return false;
  }
}

bool can_guide(const Support& guide, const Support& model) {
  if (!is_inside(guide, model) || is_discrete(guide.kind) != is_discrete(model.kind))
    return false;
  // Sets that fill the space of their entries; every other kind is a surface with a measure of its own.
  const auto fills_space = [](SupportKind kind) {
    return is_discrete(kind) || event_rank(kind) == 0 || kind == SupportKind::ordered ||
           kind == SupportKind::positive_ordered;
  };
  return guide.kind == model.kind || (fills_space(guide.kind) && fills_space(model.kind));
}

int event_rank(SupportKind kind) {
  switch (kind) {
  case SupportKind::simplex:
  case SupportKind::ordered:
  case SupportKind::positive_ordered:
  case SupportKind::count_vector:
    return 1;
  case SupportKind::cholesky_corr:
  case SupportKind::cholesky_cov:
  case SupportKind::covariance:
    return 2;
  default:
    return 0;
  }
}

} // namespace plait::catalog
