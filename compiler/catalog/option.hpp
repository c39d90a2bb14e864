/** \file
 * The options of a row that a user names: those of an optimizer, an objective, a family of guides.
 */
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plait::catalog {

struct Option {
  std::string_view name;
  double value; ///< default
  std::string_view meaning;
};

/** The value of every option: what is `given` in place of the defaults. */
std::map<std::string, double> option_values(const std::vector<Option>& options,
                                            const std::map<std::string, double>& given);

/** A name that is `given` but is none of the options. */
std::optional<std::string> unknown_option(const std::vector<Option>& options,
                                          const std::map<std::string, double>& given);

} // namespace plait::catalog
