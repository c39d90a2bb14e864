#include "compiler/program/program.hpp"

#include <fmt/format.h>

namespace plait::program {

namespace {

std::string base_name(const Type& type) {
  switch (type.element) {
  case Element::bit:
    return "bit";
  case Element::index:
    return "index<" + (type.index_size ? to_string(*type.index_size) : std::string("?")) + ">";
  case Element::integer:
    if (type.support.lower && type.support.upper)
      return fmt::format("int<lower={}, upper={}>", *type.support.lower, *type.support.upper);
    if (type.support.kind == catalog::SupportKind::count)
      return "int<lower=0>";
    if (type.support.lower)
      return fmt::format("int<lower={}>", *type.support.lower);
    return type.support.upper ? fmt::format("int<upper={}>", *type.support.upper) : "int";
  case Element::real:
    break;
  }
  using catalog::SupportKind;
  auto bound = [](const std::optional<double>& number) {
    return number ? fmt::format("{}", *number) : std::string("…");
  };
  switch (type.support.kind) {
  case SupportKind::positive:
    return "positive";
  case SupportKind::unit_interval:
    return "unit";
  case SupportKind::interval:
    return fmt::format("real<lower={}, upper={}>", bound(type.support.lower), bound(type.support.upper));
  case SupportKind::greater_than:
    return fmt::format("real<lower={}>", bound(type.support.lower));
  case SupportKind::less_than:
    return fmt::format("real<upper={}>", bound(type.support.upper));
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
  default:
    return "real";
  }
}

} // namespace

std::string to_string(const Type& type) {
  if (type.is_tuple()) {
    std::string text = "(";
    for (std::size_t i = 0; i < type.tuple.size(); ++i)
      text += (i ? ", " : "") + to_string(type.tuple[i]);
    return text + ")";
  }
  return base_name(type) + to_string(type.dims);
}

std::optional<double> constant_value(const ExprPtr& expr) {
  if (auto* constant = get_if<Constant>(expr))
    return constant->value;
  return std::nullopt;
}

std::string_view to_string(Strategy strategy) {
  switch (strategy) {
  case Strategy::automatic:
    return "automatic";
  case Strategy::pathwise:
    return "pathwise";
  case Strategy::score:
    return "score";
  case Strategy::enumerate:
    return "enumerate";
  }
  return "automatic";
}

std::optional<std::int64_t> Program::size_value(const Dim& dim) const {
  std::map<std::string, std::int64_t> known;
  for (const auto& [name, size] : sizes)
    if (size.value)
      known.emplace(name, *size.value);
  return evaluate(dim, known);
}

std::vector<ExprPtr> reads_of(const Sample& sample) {
  std::vector<ExprPtr> result = sample.arguments;
  for (const Transform& transform : sample.transforms) {
    result.insert(result.end(), transform.arguments.begin(), transform.arguments.end());
    for (const ExprPtr& part : {transform.net, transform.context})
      if (part)
        result.push_back(part);
  }
  return result;
}

std::string distribution_text(const Sample& sample) {
  std::string result(sample.distribution->name);
  for (const Transform& transform : sample.transforms)
    result = std::string(transform.row->name) + "(" + result + ")";
  return result;
}

} // namespace plait::program
