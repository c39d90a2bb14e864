// Tables of separated values.
#pragma once

#include "runtime/data_error.hpp"
#include "runtime/readers/mapped_file.hpp"
#include "runtime/readers/raw_data.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plait::runtime {

/// A table: comma, semicolon or tab separated (whichever the first line has most of), RFC 4180 quotes, LF or
/// CRLF, lines of '#' before the first row and blank lines skipped. When every field of the first line is an
/// unquoted number there is no header, and the columns are named 1, 2, 3, ….
class CsvFile {
public:
  /// Reads the header only. Throws DataFailure: no header, no rows, or a column name that occurs twice.
  explicit CsvFile(std::shared_ptr<const MappedFile> file);

  const std::string& path() const { return file_->path(); }
  const std::vector<std::string>& columns() const { return columns_; }
  std::optional<std::size_t> find(std::string_view column) const;

  enum class Wanted { numbers, numbers_or_text, text };
  struct Request {
    std::size_t column;
    Wanted wanted;
  };
  /// A column of shape [rows], f64 or codes of texts; or its first fault: a missing entry (empty field or
  /// NA), or text where numbers are wanted.
  struct Column {
    RawData data;
    std::optional<DataError> error;
  };
  /// Reads the requested columns in one pass (two if numbers turn out to be texts). Throws DataFailure when a
  /// row has more or fewer fields than the header, or a quote is never closed.
  std::vector<Column> read(std::span<const Request> requests) const;

  /// From now on rows with a missing entry in one of these columns are no rows. Throws as read does, and when
  /// no row is left. Returns how many are left out.
  std::int64_t leave_out_missing(std::span<const std::size_t> columns);
  /// The 1-based row of the file that is the 1-based row `kept` of what read gives.
  std::int64_t row_in_file(std::int64_t kept) const;

  /// 1-based line on which the 1-based row of the file begins.
  std::int64_t line_of(std::int64_t row) const;

private:
  class Slot;
  void pass(std::span<Slot*> slots) const;
  /// Calls visit(row, column, field, quoted) for every field, rows counted from 0.
  template <class Visit>
  std::int64_t each_field(Visit&& visit) const;
  bool skip_blank(const char*& at) const;
  const char* next_field(const char* at, std::string_view& field, bool& quoted) const;
  [[noreturn]] void fail(std::string message, std::int64_t line, std::int64_t row,
                         std::string hint = {}) const;

  std::shared_ptr<const MappedFile> file_;
  char delimiter_ = ',';
  bool has_quotes_ = false;
  const char* first_row_ = nullptr;
  const char* end_ = nullptr;
  std::vector<std::string> columns_;
  std::vector<std::int64_t> left_out_; ///< rows of the file from 0, ascending
};

} // namespace plait::runtime
