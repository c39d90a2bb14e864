/** \file
 * Declarations of data and what comes of binding them, in few words: shared by the tests of the reader.
 */
#pragma once

#include "runtime/dataset.hpp"

#include <catch2/catch.hpp>

#include <cctype>
#include <optional>
#include <string>
#include <vector>

namespace declare {

using namespace plait::runtime;
using Shape = std::vector<std::int64_t>;
using Reals = std::vector<double>;
using Arguments = std::vector<std::string>;

inline Size size(const std::string& text) {
  if (std::isdigit(static_cast<unsigned char>(text[0])))
    return {"", std::stoll(text)};
  return {text, -1};
}

inline ExpectedData declared(DataKind kind, const std::string& name,
                             const std::vector<std::string>& sizes = {}) {
  ExpectedData expected;
  expected.name = name;
  expected.kind = kind;
  for (const std::string& text : sizes)
    expected.sizes.push_back(size(text));
  return expected;
}
inline ExpectedData real(const std::string& name, const std::vector<std::string>& sizes = {}) {
  return declared(DataKind::real, name, sizes);
}
inline ExpectedData integer(const std::string& name, const std::vector<std::string>& sizes = {}) {
  return declared(DataKind::integer, name, sizes);
}
inline ExpectedData bit(const std::string& name, const std::vector<std::string>& sizes = {}) {
  return declared(DataKind::bit, name, sizes);
}
inline ExpectedData index(const std::string& of, const std::string& name,
                          const std::vector<std::string>& sizes = {}, std::int64_t base = 0) {
  ExpectedData expected = declared(DataKind::index, name, sizes);
  expected.index_size = size(of);
  expected.index_base = base;
  return expected;
}
inline ExpectedData ragged(ExpectedData expected) {
  expected.ragged = true;
  return expected;
}
inline ExpectedData limited(ExpectedData expected, std::optional<Limit> lower,
                            std::optional<Limit> upper = {}) {
  expected.lower = lower;
  expected.upper = upper;
  return expected;
}
inline ExpectedData constrained(ExpectedData expected, DataConstraint constraint) {
  expected.constraint = constraint;
  return expected;
}

inline BindResult bind_arguments(const std::vector<ExpectedData>& expected, const Arguments& arguments,
                                 const BindOptions& options = {}) {
  std::vector<DataError> errors;
  DataSource source = parse_data_arguments(arguments, errors);
  BindResult result = bind_data(expected, source, options);
  result.errors.insert(result.errors.begin(), errors.begin(), errors.end());
  return result;
}

inline Dataset bound(const std::vector<ExpectedData>& expected, const Arguments& arguments,
                     const BindOptions& options = {}) {
  BindResult result = bind_arguments(expected, arguments, options);
  INFO(to_text(result.errors));
  REQUIRE(result.errors.empty());
  return result.dataset;
}

inline std::string errors(const std::vector<ExpectedData>& expected, const Arguments& arguments,
                          const BindOptions& options = {}) {
  return to_text(bind_arguments(expected, arguments, options).errors);
}

inline std::string argument_error(const std::string& argument) {
  std::vector<DataError> errors;
  parse_data_arguments({argument}, errors);
  return to_text(errors);
}

} // namespace declare
