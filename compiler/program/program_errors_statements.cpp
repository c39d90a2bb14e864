#include "compiler/program/program_errors.hpp"

#include <fmt/format.h>

#include <cmath>

namespace plait::program::errors {

Diagnostic& wrong_target_count(Diagnostics& out, Span span, std::size_t targets, std::size_t values,
                               Span other) {
  Diagnostic& made =
      out.error("assignment", span,
                fmt::format("{} {} cannot take {} {}", targets, targets == 1 ? "name" : "names", values,
                            values == 1 ? "value" : "values"))
          .note(other, fmt::format("this has {} {}", values, values == 1 ? "value" : "values"));
  if (targets == 1)
    made.with_hint("take them apart: `(a, b) = …;`");
  return made;
}

Diagnostic& target_needs_open_index(Diagnostics& out, Span span, const std::string& name, bool is_number) {
  Diagnostic& made = out.error(
      "assignment", span, fmt::format("`{}` can only be set at the index of an open `for` or plate", name));
  return is_number
             ? made.with_hint(fmt::format("where the first step differs, begin the `for` with it: `for t in "
                                          "0..T {{ if (t == 0) {{ {0}[t] … }} else {{ {0}[t] … }} }}`",
                                          name))
             : made.with_hint(fmt::format("inside `for t in …`, write `{}[t] = …`; whole arrays are set at "
                                          "once, without an index",
                                          name));
}

Diagnostic& target_index_order(Diagnostics& out, Span span, const std::string& name) {
  return out.error("assignment", span,
                   fmt::format("the indices of `{}` must be different ones, the outermost loop first", name));
}

Diagnostic& target_misses_inner_loop(Diagnostics& out, Span span, const std::string& name,
                                     const std::string& index) {
  return out.error("assignment", span, fmt::format("`{}` is set again for every `{}` here", name, index))
      .with_hint(fmt::format("write `{}` with the index `{}` too, or move the statement out of that loop",
                             name, index));
}

Diagnostic& array_filled_anew(Diagnostics& out, Span span, const std::string& name, Span other,
                              const std::string& loop_index) {
  return out
      .error("assignment", span,
             fmt::format("`{}` would be filled anew in every step of the `for` over `{}`, and not be carried "
                         "into the next one",
                         name, loop_index))
      .note(other, "filled here before the loop")
      .with_hint(
          fmt::format("choose another name; or carry the array as a whole, `{0} = next;`, where the `for` "
                      "inside fills `next`, and before the outer loop `{0} = first;`",
                      name));
}

Diagnostic& assigned_with_other_indices(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out.error("assignment", span, fmt::format("`{}` is set with other indices before", name))
      .note(other, "first set here");
}

Diagnostic& element_changes_type(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& before, const std::string& now) {
  return out
      .error("shape", span,
             fmt::format("`{}` is {} where an element before it is {}: its elements must have one type", name,
                         now, before))
      .with_hint(
          "set a local before the loop and assign it again in the loop, or write a start value for the "
          "first element: `t == 0 ? start : …`");
}

Diagnostic& element_read_elsewhere(Diagnostics& out, Span span, const std::string& name) {
  return out
      .error(
          "loop-array", span,
          fmt::format("an element of `{}` before this one is read outside the plate that sets it here", name))
      .with_hint("read it in the same plate");
}

Diagnostic& assignment_changes_shape(Diagnostics& out, Span span, const std::string& name,
                                     const std::string& now, Span other, const std::string& before) {
  return out.error("shape", span, fmt::format("`{}` is {} here, but was {} before", name, now, before))
      .note(other, "first set here")
      .with_hint("a name keeps its shape; start with `fill(value, n)` or `zeros(n)`");
}

Diagnostic& assigns_across_plate(Diagnostics& out, Span span, const std::string& name, Span other,
                                 const Plate& plate) {
  return out
      .error("plate-state", span,
             fmt::format(
                 "`{}` is set outside plate {} and cannot be changed inside: its elements are independent",
                 name, plate.name))
      .note(other, "first set here")
      .with_hint("use `for` to carry a value from one element to the next, or `sum(…)` after the plate");
}

Diagnostic& param_in_loop(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out.error("param", span, fmt::format("the parameter `{}` is declared inside a `for`", name))
      .note(other, "the loop is here")
      .with_hint("declare it before the loop, as an array if each step has its own");
}

Diagnostic& param_in_predict(Diagnostics& out, Span span) {
  return out.error(
      "param", span,
      "nothing is learned in `predict`: a parameter belongs to the model, the guide or the file");
}

Diagnostic& param_not_continuous(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& type) {
  return out.error("param", span, fmt::format("the parameter `{}` must be real, but is {}", name, type))
      .with_hint("discrete quantities are sampled: `k ~ categorical(…)`");
}

Diagnostic& initial_value_not_fixed(Diagnostics& out, Span span, const std::string& name) {
  return out
      .error("param", span, fmt::format("the initial value of `{}` must be made of constants and data", name))
      .with_hint("what is sampled or learned has no value before the fit");
}

Diagnostic& initial_value_shape(Diagnostics& out, Span span, const std::string& name,
                                const std::string& given, Span other, const std::string& declared) {
  return out.error("shape", span, fmt::format("`{}` is declared {}, but starts as {}", name, declared, given))
      .note(other, "declared here")
      .with_hint("a single number fills every element");
}

Diagnostic& factor_outside_model(Diagnostics& out, Span span, bool guide) {
  Diagnostic& made = out.error("factor", span, "`factor` belongs to the model");
  if (guide)
    made.with_hint("the guide must stay a normalized distribution that can be sampled");
  return made;
}

Diagnostic& factor_not_scalar(Diagnostics& out, Span span, const std::string& given) {
  return out
      .error("shape", span, fmt::format("`factor` adds one number to the log joint, but this is {}", given))
      .with_hint("use `sum(…)`");
}

Diagnostic& loop_end_not_size(Diagnostics& out, Span span) {
  return out.error("loop", span, "the end of a `for` must be a size, so that its arrays have one")
      .with_hint("use constants, sizes of the data, or the length `T[n]` of a ragged row; data may end it "
                 "earlier: `for t in 0..T { if (t < n) { … } }`");
}

Diagnostic& loop_start_not_fixed(Diagnostics& out, Span span) {
  return out.error("loop", span, "the start of a `for` must not depend on latent variables or parameters");
}

Diagnostic& loop_start_negative(Diagnostics& out, Span span) {
  return out.error("loop", span, "a `for` counts from 0 or more");
}

Diagnostic& plate_size_not_size(Diagnostics& out, Span span, const std::string& given) {
  return out
      .error("plate-size", span,
             fmt::format("the size of a plate must be known before the model runs, but this is {}", given))
      .with_hint("a size is made of whole numbers, constants and sizes of the data");
}

Diagnostic& plate_inside_itself(Diagnostics& out, Span span, const Plate& plate) {
  return out.error("plate-nesting", span, fmt::format("plate {} is opened inside itself", plate.name))
      .note(plate.span, "the plate is first opened here")
      .with_hint(fmt::format("if this is another set of the same size, name it: `iarange j in {} as other`",
                             to_string(plate.size)));
}

Diagnostic& alias_of_other_size(Diagnostics& out, Span span, const std::string& alias,
                                const std::string& size, const Plate& plate) {
  return out
      .error("plate-size", span,
             fmt::format("plate {} has size {} here, but {} before", alias, size, to_string(plate.size)))
      .note(plate.span, "first opened here");
}

Diagnostic& ragged_plate_needs_plate(Diagnostics& out, Span span, const std::string& size) {
  return out
      .error("ragged", span, fmt::format("a plate of size {} must stand in the plate of its rows", size))
      .with_hint("as in `iarange n in N { iarange t in T[n] { … } }`");
}

Diagnostic& subsample_in_predict(Diagnostics& out, Span span) {
  return out.error("subsample", span, "`predict` computes every row: it takes no subsample");
}

Diagnostic& subsample_not_fixed(Diagnostics& out, Span span) {
  return out.error("subsample", span, "the size of a subsample must be a constant");
}

Diagnostic& subsample_below_one(Diagnostics& out, Span span, std::int64_t value) {
  return out.error("subsample", span, fmt::format("a subsample has at least 1 row, but this is {}", value));
}

Diagnostic& subsample_disagrees(Diagnostics& out, Span span, const std::string& now,
                                const std::string& before, const Plate& plate) {
  return out
      .error("subsample", span,
             fmt::format("plate {} draws {} rows here, but {} where it is declared", plate.name, now,
                         before.empty() ? std::string("all") : before))
      .note(plate.subsampled() ? plate.subsample_span : plate.span, "declared here")
      .with_hint("the rows are drawn once per step, as the first statement over the plate says; leave the "
                 "subsample out here");
}

Diagnostic& wrong_parameter_count(Diagnostics& out, Span span, const std::string& signature,
                                  std::size_t given) {
  return out.error("arguments", span,
                   fmt::format("wrong number of parameters: {} gets {}", signature, given));
}

Diagnostic& parameter_given_twice(Diagnostics& out, Span span, const std::string& distribution,
                                  const std::string& name) {
  return out.error("arguments", span, fmt::format("`{}` of {} is given twice", name, distribution));
}

Diagnostic& copies_before_arguments(Diagnostics& out, Span span, const std::string& name) {
  return out.error("copies", span, "copies of a distribution are written after it")
      .with_hint(fmt::format("write `{}(…)[n]`", name));
}

Diagnostic& parameter_rank(Diagnostics& out, Span span, const std::string& what, int rank,
                           const std::string& given) {
  return out.error(
      "shape", span,
      fmt::format("{} must be a {}, but this is {}", what, rank == 1 ? "vector" : "matrix", given));
}

Diagnostic& parameter_not_square(Diagnostics& out, Span span, const std::string& what,
                                 const std::string& given) {
  return out.error("shape", span, fmt::format("{} must be a square matrix, but this is {}", what, given));
}

Diagnostic& parameters_disagree(Diagnostics& out, Span span, const std::string& distribution, Span left,
                                const std::string& left_type, Span right, const std::string& right_type) {
  return out
      .error("shape", span,
             fmt::format("the parameters of {} disagree: {} and {}", distribution, left_type, right_type))
      .note(left, fmt::format("this is {}", left_type))
      .note(right, fmt::format("this is {}", right_type))
      .with_hint("only a single number is repeated to fit an array");
}

Diagnostic& guide_samples_data(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out.error("guide-observes", span, fmt::format("the guide cannot sample `{}`: it is data", name))
      .note(other, "declared as data here")
      .with_hint(fmt::format("the guide samples latent variables; it may read `{}`", name));
}

Diagnostic& predict_samples_data(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out.error("predict-observes", span, fmt::format("`predict` cannot sample `{}`: it is data", name))
      .note(other, "declared as data here")
      .with_hint("give the prediction a name of its own");
}

Diagnostic& observed_with_strategy(Diagnostics& out, Span span, const std::string& name) {
  return out.error("strategy", span, fmt::format("`{}` is observed; `using` is for latent sites", name));
}

Diagnostic& observed_without_plate_index(Diagnostics& out, Span span, const std::string& name,
                                         const Plate& plate) {
  return out
      .error(
          "plate-index", span,
          fmt::format(
              "this observation is the same for every element of plate {}, so it would be counted {} times",
              plate.name, to_string(plate.size)))
      .note(plate.span, "the plate is opened here")
      .with_hint(fmt::format("index `{}` with `{}`, or move the statement out of the plate", name,
                             plate.index_name));
}

Diagnostic& observed_element(Diagnostics& out, Span span, const std::string& name, const std::string& type,
                             const std::string& distribution, const std::string& wanted, Span other) {
  return out
      .error("observed-type", span,
             fmt::format("{} gives {} values, but `{}` is {}", distribution, wanted, name, type))
      .note(other, "declared here");
}

Diagnostic& observed_categories(Diagnostics& out, Span span, const std::string& name, const std::string& size,
                                const std::string& distribution, const std::string& wanted, Span other) {
  return out
      .error("observed-type", span,
             fmt::format("`{}` has {} categories, but this {} has {}", name, size, distribution, wanted))
      .note(other, "declared here");
}

Diagnostic& observed_shape(Diagnostics& out, Span span, const std::string& name, const std::string& type,
                           const std::string& distribution, const std::string& dims, Span other) {
  return out
      .error("shape", span,
             fmt::format("`{}` is {}, but the {} here has shape {}", name, type, distribution,
                         dims.empty() ? std::string("of one number") : dims))
      .note(other, "observed here");
}

Diagnostic& strategy_argument(Diagnostics& out, Span span, const std::string& strategy) {
  Diagnostic& made = out.error("strategy", span, fmt::format("`using {}` does not take this", strategy));
  if (strategy == "score")
    made.with_hint("it takes `baseline = …` and `decay = …`");
  return made;
}

Diagnostic& unknown_baseline(Diagnostics& out, Span span, const std::string& name) {
  return out.error("strategy", span, fmt::format("unknown baseline `{}`", name))
      .with_hint("a baseline is `average`, `leave_one_out`, `none`, or an expression of what the guide "
                 "knows before the draw");
}

Diagnostic& baseline_not_scalar(Diagnostics& out, Span span, const std::string& what,
                                const std::string& given) {
  return out.error("strategy", span, fmt::format("`{}` must be one number, but this is {}", what, given));
}

Diagnostic& decay_out_of_range(Diagnostics& out, Span span) {
  return out.error("strategy", span, "`decay` must be a constant from 0 up to, not including, 1");
}

Diagnostic& site_sampled_twice(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out.error("double-site", span, fmt::format("`{}` is sampled twice", name))
      .note(other, "first sampled here")
      .with_hint(fmt::format("each latent is sampled once, or once in each branch of one `if`; or choose the "
                             "parameters: `{} ~ normal(c ? a : b, s)`",
                             name));
}

Diagnostic& site_branches_differ(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& here, Span other, const std::string& there) {
  return out
      .error("branches-differ", span,
             fmt::format("`{}` is {} here, but {} in another branch", name, here, there))
      .note(other, fmt::format("here it is {}", there))
      .with_hint("a latent is the same kind of value in every branch: give it two names, or move one "
                 "distribution to the values of the other, as in `sigmoid(normal(m, s))`");
}

Diagnostic& site_has_other_frames(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out
      .error("branches-differ", span,
             fmt::format("`{}` is sampled in another plate or loop than in the other branch", name))
      .note(other, "there it is sampled here")
      .with_hint("put the `if` inside of one plate or loop");
}

Diagnostic& site_name_taken(Diagnostics& out, Span span, const std::string& name,
                            const std::optional<std::string>& loop_index, Span other) {
  return out.error("name-taken", span, fmt::format("`{}` cannot be sampled: it already has a value", name))
      .note(other, "set here")
      .with_hint(loop_index ? fmt::format("`{0}[{1}] ~ …` is the draw of each step, and another name carries "
                                          "it into the next one: `last = {0}[{1}];`",
                                          name, *loop_index)
                            : "choose another name");
}

Diagnostic& site_in_loop_without_index(Diagnostics& out, Span span, const std::string& name,
                                       const std::string& index, Span other) {
  return out
      .error("loop-array", span,
             fmt::format("`{}` is sampled once for every `{}` and needs its index", name, index))
      .note(other, "the loop is here")
      .with_hint(fmt::format("write `{}[{}] ~ …`", name, index));
}

Diagnostic& site_under_value_condition(Diagnostics& out, Span span, const std::string& name, Span other) {
  return out
      .error("conditional-site", span,
             fmt::format("whether `{}` is sampled depends on a latent variable or a parameter", name))
      .note(other, "the condition is here")
      .with_hint("conditions around a latent may use data and indices only");
}

Diagnostic& site_shape_unknown(Diagnostics& out, Span span, const std::string& name,
                               const std::string& distribution) {
  return out
      .error("shape", span,
             fmt::format("the shape of `{}` does not follow from the parameters of {}", name, distribution))
      .with_hint(fmt::format("give copies: `{}(…)[n]`", distribution));
}

Diagnostic& event_size_not_constant(Diagnostics& out, Span span, const std::string& name,
                                    const std::string& given) {
  return out
      .error("shape", span,
             fmt::format("the size of a {} draw must be a constant; `{}` comes from the data", name, given))
      .with_hint(fmt::format("declare it: `const K = 3;` and `{}(…, K)`", name));
}

} // namespace plait::program::errors
