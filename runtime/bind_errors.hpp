// The words for a value of the data that cannot be used: where it stands, as a reader of the file counts.
#pragma once

#include "runtime/data_files.hpp"
#include "runtime/dataset.hpp"
#include "runtime/validate.hpp"

#include <cstddef>
#include <vector>

namespace plait::runtime {

/// Fills place, value and message of `error`, whose name and file are set. With `trailing` > 0, the problem
/// is that of the row of the last dimensions which begins at `fault.flat`; else that of the element's value.
/// `rank` is that of the declaration, `located` null for values that no argument gave.
void describe_fault(DataError& error, const Fault& fault, std::size_t trailing, const BoundData& bound,
                    std::size_t rank, const Located* located, const LoadedData& loaded);

/// An error for every named argument that no declaration asks for.
void report_unknown_names(const std::vector<const ExpectedData*>& expected, const DataSource& source,
                          std::vector<DataError>& errors);

} // namespace plait::runtime
