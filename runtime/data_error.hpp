// What is wrong with the user's data, and where.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace plait::runtime {

/// One fault of the data. `message` is the full sentence, row and column included; the place
/// fields say the same to programs.
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

/// Thrown by the readers; `bind_data` catches it.
class DataFailure : public std::runtime_error {
public:
  explicit DataFailure(DataError error) : std::runtime_error(error.message), error(std::move(error)) {}
  DataError error;
};

/// The error as the command line prints it (no trailing newline), lines without content left out:
///   FILE:LINE: error: MESSAGE
///   hint: HINT
std::string to_text(const DataError& error);
std::string to_text(const std::vector<DataError>& errors);

} // namespace plait::runtime
