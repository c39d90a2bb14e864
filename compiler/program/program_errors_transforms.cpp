#include "compiler/program/program_errors.hpp"

#include <fmt/format.h>

namespace plait::program::errors {

Diagnostic& transform_of_nothing(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& usage) {
  return out.error("transform", span, fmt::format("`{}` transforms a distribution, and has none here", name))
      .with_hint(fmt::format("write `{}`, d a distribution such as `normal(0, 1)[3]`", usage));
}

Diagnostic& transform_unknown(Diagnostics& out, Span span, const std::string& name,
                              const std::optional<std::string>& nearest, const std::string& known) {
  Diagnostic& entry =
      out.error("transform", span, fmt::format("there is no transform of distributions named `{}`", name));
  return nearest ? entry.with_hint(fmt::format("did you mean `{}`?", *nearest))
                 : entry.with_hint(fmt::format("there are {}", known));
}

Diagnostic& transform_support(Diagnostics& out, Span span, const std::string& name, const std::string& source,
                              const std::string& support) {
  return out
      .error("transform", span,
             fmt::format("`{}` cannot move the values of {}, whose support is {}", name, source, support))
      .with_hint("`plait list transforms` says what each of them takes");
}

Diagnostic& transform_shape(Diagnostics& out, Span span, const std::string& name, const std::string& shape) {
  return out
      .error("transform", span, fmt::format("`{}` moves a vector of a fixed length; this is {}", name, shape))
      .with_hint("the length must be a number or a `const`; further dimensions are plates");
}

Diagnostic& transform_size(Diagnostics& out, Span span, const std::string& name, const std::string& reason) {
  return out.error("transform", span, fmt::format("`{}`: {}", name, reason));
}

Diagnostic& transform_copies(Diagnostics& out, Span span, const std::string& name) {
  return out
      .error("copies", span, fmt::format("copies of `{}` are those of the distribution inside it", name))
      .with_hint(fmt::format("write `{}(d[n])` for `{}(d)[n]`", name, name));
}

Diagnostic& transform_arguments(Diagnostics& out, Span span, const std::string& name,
                                const std::string& usage) {
  return out.error("arguments", span, fmt::format("wrong arguments of the transform `{}`", name))
      .with_hint(fmt::format("write `{}`", usage));
}

Diagnostic& transform_option(Diagnostics& out, Span span, const std::string& name, const std::string& option,
                             const std::string& range) {
  return out.error("transform", span, fmt::format("`{}` of {} must be a constant, {}", option, name, range));
}

Diagnostic& transform_context(Diagnostics& out, Span span, const std::string& given) {
  return out.error("transform", span,
                   fmt::format("`context` is a real vector of a fixed length; this is {}", given));
}

Diagnostic& transform_net(Diagnostics& out, Span span, const std::string& name, const std::string& net,
                          const std::string& wanted, const std::string& given) {
  return out.error("transform", span,
                   fmt::format("the net of `{}` returns a shift and a log scale, {}; `{}` returns {}", name,
                               wanted, net, given));
}

Diagnostic& transform_not_exchangeable(Diagnostics& out, Span span, const std::string& name) {
  return out
      .error("transform", span,
             fmt::format("`{}` puts independent draws of one distribution in order; the parameters here "
                         "differ from entry to entry",
                         name))
      .with_hint("`to_ordered(d)` takes any vector, by y_0 = x_0, y_k = y_{k-1} + exp(x_k)");
}

Diagnostic& transform_without_density(Diagnostics& out, Span span, const std::string& name) {
  return out
      .error("transform", span,
             fmt::format("the density of `{}` is known at its own draws alone: it can stand in a guide, "
                         "not in the model",
                         name))
      .with_hint(name == "iaf" ? "`coupling` is a flow that works on both sides"
                               : "a distribution with this support may serve");
}

Diagnostic& transform_by_score(Diagnostics& out, Span span, const std::string& distribution) {
  return out
      .error("strategy", span,
             fmt::format("{} is drawn by a map of noise: `using score` cannot see its density at a value "
                         "that is held fixed",
                         distribution))
      .with_hint("leave `using` out: the draw is differentiable");
}

} // namespace plait::program::errors
