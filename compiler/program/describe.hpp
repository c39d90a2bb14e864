#pragma once

#include "compiler/program/program.hpp"

#include <functional>
#include <optional>
#include <string>

namespace plait::program {

/// An expression as a user would write it, with every name resolved: `a[county[i]] + b * x[i]`. Conversions
/// to real are not shown. Two expressions with the same text in the same block mean the same.
std::string describe(const Program& program, const ExprPtr& expr);
/// The same with other texts for the names to which `text_of` gives one.
std::string describe(const Program& program, const ExprPtr& expr,
                     const std::function<std::optional<std::string>(const Name&)>& text_of);

/// The plate whose index `expr` is, else -1.
PlateId plate_of_index(const Program& program, const ExprPtr& expr);

/// Fixes the row of every open ragged length in `dim` to the index `row`.
void choose_row(Dim& dim, const ExprPtr& row, const Program& program);
/// The reverse: lengths at the index of `plate` become open again.
void leave_row(Dim& dim, PlateId plate);

} // namespace plait::program
