// What is wrong with the user's data, and where.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace plait::runtime {

/// One fault of the data. `message` is a full sentence without the place; the place fields say where.
/// Unknown places are empty, or -1.
struct DataError {
  std::string name;                  ///< the data declaration concerned
  std::string file;                  ///< file as the user wrote it
  std::string key;                   ///< JSON key, NPZ member or CSV column
  std::int64_t line = -1;            ///< 1-based line of a text file
  std::int64_t row = -1;             ///< 1-based data row (the header is not a row)
  std::vector<std::int64_t> element; ///< 0-based position in the array, as the language counts
  std::string value;                 ///< the offending value as the file has it
  std::string message;
  std::string hint;
};

/// The error as the command line prints it (no trailing newline):
///   error: MESSAGE
///     --> FILE, line L, row R, column C
///     hint: HINT
std::string to_text(const DataError& error);
std::string to_text(const std::vector<DataError>& errors);

/// The name in `candidates` that `wanted` is most likely a misspelling of; empty if none is near.
std::string nearest_name(const std::string& wanted, const std::vector<std::string>& candidates);

} // namespace plait::runtime
