#pragma once

#include "compiler/program/program.hpp"
#include "grammar/diagnostic.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Every message of the checker, one function each: the wording is here and nowhere else. `span` is the place
/// of the error, `other` the place it disagrees with. Each adds one error and returns it for further notes.
namespace plait::program::errors {

// Names: what is unknown, taken, or out of reach.
Diagnostic& unknown_name(Diagnostics& out, Span span, const std::string& name,
                         const std::optional<std::string>& nearest);
Diagnostic& unknown_function(Diagnostics& out, Span span, const std::string& name,
                             const std::optional<std::string>& nearest);
Diagnostic& unknown_distribution(Diagnostics& out, Span span, const std::string& name,
                                 const std::optional<std::string>& nearest, bool is_function);
Diagnostic& unknown_strategy(Diagnostics& out, Span span, const std::string& name,
                             const std::optional<std::string>& nearest);
Diagnostic& unknown_parameter(Diagnostics& out, Span span, const std::string& distribution,
                              const std::string& name, const std::string& signature);
Diagnostic& name_taken(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& name_is_size(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& name_out_of_scope(Diagnostics& out, Span span, const std::string& name, Span other,
                              const std::string& why);
Diagnostic& function_sees_only_parameters(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& guide_sees_no_model_locals(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& function_as_value(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& value_as_function(Diagnostics& out, Span span, const std::string& name);
Diagnostic& distribution_as_function(Diagnostics& out, Span span, const std::string& name);
Diagnostic& layer_outside_net(Diagnostics& out, Span span, const std::string& name);
Diagnostic& second_block(Diagnostics& out, Span span, const std::string& block, Span other);
Diagnostic& recursive_function(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& assigns_to(Diagnostics& out, Span span, const std::string& name, SymbolKind kind, Span other);
Diagnostic& assigns_to_parameter(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& set_of_unknown_name(Diagnostics& out, const std::string& name,
                                const std::optional<std::string>& nearest);
Diagnostic& set_does_not_fit(Diagnostics& out, const std::string& name, double value, const std::string& type,
                             Span other);
Diagnostic& set_size_not_positive(Diagnostics& out, const std::string& name, double value, Span other);
Diagnostic& size_set_and_bound(Diagnostics& out, const std::string& name, std::int64_t set,
                               std::int64_t bound, Span other);
Diagnostic& guide_takes_one_family(Diagnostics& out, Span span);
Diagnostic& guide_option_not_constant(Diagnostics& out, Span span, const std::string& name);
Diagnostic& no_model(Diagnostics& out);

// Constants, sizes and types.
Diagnostic& constant_cycle(Diagnostics& out, Span span, const std::string& name);
Diagnostic& constant_not_finite(Diagnostics& out, Span span, double value);
Diagnostic& constant_shape(Diagnostics& out, Span span, const std::string& name, const std::string& declared,
                           const std::string& given, Span other);
Diagnostic& constant_outside_support(Diagnostics& out, Span span, const std::string& what, double value,
                                     const catalog::Support& support);
Diagnostic& constant_sum(Diagnostics& out, Span span, const std::string& what, double sum);
Diagnostic& constant_sees_only_constants(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& wrong_element(Diagnostics& out, Span span, const std::string& what, const std::string& wanted,
                          const std::string& given);
Diagnostic& needs_integer(Diagnostics& out, Span span, const std::string& what, const std::string& given);
Diagnostic& needs_bit(Diagnostics& out, Span span, std::string_view what, const std::string& given);
Diagnostic& condition_not_scalar(Diagnostics& out, Span span, const std::string& given);
Diagnostic& tuple_as_value(Diagnostics& out, Span span);
Diagnostic& not_a_size(Diagnostics& out, Span span, const std::string& given);
Diagnostic& size_below_one(Diagnostics& out, Span span, std::int64_t value);
Diagnostic& size_is_other_name(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& ragged_size_needs_row(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& ragged_outside_data(Diagnostics& out, Span span);
Diagnostic& ragged_needs_named_second(Diagnostics& out, Span span);
Diagnostic& ragged_rows_disagree(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& rows, const std::string& known, Span other);
Diagnostic& lengths_not_integers(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& rows, Span other);
Diagnostic& bound_not_scalar(Diagnostics& out, Span span, const std::string& given);
Diagnostic& bound_not_fixed(Diagnostics& out, Span span);
Diagnostic& bound_not_integer(Diagnostics& out, Span span);
Diagnostic& empty_bounds(Diagnostics& out, Span span, double lower, double upper);
Diagnostic& index_base_not_constant(Diagnostics& out, Span span);
Diagnostic& type_needs_dimension(Diagnostics& out, Span span, const std::string& type);

// Expressions and functions.
Diagnostic& shapes_disagree(Diagnostics& out, Span span, Span left, const std::string& left_type, Span right,
                            const std::string& right_type);
Diagnostic& matrix_shapes_disagree(Diagnostics& out, Span span, Span left, const std::string& left_type,
                                   Span right, const std::string& right_type);
Diagnostic& matrix_product_of_vectors(Diagnostics& out, Span span, const std::string& left_type,
                                      const std::string& right_type);
Diagnostic& array_elements_disagree(Diagnostics& out, Span span, const std::string& type, Span other,
                                    const std::string& first);
Diagnostic& empty_array(Diagnostics& out, Span span);
Diagnostic& index_not_integer(Diagnostics& out, Span span, const std::string& given);
Diagnostic& index_out_of_range(Diagnostics& out, Span span, const std::string& index,
                               const std::string& size);
Diagnostic& index_size_disagrees(Diagnostics& out, Span span, const std::string& index,
                                 const std::string& index_size, const std::string& base, std::size_t position,
                                 const std::string& size, std::optional<Span> other);
Diagnostic& too_many_subscripts(Diagnostics& out, Span span, const std::string& base, std::size_t count,
                                const std::string& type);
Diagnostic& slice_end_not_size(Diagnostics& out, Span span);
Diagnostic& slice_out_of_range(Diagnostics& out, Span span, const std::string& lower,
                               const std::string& upper, const std::string& size);
Diagnostic& loop_array_needs_index(Diagnostics& out, Span span, const std::string& name,
                                   const std::string& index, Span other);
Diagnostic& loop_array_not_yet_set(Diagnostics& out, Span span, const std::string& name,
                                   const std::string& index, bool reverse);
Diagnostic& index_leaves_range(Diagnostics& out, Span span, const std::string& expression,
                               const std::string& last, const std::string& size, bool below);
Diagnostic& other_index_in_plate(Diagnostics& out, Span span, const std::string& name, Span other,
                                 const Plate& plate);
Diagnostic& leaves_subsampled_plate(Diagnostics& out, Span span, const std::string& name, Span other,
                                    const Plate& plate);
Diagnostic& named_argument_in_call(Diagnostics& out, Span span, const std::string& name);
Diagnostic& sizes_in_call(Diagnostics& out, Span span, const std::string& name);
Diagnostic& wrong_argument_count(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& wanted, std::size_t given);
/// `max(a, b)`; `elementwise` is the function for two values.
Diagnostic& reduction_of_two(Diagnostics& out, Span span, const std::string& name,
                             const std::string& elementwise);
Diagnostic& builtin_does_not_fit(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& why);
Diagnostic& wrong_layer_sizes(Diagnostics& out, Span span, const std::string& name, int wanted,
                              std::size_t given);
Diagnostic& layer_does_not_fit(Diagnostics& out, Span span, const std::string& name, const std::string& why);
Diagnostic& net_called_with_other_shapes(Diagnostics& out, Span span, const std::string& net,
                                         const std::string& layer, const Layer& known, const Layer& wanted);
Diagnostic& argument_shape(Diagnostics& out, Span span, const std::string& parameter, Span other,
                           const std::string& given, std::size_t wanted);
Diagnostic& argument_size(Diagnostics& out, Span span, const std::string& parameter, Span other,
                          const std::string& given, const std::string& wanted, const std::string& size);
Diagnostic& function_without_return(Diagnostics& out, Span span, const std::string& name);
Diagnostic& statement_after_return(Diagnostics& out, Span span);
Diagnostic& return_outside_function(Diagnostics& out, Span span);
Diagnostic& return_inside_loop(Diagnostics& out, Span span);
Diagnostic& wrong_result_count(Diagnostics& out, Span span, const std::string& name, std::size_t wanted,
                               std::size_t given, Span other);
Diagnostic& result_shape(Diagnostics& out, Span span, const std::string& name, const std::string& wanted,
                         const std::string& given, Span other);
Diagnostic& not_in_function(Diagnostics& out, Span span, const std::string& what, const std::string& name);
Diagnostic& calls_too_deep(Diagnostics& out, Span span, const std::string& name);
Diagnostic& too_many_instances(Diagnostics& out, Span span, const std::string& name);

// Assignments, parameters, loops and plates.
Diagnostic& wrong_target_count(Diagnostics& out, Span span, std::size_t targets, std::size_t values,
                               Span other);
Diagnostic& target_needs_open_index(Diagnostics& out, Span span, const std::string& name, bool is_number);
Diagnostic& target_index_order(Diagnostics& out, Span span, const std::string& name);
Diagnostic& target_misses_inner_loop(Diagnostics& out, Span span, const std::string& name,
                                     const std::string& index);
/// `loop_index`: of the loop in whose iterations the array is filled.
Diagnostic& array_filled_anew(Diagnostics& out, Span span, const std::string& name, Span other,
                              const std::string& loop_index);
Diagnostic& assigned_with_other_indices(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& element_changes_type(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& before, const std::string& now);
Diagnostic& element_read_elsewhere(Diagnostics& out, Span span, const std::string& name);
Diagnostic& assignment_changes_shape(Diagnostics& out, Span span, const std::string& name,
                                     const std::string& now, Span other, const std::string& before);
Diagnostic& assigns_across_plate(Diagnostics& out, Span span, const std::string& name, Span other,
                                 const Plate& plate);
Diagnostic& param_in_loop(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& param_in_predict(Diagnostics& out, Span span);
Diagnostic& param_not_continuous(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& type);
Diagnostic& initial_value_not_fixed(Diagnostics& out, Span span, const std::string& name);
Diagnostic& initial_value_shape(Diagnostics& out, Span span, const std::string& name,
                                const std::string& given, Span other, const std::string& declared);
Diagnostic& factor_outside_model(Diagnostics& out, Span span, bool guide);
Diagnostic& factor_not_scalar(Diagnostics& out, Span span, const std::string& given);
Diagnostic& loop_end_not_size(Diagnostics& out, Span span);
Diagnostic& loop_start_not_fixed(Diagnostics& out, Span span);
Diagnostic& loop_start_negative(Diagnostics& out, Span span);
Diagnostic& plate_size_not_size(Diagnostics& out, Span span, const std::string& given);
Diagnostic& plate_inside_itself(Diagnostics& out, Span span, const Plate& plate);
Diagnostic& alias_of_other_size(Diagnostics& out, Span span, const std::string& alias,
                                const std::string& size, const Plate& plate);
Diagnostic& ragged_plate_needs_plate(Diagnostics& out, Span span, const std::string& size);
Diagnostic& subsample_in_predict(Diagnostics& out, Span span);
Diagnostic& subsample_not_fixed(Diagnostics& out, Span span);
Diagnostic& subsample_below_one(Diagnostics& out, Span span, std::int64_t value);
Diagnostic& subsample_disagrees(Diagnostics& out, Span span, const std::string& now,
                                const std::string& before, const Plate& plate);

// Sample statements.
Diagnostic& wrong_parameter_count(Diagnostics& out, Span span, const std::string& signature,
                                  std::size_t given);
Diagnostic& transform_of_nothing(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& usage);
Diagnostic& transform_unknown(Diagnostics& out, Span span, const std::string& name,
                              const std::optional<std::string>& nearest, const std::string& known);
Diagnostic& transform_support(Diagnostics& out, Span span, const std::string& name, const std::string& source,
                              const std::string& support);
Diagnostic& transform_shape(Diagnostics& out, Span span, const std::string& name, const std::string& shape);
Diagnostic& transform_size(Diagnostics& out, Span span, const std::string& name, const std::string& reason);
Diagnostic& transform_copies(Diagnostics& out, Span span, const std::string& name);
Diagnostic& transform_arguments(Diagnostics& out, Span span, const std::string& name,
                                const std::string& usage);
Diagnostic& transform_option(Diagnostics& out, Span span, const std::string& name, const std::string& option,
                             const std::string& range);
Diagnostic& transform_context(Diagnostics& out, Span span, const std::string& given);
Diagnostic& transform_net(Diagnostics& out, Span span, const std::string& name, const std::string& net,
                          const std::string& wanted, const std::string& given);
Diagnostic& transform_not_exchangeable(Diagnostics& out, Span span, const std::string& name);
Diagnostic& transform_without_density(Diagnostics& out, Span span, const std::string& name);
Diagnostic& transform_by_score(Diagnostics& out, Span span, const std::string& distribution);
Diagnostic& parameter_given_twice(Diagnostics& out, Span span, const std::string& distribution,
                                  const std::string& name);
Diagnostic& copies_before_arguments(Diagnostics& out, Span span, const std::string& name);
Diagnostic& parameter_rank(Diagnostics& out, Span span, const std::string& what, int rank,
                           const std::string& given);
Diagnostic& parameter_not_square(Diagnostics& out, Span span, const std::string& what,
                                 const std::string& given);
Diagnostic& parameters_disagree(Diagnostics& out, Span span, const std::string& distribution, Span left,
                                const std::string& left_type, Span right, const std::string& right_type);
Diagnostic& guide_samples_data(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& predict_samples_data(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& observed_with_strategy(Diagnostics& out, Span span, const std::string& name);
Diagnostic& observed_without_plate_index(Diagnostics& out, Span span, const std::string& name,
                                         const Plate& plate);
Diagnostic& observed_element(Diagnostics& out, Span span, const std::string& name, const std::string& type,
                             const std::string& distribution, const std::string& wanted, Span other);
Diagnostic& observed_categories(Diagnostics& out, Span span, const std::string& name, const std::string& size,
                                const std::string& distribution, const std::string& wanted, Span other);
Diagnostic& observed_shape(Diagnostics& out, Span span, const std::string& name, const std::string& type,
                           const std::string& distribution, const std::string& dims, Span other);
Diagnostic& strategy_argument(Diagnostics& out, Span span, const std::string& strategy);
Diagnostic& unknown_baseline(Diagnostics& out, Span span, const std::string& name);
Diagnostic& baseline_not_scalar(Diagnostics& out, Span span, const std::string& what,
                                const std::string& given);
Diagnostic& decay_out_of_range(Diagnostics& out, Span span);
Diagnostic& site_sampled_twice(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& site_branches_differ(Diagnostics& out, Span span, const std::string& name,
                                 const std::string& here, Span other, const std::string& there);
Diagnostic& site_has_other_frames(Diagnostics& out, Span span, const std::string& name, Span other);
/// `loop_index`: of the innermost open `for` that does not enclose the first value.
Diagnostic& site_name_taken(Diagnostics& out, Span span, const std::string& name,
                            const std::optional<std::string>& loop_index, Span other);
Diagnostic& site_in_loop_without_index(Diagnostics& out, Span span, const std::string& name,
                                       const std::string& index, Span other);
Diagnostic& site_under_value_condition(Diagnostics& out, Span span, const std::string& name, Span other);
Diagnostic& event_size_not_constant(Diagnostics& out, Span span, const std::string& name,
                                    const std::string& given);
Diagnostic& site_shape_unknown(Diagnostics& out, Span span, const std::string& name,
                               const std::string& distribution);

} // namespace plait::program::errors
