// Data in JSON, as Stan's tools write it.
#pragma once

#include "runtime/readers/mapped_file.hpp"
#include "runtime/readers/raw_data.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace plait::runtime {

/// One object of names → numbers or nested arrays of numbers, or one bare (nested) array. Beyond JSON, NaN,
/// Infinity and -Infinity are numbers, also as strings ("NaN", "Inf", "-Infinity", …), true and false are 1
/// and 0. Values are parsed only when asked for; what nobody asks for may be anything.
class JsonFile {
public:
  /// Splits the file into its keys. Throws DataFailure on a syntax error between them.
  explicit JsonFile(std::shared_ptr<const MappedFile> file);

  /// The whole file is one array: `read("")` gives it.
  bool is_array() const { return is_array_; }
  const std::vector<std::string>& keys() const { return keys_; }
  bool has(std::string_view key) const;

  /// The numbers of a key: i64 when every number is an integer, else f64. With `text`, entries that are no
  /// numbers make all of them texts. Rows of different lengths give ragged data. Throws DataFailure: syntax,
  /// null, text where numbers are wanted, numbers at different depths, lengths that differ elsewhere than in
  /// the second dimension, or no such key.
  RawData read(const std::string& key, bool text = false) const;

  /// 1-based line of number `flat` (row-major) of a key.
  std::int64_t line_of(const std::string& key, std::int64_t flat) const;

private:
  std::size_t place_of(const std::string& key) const;
  std::shared_ptr<const MappedFile> file_;
  bool is_array_ = false;
  std::vector<std::string> keys_;
  std::vector<std::size_t> places_;
};

} // namespace plait::runtime
