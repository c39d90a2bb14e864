#include "compiler/compile.hpp"

#include <optional>

namespace plait::compiler {

namespace {

runtime::Size size_of(const program::Dim& dim) {
  if (dim.is_known())
    return {"", dim.constant};
  if (const program::SizeTerm* size = dim.single())
    return {size->name, -1};
  return {program::to_string(dim), -1};
}

runtime::DataConstraint constraint_of(catalog::SupportKind kind) {
  using catalog::SupportKind;
  switch (kind) {
  case SupportKind::simplex:
    return runtime::DataConstraint::simplex;
  case SupportKind::ordered:
    return runtime::DataConstraint::ordered;
  case SupportKind::positive_ordered:
    return runtime::DataConstraint::positive_ordered;
  case SupportKind::cholesky_corr:
  case SupportKind::cholesky_cov:
    return runtime::DataConstraint::cholesky_factor;
  case SupportKind::covariance:
    return runtime::DataConstraint::cov;
  default:
    return runtime::DataConstraint::none;
  }
}

/** Tightens the bounds of observed data to the support of the distributions that observe them. Zero stays
 * allowed for positive supports: an exponential has a finite density there. */
void add_observed_bounds(const program::Program& program, std::vector<runtime::ExpectedData>& expected) {
  const auto tighten = [](runtime::ExpectedData& data, std::optional<double> lower,
                          std::optional<double> upper) {
    if (lower && (!data.lower || data.lower->value < *lower))
      data.lower = runtime::Limit{*lower, false};
    if (upper && (!data.upper || data.upper->value > *upper))
      data.upper = runtime::Limit{*upper, false};
  };
  program::for_each_statement(program.model, [&](const program::Statement& statement) {
    const auto* sample = program::get_if<program::Sample>(statement);
    if (!sample || !sample->observed)
      return;
    for (runtime::ExpectedData& data : expected) {
      if (data.name != program.symbol(sample->symbol).name || data.kind == runtime::DataKind::index)
        continue;
      switch (sample->distribution->support.get().kind) {
      case catalog::SupportKind::positive:
      case catalog::SupportKind::count:
      case catalog::SupportKind::bounded_count:
      case catalog::SupportKind::count_vector:
        tighten(data, 0.0, std::nullopt);
        break;
      case catalog::SupportKind::unit_interval:
      case catalog::SupportKind::bit:
        tighten(data, 0.0, 1.0);
        break;
      default:
        break;
      }
    }
  });
}

} // namespace

std::vector<runtime::ExpectedData> expected_data(const program::Program& program) {
  std::vector<runtime::ExpectedData> result;
  for (program::SymbolId id : program.data) {
    const program::Symbol& symbol = program.symbol(id);
    if (symbol.implicit)
      continue;
    const program::Type& type = symbol.type;
    runtime::ExpectedData expected;
    expected.name = symbol.name;
    switch (type.element) {
    case program::Element::real:
      expected.kind = runtime::DataKind::real;
      break;
    case program::Element::integer:
      expected.kind = runtime::DataKind::integer;
      break;
    case program::Element::bit:
      expected.kind = runtime::DataKind::bit;
      break;
    case program::Element::index:
      expected.kind = runtime::DataKind::index;
      break;
    }
    for (const program::Dim& dim : type.dims)
      expected.sizes.push_back(size_of(dim));
    expected.ragged = type.dims.size() > 1 && type.dims[1].is_ragged();
    using catalog::SupportKind;
    switch (type.support.kind) {
    case SupportKind::positive:
      expected.lower = runtime::Limit{0, true};
      break;
    case SupportKind::unit_interval:
      expected.lower = runtime::Limit{0, false};
      expected.upper = runtime::Limit{1, false};
      break;
    case SupportKind::count:
      expected.lower = runtime::Limit{0, false};
      break;
    default:
      break;
    }
    // The range of an index is that of its set, counted from the base of the file.
    const bool has_bounds =
        type.support.kind != SupportKind::unit_interval && type.element != program::Element::index;
    if (has_bounds && type.support.lower)
      expected.lower = runtime::Limit{*type.support.lower, false};
    if (has_bounds && type.support.upper)
      expected.upper = runtime::Limit{*type.support.upper, false};
    expected.constraint = constraint_of(type.support.kind);
    if (type.index_size)
      expected.index_size = size_of(*type.index_size);
    expected.index_base = type.index_base;
    result.push_back(std::move(expected));
  }
  add_observed_bounds(program, result);
  return result;
}

} // namespace plait::compiler
