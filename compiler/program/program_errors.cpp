#include "compiler/program/program_errors.hpp"

#include <fmt/format.h>

#include <cmath>

namespace plait::program::errors {

namespace {

void suggest(Diagnostic& diagnostic, const std::optional<std::string>& nearest) {
  if (nearest)
    diagnostic.with_hint(fmt::format("did you mean `{}`?", *nearest));
}

std::string_view describe(SymbolKind kind) {
  switch (kind) {
  case SymbolKind::constant:
    return "a constant";
  case SymbolKind::data:
    return "data";
  case SymbolKind::param:
    return "a parameter";
  case SymbolKind::site:
    return "sampled";
  case SymbolKind::plate_index:
  case SymbolKind::loop_index:
    return "an index";
  case SymbolKind::local:
    break;
  }
  return "a value";
}

std::string describe(const catalog::Support& support) {
  using catalog::SupportKind;
  double lower = support.lower.value_or(0);
  double upper = support.upper.value_or(0);
  switch (support.kind) {
  case SupportKind::unit_interval:
    return "between 0 and 1";
  case SupportKind::interval:
    if (support.lower && support.upper)
      return fmt::format("between {} and {}", lower, upper);
    return support.lower ? fmt::format("greater than {}", lower) : fmt::format("less than {}", upper);
  case SupportKind::greater_than:
    return fmt::format("greater than {}", lower);
  case SupportKind::less_than:
    return fmt::format("less than {}", upper);
  case SupportKind::simplex:
    return "a share between 0 and 1";
  case SupportKind::bit:
    return "0 or 1";
  case SupportKind::count:
    return "a whole number of at least 0";
  case SupportKind::bounded_count:
  case SupportKind::category:
    return support.upper ? fmt::format("a whole number from 0 to {}", upper) : "a whole number of at least 0";
  default:
    return catalog::to_string(support);
  }
}

} // namespace

Diagnostic& unknown_name(Diagnostics& out, Span span, const std::string& name,
                         const std::optional<std::string>& nearest) {
  Diagnostic& made = out.error("unknown-name", span, fmt::format("unknown name `{}`", name));
  suggest(made, nearest);
  return made;
}

Diagnostic& unknown_function(Diagnostics& out, Span span, const std::string& name,
                             const std::optional<std::string>& nearest) {
  Diagnostic& made = out.error("unknown-function", span, fmt::format("unknown function `{}`", name));
  suggest(made, nearest);
  return made;
}

Diagnostic& unknown_distribution(Diagnostics& out, Span span, const std::string& name,
                                 const std::optional<std::string>& nearest, bool is_function) {
  Diagnostic& made = out.error("unknown-distribution", span, fmt::format("unknown distribution `{}`", name));
  if (is_function)
    made.with_hint("`" + name + "` is a function; write `=` to compute a value");
  else if (nearest)
    suggest(made, nearest);
  else
    made.with_hint("`plait list distributions` names all there are");
  return made;
}

Diagnostic& unknown_strategy(Diagnostics& out, Span span, const std::string& name,
                             const std::optional<std::string>& nearest) {
  Diagnostic& made = out.error("unknown-strategy", span, fmt::format("unknown estimator `{}`", name));
  made.with_hint("a site uses `pathwise`, `score` or `enumerate`");
  suggest(made, nearest);
  return made;
}

Diagnostic& unknown_parameter(Diagnostics& out, Span span, const std::string& distribution,
                              const std::string& name, const std::string& signature) {
  return out.error("unknown-parameter", span, fmt::format("{} has no parameter `{}`", distribution, name))
      .with_hint(fmt::format("it takes {}", signature));
}

Diagnostic& name_taken(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out.error("name-taken", span, fmt::format("`{}` already has a meaning here", name))
      .note(other, "first used here")
      .with_hint("choose another name");
}

Diagnostic& name_is_size(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out.error("name-taken", span, fmt::format("`{}` is a size of the data and cannot be set", name))
      .note(other, "declared as a size here")
      .with_hint("choose another name");
}

Diagnostic& name_out_of_scope(Diagnostics& out, Span span, const std::string& name, Span other,
                              const std::string& why) {
  return out.error("out-of-scope", span, fmt::format("`{}` is not known here", name))
      .note(other, fmt::format("`{}` {}", name, why));
}

Diagnostic& function_sees_only_parameters(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out
      .error("function-scope", span,
             fmt::format("a function sees only its parameters and constants, not `{}`", name))
      .note(other, fmt::format("`{}` is declared here", name))
      .with_hint(fmt::format("pass `{}` as an argument", name));
}

Diagnostic& guide_sees_no_model_locals(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out
      .error("guide-scope", span, fmt::format("the guide does not see `{}`: it belongs to the model", name))
      .note(other, "set in the model here")
      .with_hint("the guide sees data, constants, parameters and functions, and what it samples itself");
}

Diagnostic& function_as_value(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out.error("function-as-value", span, fmt::format("`{}` is a function and must be called", name))
      .note(other, "declared here");
}

Diagnostic& value_as_function(Diagnostics& out, Span span, const std::string& name) {
  return out.error("value-as-function", span, fmt::format("`{}` is not a function", name));
}

Diagnostic& distribution_as_function(Diagnostics& out, Span span, const std::string& name) {
  return out
      .error("distribution-as-function", span,
             fmt::format("`{}` is a distribution; it can only stand after `~`", name))
      .with_hint(fmt::format("write `x ~ {}(…);`", name));
}

Diagnostic& layer_outside_net(Diagnostics& out, Span span, const std::string& name) {
  return out
      .error("layer-outside-net", span,
             fmt::format("`{}` is a layer; layers own weights and stand only inside a `net`", name))
      .with_hint(
          fmt::format("declare `net f(x : real[D]) -> real[H] {{ return {}(x); }}` and call it", name));
}

Diagnostic& second_block(Diagnostics& out, Span span, const std::string& block, Span other) {
  return out.error("second-block", span, fmt::format("a file has one {}, and this is the second", block))
      .note(other, "the first is here");
}

Diagnostic& recursive_function(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out.error("recursion", span, fmt::format("`{}` calls itself", name))
      .note(other, "declared here")
      .with_hint("repeat with `for` instead");
}

Diagnostic& assigns_to(Diagnostics& out, Span span, const std::string& name, SymbolKind kind, Span other) {
  return out
      .error("not-assignable", span, fmt::format("`{}` is {} and cannot be assigned", name, describe(kind)))
      .note(other, "declared here")
      .with_hint("choose another name");
}

Diagnostic& assigns_to_parameter(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out
      .error("not-assignable", span,
             fmt::format("`{}` is a parameter of the function and cannot be assigned", name))
      .note(other, "declared here")
      .with_hint("choose another name");
}

Diagnostic& set_of_unknown_name(Diagnostics& out, const std::string& name,
                                const std::optional<std::string>& nearest) {
  Diagnostic& made = out.add({Severity::error,
                              "unknown-set",
                              std::nullopt,
                              fmt::format("--set {}: the file has no constant or size of this name", name),
                              {},
                              {}});
  suggest(made, nearest);
  return made;
}

Diagnostic& set_does_not_fit(Diagnostics& out, const std::string& name, double value, const std::string& type,
                             Span other) {
  return out
      .add({Severity::error,
            "bad-set",
            std::nullopt,
            fmt::format("--set {}={}: the constant is {}", name, value, type),
            {},
            {}})
      .note(other, "declared here");
}

Diagnostic& set_size_not_positive(Diagnostics& out, const std::string& name, double value, Span other) {
  return out
      .add({Severity::error,
            "bad-set",
            std::nullopt,
            fmt::format("--set {}={}: a size is a whole number of at least 1", name, value),
            {},
            {}})
      .note(other, "used as a size here");
}

Diagnostic& size_set_and_bound(Diagnostics& out, const std::string& name, std::int64_t set,
                               std::int64_t bound, Span other) {
  return out
      .add({Severity::error,
            "size-disagrees",
            std::nullopt,
            fmt::format("the size {} is set to {}, but the data has {}", name, set, bound),
            {},
            {}})
      .note(other, "used as a size here");
}

Diagnostic& guide_takes_one_family(Diagnostics& out, Span span) {
  return out.error("guide-family", span, "`guide auto(…)` takes the name of one family, then its options")
      .with_hint("as in `guide auto(low_rank, rank = 5);`");
}

Diagnostic& guide_option_not_constant(Diagnostics& out, Span span, const std::string& name) {
  return out.error("guide-family", span,
                   fmt::format("the option `{}` of the guide must be a constant number", name));
}

Diagnostic& no_model(Diagnostics& out) {
  return out.add({Severity::error, "no-model", std::nullopt, "the file has no model", {}, {}})
      .with_hint("write `model { … }`");
}

Diagnostic& constant_cycle(Diagnostics& out, Span span, const std::string& name) {
  return out.error("constant-cycle", span, fmt::format("the value of `{}` depends on itself", name));
}

Diagnostic& constant_not_finite(Diagnostics& out, Span span, double value) {
  return out.error("constant-not-finite", span,
                   fmt::format("this has no finite value: it is {}", std::isnan(value) ? "not a number"
                                                                     : value > 0       ? "infinite"
                                                                                       : "minus infinity"));
}

Diagnostic& constant_shape(Diagnostics& out, Span span, const std::string& name, const std::string& declared,
                           const std::string& given, Span other) {
  return out
      .error("shape", span, fmt::format("`{}` is declared {}, but its value is {}", name, declared, given))
      .note(other, "declared here");
}

Diagnostic& constant_outside_support(Diagnostics& out, Span span, const std::string& what, double value,
                                     const catalog::Support& support) {
  return out.error("outside-support", span,
                   fmt::format("{} must be {}, but this is {}", what, describe(support), value));
}

Diagnostic& constant_sum(Diagnostics& out, Span span, const std::string& what, double sum) {
  return out
      .error("outside-support", span, fmt::format("{} must sum to 1, but this sums to {:.6g}", what, sum))
      .with_hint("divide by the sum; `softmax(…)` makes a simplex of any numbers");
}

Diagnostic& constant_sees_only_constants(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out
      .error("constant", span, fmt::format("a constant is made of numbers and constants, not of `{}`", name))
      .note(other, fmt::format("`{}` is declared here", name));
}

Diagnostic& wrong_element(Diagnostics& out, Span span, const std::string& what, const std::string& wanted,
                          const std::string& given) {
  Diagnostic& made =
      out.error("type", span, fmt::format("{} must be {}, but this is {}", what, wanted, given));
  if (given.starts_with("real") && wanted.starts_with("int"))
    made.with_hint("declare it `int`, or convert with `to_integer(…)`");
  return made;
}

Diagnostic& needs_integer(Diagnostics& out, Span span, const std::string& what, const std::string& given) {
  return out.error("type", span, fmt::format("{} must be an int, but this is {}", what, given));
}

Diagnostic& needs_bit(Diagnostics& out, Span span, std::string_view what, const std::string& given) {
  return out.error("type", span, fmt::format("{} needs a truth value (bit), but this is {}", what, given))
      .with_hint("compare: `x > 0`, `k == 1`");
}

Diagnostic& condition_not_scalar(Diagnostics& out, Span span, const std::string& given) {
  return out.error("shape", span, fmt::format("`if` needs one truth value, but this is {}", given))
      .with_hint("use `condition ? a : b`, which chooses element by element");
}

Diagnostic& tuple_as_value(Diagnostics& out, Span span) {
  return out.error("tuple", span, "several values stand where one is needed")
      .with_hint("name them first: `(a, b) = …;`");
}

Diagnostic& not_a_size(Diagnostics& out, Span span, const std::string& given) {
  return out
      .error("size", span, fmt::format("a size must be known before the model runs, but this is {}", given))
      .with_hint("a size is made of whole numbers, constants and sizes of the data");
}

Diagnostic& size_below_one(Diagnostics& out, Span span, std::int64_t value) {
  return out.error("size", span, fmt::format("a size must be at least 1, but this is {}", value));
}

Diagnostic& size_is_other_name(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out
      .error("name-taken", span,
             fmt::format("`{}` stands for a size here, but it is declared as something else", name))
      .note(other, "declared here")
      .with_hint("a size is a `const` or a name of its own");
}

Diagnostic& ragged_size_needs_row(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out.error("ragged", span, fmt::format("the length `{}` differs from row to row", name))
      .note(other, "declared as ragged here")
      .with_hint(fmt::format("name the row: `{}[n]`", name));
}

Diagnostic& ragged_outside_data(Diagnostics& out, Span span) {
  return out.error("ragged", span, "only data can be ragged")
      .with_hint("arrays filled in a `for t in 0..T[n]` are ragged by themselves");
}

Diagnostic& ragged_needs_named_second(Diagnostics& out, Span span) {
  return out
      .error("ragged", span,
             "ragged data needs at least two dimensions, the second a name of its own for the lengths")
      .with_hint("as in `ragged real[N, T, D]`: T[n] are the lengths");
}

Diagnostic& ragged_rows_disagree(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& rows, const std::string& known, Span other) {
  return out
      .error("ragged", span,
             fmt::format("`{}` are the lengths of {} rows here, but of {} rows elsewhere", name, rows, known))
      .note(other, "first used here");
}

Diagnostic& lengths_not_integers(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& rows, Span other) {
  return out
      .error("ragged", span,
             fmt::format("the lengths `{}` of ragged data must be declared int[{}]", name, rows))
      .note(other, "declared here");
}

Diagnostic& bound_not_scalar(Diagnostics& out, Span span, const std::string& given) {
  return out.error("bounds", span, fmt::format("a bound must be one number, but this is {}", given));
}

Diagnostic& bound_not_fixed(Diagnostics& out, Span span) {
  return out.error("bounds", span, "a bound must not depend on latent variables or parameters");
}

Diagnostic& bound_not_integer(Diagnostics& out, Span span) {
  return out.error("bounds", span, "the bound of an int must be an int");
}

Diagnostic& empty_bounds(Diagnostics& out, Span span, double lower, double upper) {
  return out.error("bounds", span,
                   fmt::format("no number lies between lower = {} and upper = {}", lower, upper));
}

Diagnostic& index_base_not_constant(Diagnostics& out, Span span) {
  return out.error("index-base", span, "the base of an index must be a constant whole number");
}

Diagnostic& type_needs_dimension(Diagnostics& out, Span span, const std::string& type) {
  return out.error("type", span, fmt::format("{} needs a size", type))
      .with_hint(fmt::format("write `{}[K]`", type));
}

} // namespace plait::program::errors
