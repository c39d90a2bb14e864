#include "runtime/bind_errors.hpp"

#include "runtime/bound_shape.hpp"
#include "runtime/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace plait::runtime {

void describe_fault(DataError& error, const Fault& fault, std::size_t trailing, const BoundData& bound,
                    std::size_t rank, const Located* located, const LoadedData& loaded) {
  error.element = element_position(bound, rank, fault.flat);
  error.element.resize(error.element.size() - std::min(trailing, error.element.size()));
  std::string value;
  if (trailing == 0)
    value = shown_value(bound.values, fault.flat);
  error.value = value;
  bool table = located && located->argument->format == Origin::Format::csv;
  std::string is = value.empty() ? "" : " is " + value;
  if (table) {
    auto width = static_cast<std::int64_t>(located->keys.size());
    std::int64_t row = fault.flat / width;
    if (!loaded.order.empty())
      row = loaded.order[static_cast<std::size_t>(row)];
    error.row = row + 1;
    if (trailing == 0) {
      error.key = located->keys[static_cast<std::size_t>(fault.flat % width)];
      error.message =
          fmt::format("{}{} in row {} of column {}{}", error.name, is, error.row, error.key, fault.problem);
    } else {
      error.message = fmt::format("{} in row {}{}", error.name, error.row, fault.problem);
    }
  } else {
    if (!error.element.empty())
      error.row = error.element[0] + 1;
    std::string index = error.element.empty() ? "" : shown_shape(error.element);
    error.message = fmt::format("{}{}{}{}", error.name, index, is, fault.problem);
  }
}

void report_unknown_names(const std::vector<const ExpectedData*>& expected, const DataSource& source,
                          std::vector<DataError>& errors) {
  std::vector<std::string> declared;
  std::set<std::string> known;
  for (const ExpectedData* item : expected) {
    declared.push_back(item->name);
    known.insert(item->name);
    known.insert(item->index_size.name);
    for (const Size& size : item->sizes)
      known.insert(size.name);
  }
  for (const DataArgument& argument : source.arguments) {
    if (argument.name.empty() || known.contains(argument.name))
      continue;
    DataError error;
    error.name = argument.name;
    error.message =
        fmt::format("--data {}: the model declares no data named {}", argument.text, argument.name);
    error.hint = declared.empty() ? "it declares none at all"
                                  : fmt::format("{}its data are: {}", suggestion(argument.name, declared),
                                                fmt::join(declared, ", "));
    errors.push_back(std::move(error));
  }
}

} // namespace plait::runtime
