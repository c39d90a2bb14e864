#include "compiler/catalog/option.hpp"

#include <algorithm>

namespace plait::catalog {

std::map<std::string, double> option_values(const std::vector<Option>& options,
                                            const std::map<std::string, double>& given) {
  std::map<std::string, double> values = given;
  for (const Option& option : options)
    values.emplace(option.name, option.value);
  return values;
}

std::optional<std::string> unknown_option(const std::vector<Option>& options,
                                          const std::map<std::string, double>& given) {
  for (const auto& [name, value] : given)
    if (std::none_of(options.begin(), options.end(),
                     [&, &wanted = name](const Option& option) { return option.name == wanted; }))
      return name;
  return std::nullopt;
}

} // namespace plait::catalog
