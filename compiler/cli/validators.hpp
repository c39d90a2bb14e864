/** \file
 * Checks of option values that say what is wrong in a few words.
 */
#pragma once

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cmath>
#include <string>

namespace plait::cli {

/** A number greater than 0, or, with `or_zero`, at least 0. */
inline CLI::Validator positive(bool or_zero = false) {
  return CLI::Validator(
      [or_zero](std::string& text) -> std::string {
        double value = 0;
        if (!CLI::detail::lexical_cast(text, value) || std::isnan(value))
          return fmt::format("'{}' is not a number", text);
        if (value > 0 || (or_zero && value == 0))
          return "";
        return fmt::format("must be {}, not {}", or_zero ? "at least 0" : "greater than 0", text);
      },
      or_zero ? "at least 0" : "greater than 0");
}

} // namespace plait::cli
