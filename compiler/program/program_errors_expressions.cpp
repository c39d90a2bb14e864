#include "compiler/program/program_errors.hpp"

#include <fmt/format.h>

#include <cmath>

namespace plait::program::errors {

namespace {

std::string inputs_of(const Layer& layer) {
  std::string text;
  for (const std::vector<Dim>& input : layer.inputs)
    text += (text.empty() ? "real" : ", real") + to_string(input);
  return text;
}

} // namespace

Diagnostic& shapes_disagree(Diagnostics& out, Span span, Span left, const std::string& left_type, Span right,
                            const std::string& right_type) {
  return out.error("shape", span, fmt::format("shapes disagree: {} and {}", left_type, right_type))
      .note(left, fmt::format("this is {}", left_type))
      .note(right, fmt::format("this is {}", right_type))
      .with_hint("only a single number is repeated to fit an array");
}

Diagnostic& matrix_shapes_disagree(Diagnostics& out, Span span, Span left, const std::string& left_type,
                                   Span right, const std::string& right_type) {
  return out.error("shape", span, fmt::format("`@` cannot multiply {} by {}", left_type, right_type))
      .note(left, fmt::format("this is {}", left_type))
      .note(right, fmt::format("this is {}", right_type))
      .with_hint("the last size of the left side must be the first of the right side");
}

Diagnostic& matrix_product_of_vectors(Diagnostics& out, Span span, const std::string& left_type,
                                      const std::string& right_type) {
  return out
      .error("shape", span,
             fmt::format("`@` needs a matrix, but gets the vectors {} and {}", left_type, right_type))
      .with_hint("use `dot(a, b)`, or `outer(a, b)` for a matrix");
}

Diagnostic& array_elements_disagree(Diagnostics& out, Span span, const std::string& type, Span other,
                                    const std::string& first) {
  return out.error("shape", span, fmt::format("elements of an array have one shape, but this is {}", type))
      .note(other, fmt::format("the first is {}", first));
}

Diagnostic& empty_array(Diagnostics& out, Span span) {
  return out.error("shape", span, "an array needs at least one element")
      .with_hint("use `zeros(n)` or `fill(value, n)`");
}

Diagnostic& index_not_integer(Diagnostics& out, Span span, const std::string& given) {
  return out.error("index", span, fmt::format("an index must be an int, but this is {}", given));
}

Diagnostic& index_out_of_range(Diagnostics& out, Span span, const std::string& index,
                               const std::string& size) {
  return out
      .error("index", span, fmt::format("index {} is out of range: the dimension has size {}", index, size))
      .with_hint("indices count from 0");
}

Diagnostic& index_size_disagrees(Diagnostics& out, Span span, const std::string& index,
                                 const std::string& index_size, const std::string& base, std::size_t position,
                                 const std::string& size, std::optional<Span> other) {
  Diagnostic& made = out.error("index", span,
                               fmt::format("`{}` runs over {}, but dimension {} of `{}` has size {}", index,
                                           index_size, position + 1, base, size));
  if (other)
    made.note(*other, fmt::format("`{}` comes from here", base));
  return made;
}

Diagnostic& too_many_subscripts(Diagnostics& out, Span span, const std::string& base, std::size_t count,
                                const std::string& type) {
  return out.error(
      "index", span,
      fmt::format("`{}` is {} and cannot take {} {}", base, type, count, count == 1 ? "index" : "indices"));
}

Diagnostic& slice_end_not_size(Diagnostics& out, Span span) {
  return out.error("slice", span, "the ends of a slice must be sizes, so that its length is known")
      .with_hint("use constants and sizes of the data");
}

Diagnostic& slice_out_of_range(Diagnostics& out, Span span, const std::string& lower,
                               const std::string& upper, const std::string& size) {
  return out
      .error("slice", span,
             fmt::format("the slice {}..{} does not fit a dimension of size {}", lower, upper, size))
      .with_hint("a slice a..b takes the elements a, …, b-1");
}

Diagnostic& loop_array_needs_index(Diagnostics& out, Span span, const std::string& name,
                                   const std::string& index, Span other) {
  return out
      .error("loop-array", span, fmt::format("inside the loop over `{}`, `{}` needs its index", index, name))
      .note(other, "written with the index here")
      .with_hint(fmt::format("write `{}[{}]`", name, index));
}

Diagnostic& loop_array_not_yet_set(Diagnostics& out, Span span, const std::string& name,
                                   const std::string& index, bool reverse) {
  Diagnostic& made = out.error("loop-array", span, "only elements that the loop has already set can be read");
  made.with_hint(
      fmt::format("in this loop that is `{0}[{1}]` after it is set, and `{0}[{1} {2} 1]` and farther", name,
                  index, reverse ? "+" : "-"));
  return made;
}

Diagnostic& index_leaves_range(Diagnostics& out, Span span, const std::string& expression,
                               const std::string& last, const std::string& size, bool below) {
  Diagnostic& made =
      out.error("index", span,
                fmt::format("`{}` reaches {}, which is out of range: the dimension has size {}", expression,
                            last, size));
  made.with_hint(below ? "start the loop later, or choose by the index: `t == 0 ? first : x[t - 1]`"
                       : "end the loop earlier, or choose by the index");
  return made;
}

Diagnostic& other_index_in_plate(Diagnostics& out, Span span, const std::string& name, Span other,
                                 const Plate& plate) {
  return out
      .error("other-index", span,
             fmt::format("`{}` at another index of plate {} cannot be read inside the plate: its elements "
                         "are independent",
                         name, plate.name))
      .note(other, fmt::format("`{}` belongs to plate {}", name, plate.name))
      .with_hint(fmt::format(
          "read `{}` after the plate, where it is an array, or use `for` if one step depends on another",
          name));
}

Diagnostic& leaves_subsampled_plate(Diagnostics& out, Span span, const std::string& name, Span other,
                                    const Plate& plate) {
  return out
      .error("subsample-leak", span,
             fmt::format("`{}` exists only for the rows drawn from plate {} and cannot be read outside it",
                         name, plate.name))
      .note(other, "set inside the plate here")
      .note(plate.subsample_span, "the plate draws a subsample here")
      .with_hint("read it inside the plate, or drop the `subsample`");
}

Diagnostic& named_argument_in_call(Diagnostics& out, Span span, const std::string& name) {
  return out.error("named-argument", span, fmt::format("`{}` takes its arguments by position", name));
}

Diagnostic& sizes_in_call(Diagnostics& out, Span span, const std::string& name) {
  return out.error("sizes-in-call", span, fmt::format("`{}` takes no sizes in brackets", name));
}

Diagnostic& wrong_argument_count(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& wanted, std::size_t given) {
  return out.error("arguments", span,
                   fmt::format("`{}` takes {} {}, but gets {}", name, wanted,
                               wanted == "1" || wanted == "at least 1" ? "argument" : "arguments", given));
}

Diagnostic& reduction_of_two(Diagnostics& out, Span span, const std::string& name,
                             const std::string& elementwise) {
  return out.error("arguments", span, fmt::format("`{}` takes one array, but gets 2 arguments", name))
      .with_hint(fmt::format("of two values: `{}(a, b)`", elementwise));
}

Diagnostic& builtin_does_not_fit(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& why) {
  return out.error("arguments", span, fmt::format("`{}` {}", name, why));
}

Diagnostic& wrong_layer_sizes(Diagnostics& out, Span span, const std::string& name, int wanted,
                              std::size_t given) {
  return out
      .error("arguments", span,
             fmt::format("the layer `{}` takes {} {} in brackets, but gets {}", name, wanted,
                         wanted == 1 ? "size" : "sizes", given))
      .with_hint("as in `linear[H](x)`");
}

Diagnostic& layer_does_not_fit(Diagnostics& out, Span span, const std::string& name, const std::string& why) {
  return out.error("shape", span, fmt::format("the layer `{}` does not fit: {}", name, why));
}

Diagnostic& net_called_with_other_shapes(Diagnostics& out, Span span, const std::string& net,
                                         const std::string& layer, const Layer& known, const Layer& wanted) {
  return out
      .error("net-shapes", span,
             fmt::format("`{}` is called with two shapes, but its weights have one: `{}` gets {} here", net,
                         layer, inputs_of(wanted)))
      .note(known.span, fmt::format("in another call it gets {}", inputs_of(known)))
      .with_hint("give each shape a net of its own");
}

Diagnostic& argument_shape(Diagnostics& out, Span span, const std::string& parameter, Span other,
                           const std::string& given, std::size_t wanted) {
  return out
      .error("shape", span,
             fmt::format("argument `{}` has {} {}, but this is {}", parameter, wanted,
                         wanted == 1 ? "dimension" : "dimensions", given))
      .note(other, "declared here");
}

Diagnostic& argument_size(Diagnostics& out, Span span, const std::string& parameter, Span other,
                          const std::string& given, const std::string& wanted, const std::string& size) {
  return out
      .error("shape", span,
             fmt::format("argument `{}` needs size {} where this has {}: it is {}", parameter, wanted, size,
                         given))
      .note(other, "declared here");
}

Diagnostic& function_without_return(Diagnostics& out, Span span, const std::string& name) {
  return out.error("return", span, fmt::format("`{}` does not end in `return`", name));
}

Diagnostic& statement_after_return(Diagnostics& out, Span span) {
  return out.error("return", span, "nothing can follow a `return`");
}

Diagnostic& return_outside_function(Diagnostics& out, Span span) {
  return out.error("return", span, "`return` stands only in functions");
}

Diagnostic& return_inside_loop(Diagnostics& out, Span span) {
  return out.error("return", span, "a function returns after its loops, not inside one")
      .with_hint("keep the value in a variable and return it at the end");
}

Diagnostic& wrong_result_count(Diagnostics& out, Span span, const std::string& name, std::size_t wanted,
                               std::size_t given, Span other) {
  return out
      .error("return", span,
             fmt::format("`{}` returns {} {}, but this is {}", name, wanted, wanted == 1 ? "value" : "values",
                         given))
      .note(other, "declared here");
}

Diagnostic& result_shape(Diagnostics& out, Span span, const std::string& name, const std::string& wanted,
                         const std::string& given, Span other) {
  return out.error("return", span, fmt::format("`{}` returns {}, but this is {}", name, wanted, given))
      .note(other, "declared here");
}

Diagnostic& not_in_function(Diagnostics& out, Span span, const std::string& what, const std::string& name) {
  return out.error("function-body", span,
                   fmt::format("{} cannot stand in the function `{}`: functions only compute", what, name));
}

Diagnostic& calls_too_deep(Diagnostics& out, Span span, const std::string& name) {
  return out.error("call-depth", span, fmt::format("the calls of functions nest too deep at `{}`", name));
}

Diagnostic& too_many_instances(Diagnostics& out, Span span, const std::string& name) {
  return out.error("call-count", span, fmt::format("`{}` is called with too many different shapes", name));
}

} // namespace plait::program::errors
