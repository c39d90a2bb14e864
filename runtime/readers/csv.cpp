#include "runtime/readers/csv.hpp"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

namespace plait::runtime {

namespace {

std::string_view trimmed(std::string_view field) {
  while (!field.empty() && (field.front() == ' ' || field.front() == '\t'))
    field.remove_prefix(1);
  while (!field.empty() && (field.back() == ' ' || field.back() == '\t' || field.back() == '\r'))
    field.remove_suffix(1);
  return field;
}

bool parse_number(std::string_view field, double& value) {
  const char* begin = field.data();
  const char* end = begin + field.size();
  if (begin != end && *begin == '+' && end - begin > 1 && begin[1] != '-')
    ++begin;
  auto [next, status] = fast_float::from_chars(begin, end, value);
  return next == end && begin != end && (status == std::errc{} || status == std::errc::result_out_of_range);
}

std::string unescaped(std::string_view field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    text += field[i];
    if (field[i] == '"')
      ++i;
  }
  return text;
}

bool is_missing(std::string_view field) {
  return field.empty() || field == "NA";
}

} // namespace

// Collects one column during a pass.
class CsvFile::Slot {
public:
  Slot(std::size_t column, Wanted wanted) : column(column), wanted_(wanted), text_(wanted == Wanted::text) {}

  void add(std::string_view field, bool quoted, std::int64_t row) {
    if (done_)
      return;
    if (!quoted)
      field = trimmed(field);
    if (is_missing(field)) {
      stop(row, field);
      missing_ = true;
      return;
    }
    if (text_) {
      add_text(field);
      return;
    }
    double value = 0;
    if (parse_number(quoted ? trimmed(field) : field, value)) {
      numbers_.push_back(value);
    } else if (std::optional<double> truth = truth_value(field)) {
      numbers_.push_back(*truth);
    } else {
      stop(row, field);
    }
  }

  /// The pass met text in a column that may be text: another pass must read it so.
  bool wants_text() const { return done_ && !missing_ && wanted_ == Wanted::numbers_or_text && !text_; }
  void restart_as_text() {
    text_ = true;
    done_ = false;
    numbers_.clear();
  }

  Column finish(const CsvFile& file) {
    Column result;
    const std::string& name = file.columns_[column];
    if (done_) {
      DataError error;
      error.file = file.path();
      error.key = name;
      error.row = bad_row_ + 1;
      error.line = file.line_of(error.row);
      error.value = bad_field_;
      if (missing_) {
        error.message = fmt::format("column {} has a missing value in row {}{}", name, error.row,
                                    bad_field_.empty() ? " (empty field)" : " (NA)");
        error.hint =
            "leave such rows out with `--data FILE.csv,drop_missing`, or model the missing value as a latent";
      } else {
        error.message =
            fmt::format("column {} has '{}' in row {}, which is not a number", name, bad_field_, error.row);
        error.hint =
            "text columns can be bound to index<J> data: the texts are numbered in alphabetical order";
      }
      result.error = std::move(error);
      return result;
    }
    if (text_) {
      auto rows = static_cast<std::int64_t>(codes_.size());
      result.data.values = make_array({rows}, std::move(codes_));
      result.data.levels = std::move(levels_);
    } else {
      auto rows = static_cast<std::int64_t>(numbers_.size());
      result.data.values = make_array({rows}, std::move(numbers_));
    }
    result.data.values.origin = {Origin::Format::csv, file.path(), name};
    return result;
  }

  void reserve(std::size_t rows) {
    if (text_)
      codes_.reserve(rows);
    else
      numbers_.reserve(rows);
  }

  const std::size_t column;

private:
  static std::optional<double> truth_value(std::string_view field) {
    if (field == "TRUE" || field == "True" || field == "true")
      return 1.0;
    if (field == "FALSE" || field == "False" || field == "false")
      return 0.0;
    return std::nullopt;
  }

  void add_text(std::string_view field) {
    // Fields with doubled quotes are kept as they lie in the file: the mapping is one to one either way.
    auto [entry, fresh] = index_.try_emplace(field, static_cast<std::int32_t>(levels_.size()));
    if (fresh)
      levels_.push_back(unescaped(field));
    codes_.push_back(entry->second);
  }

  void stop(std::int64_t row, std::string_view field) {
    done_ = true;
    bad_row_ = row;
    bad_field_ = std::string(field.substr(0, 60));
  }

  Wanted wanted_;
  bool text_, done_ = false, missing_ = false;
  std::int64_t bad_row_ = 0;
  std::string bad_field_;
  std::vector<double> numbers_;
  std::vector<std::int32_t> codes_;
  std::vector<std::string> levels_;
  std::unordered_map<std::string_view, std::int32_t> index_;
};

CsvFile::CsvFile(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {
  std::string_view bytes = file_->bytes();
  const char* at = bytes.data();
  end_ = at + bytes.size();
  if (bytes.starts_with("\xEF\xBB\xBF"))
    at += 3;
  auto line_end = [&](const char* from) {
    auto* found = static_cast<const char*>(std::memchr(from, '\n', static_cast<std::size_t>(end_ - from)));
    return found ? found : end_;
  };
  while (at < end_ && (*at == '#' || *at == '\n' || (*at == '\r' && at + 1 < end_ && at[1] == '\n')))
    at = std::min(end_, line_end(at) + 1);
  std::string_view first(at, static_cast<std::size_t>(line_end(at) - at));
  if (trimmed(first).empty())
    fail("the file has no header", -1, -1);
  if (first.find('\0') != std::string_view::npos)
    fail("this is not a text file", -1, -1);
  auto most = std::count(first.begin(), first.end(), ',');
  for (char candidate : {';', '\t'}) {
    auto count = std::count(first.begin(), first.end(), candidate);
    if (count > most) {
      most = count;
      delimiter_ = candidate;
    }
  }
  has_quotes_ = std::memchr(at, '"', static_cast<std::size_t>(end_ - at)) != nullptr;

  bool numbers = true;
  const char* begin = at;
  for (;;) {
    std::string_view field;
    bool quoted = false;
    at = next_field(at, field, quoted);
    double value = 0;
    if (!quoted)
      field = trimmed(field);
    numbers = numbers && !quoted && parse_number(field, value);
    columns_.push_back(quoted ? unescaped(field) : std::string(field));
    if (at >= end_ || *at == '\n')
      break;
    ++at;
  }
  if (numbers) {
    for (std::size_t i = 0; i < columns_.size(); ++i)
      columns_[i] = std::to_string(i + 1);
    first_row_ = begin;
  } else {
    first_row_ = std::min(end_, at + 1);
    std::unordered_set<std::string_view> seen;
    for (const std::string& column : columns_)
      if (!seen.insert(column).second && !column.empty())
        fail(fmt::format("the header has the column {} twice", column), 1, -1);
  }
  const char* probe = first_row_;
  if (!skip_blank(probe))
    fail("the file has a header but no rows", -1, -1);
}

void CsvFile::fail(std::string message, std::int64_t line, std::int64_t row, std::string hint) const {
  DataError error;
  error.file = file_->path();
  error.line = line;
  error.row = row;
  error.message = std::move(message);
  error.hint = std::move(hint);
  throw DataFailure(std::move(error));
}

std::optional<std::size_t> CsvFile::find(std::string_view column) const {
  auto found = std::find(columns_.begin(), columns_.end(), column);
  if (found == columns_.end())
    return std::nullopt;
  return static_cast<std::size_t>(found - columns_.begin());
}

// Moves to the next row; false at the end of the file. Blank lines are no rows, except that in a table of one
// column a blank line between rows is a missing value.
bool CsvFile::skip_blank(const char*& at) const {
  const char* from = at;
  for (;;) {
    const char* mark = at;
    while (at < end_ && (*at == '\r' || (*at == ' ' && columns_.size() > 1)))
      ++at;
    if (at >= end_)
      return false;
    if (*at != '\n') {
      at = mark;
      break;
    }
    ++at;
  }
  if (columns_.size() == 1)
    at = from;
  return true;
}

// Takes the field at `at`; returns where it ends: at a delimiter, a line feed, or the end of the file.
const char* CsvFile::next_field(const char* at, std::string_view& field, bool& quoted) const {
  quoted = at < end_ && *at == '"';
  if (!quoted) {
    const char* begin = at;
    const char delimiter = delimiter_;
    while (at < end_ && *at != delimiter && *at != '\n')
      ++at;
    field = {begin, static_cast<std::size_t>(at - begin)};
    return at;
  }
  const char* begin = ++at;
  for (;;) {
    at = static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end_ - at)));
    if (!at) {
      auto line = 1 + std::count(file_->bytes().data(), begin, '\n');
      fail("a quote is opened here and never closed", line, -1);
    }
    if (at + 1 < end_ && at[1] == '"') {
      at += 2;
      continue;
    }
    break;
  }
  field = {begin, static_cast<std::size_t>(at - begin)};
  ++at;
  while (at < end_ && *at != delimiter_ && *at != '\n')
    ++at;
  return at;
}

void CsvFile::pass(std::span<Slot*> slots) const {
  std::vector<std::vector<Slot*>> at_column(columns_.size());
  const char* at = first_row_;
  const char* guess = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end_ - at)));
  std::size_t row_bytes = static_cast<std::size_t>((guess ? guess : end_) - at) + 1;
  for (Slot* slot : slots) {
    at_column[slot->column].push_back(slot);
    slot->reserve(static_cast<std::size_t>(end_ - at) / row_bytes + 16);
  }
  auto next_left_out = left_out_.begin();
  each_field([&](std::int64_t row, std::size_t column, std::string_view field, bool quoted) {
    while (next_left_out != left_out_.end() && *next_left_out < row)
      ++next_left_out;
    if (next_left_out != left_out_.end() && *next_left_out == row)
      return;
    for (Slot* slot : at_column[column])
      slot->add(field, quoted, row);
  });
}

template <class Visit>
std::int64_t CsvFile::each_field(Visit&& visit) const {
  const char* at = first_row_;
  std::int64_t row = 0;
  while (skip_blank(at)) {
    std::size_t column = 0;
    for (;; ++column) {
      std::string_view field;
      bool quoted = false;
      at = next_field(at, field, quoted);
      if (column < columns_.size())
        visit(row, column, field, quoted);
      if (at >= end_ || *at == '\n')
        break;
      ++at;
    }
    if (at < end_)
      ++at;
    if (column + 1 != columns_.size())
      fail(fmt::format("row {} has {} field{}, but {} has {}", row + 1, column + 1, column == 0 ? "" : "s",
                       columns_[0] == "1" ? "the first row" : "the header", columns_.size()),
           line_of(row + 1), row + 1);
    ++row;
  }
  return row;
}

std::int64_t CsvFile::leave_out_missing(std::span<const std::size_t> columns) {
  std::vector<bool> used(columns_.size(), false);
  for (std::size_t column : columns)
    used[column] = true;
  const std::int64_t rows =
      each_field([&](std::int64_t row, std::size_t column, std::string_view field, bool quoted) {
        double number = 0;
        if (!quoted)
          field = trimmed(field);
        if (used[column] && (is_missing(field) || (parse_number(field, number) && std::isnan(number))) &&
            (left_out_.empty() || left_out_.back() != row))
          left_out_.push_back(row);
      });
  const auto count = static_cast<std::int64_t>(left_out_.size());
  if (count == rows) {
    left_out_.clear();
    fail("every row has a missing value in a column that is used, so drop_missing leaves none", -1, -1);
  }
  return count;
}

std::int64_t CsvFile::row_in_file(std::int64_t kept) const {
  for (std::int64_t row : left_out_) {
    if (row >= kept)
      break;
    ++kept;
  }
  return kept;
}

std::vector<CsvFile::Column> CsvFile::read(std::span<const Request> requests) const {
  std::vector<Slot> slots;
  slots.reserve(requests.size());
  std::vector<Slot*> wanted;
  for (const Request& request : requests) {
    slots.emplace_back(request.column, request.wanted);
    wanted.push_back(&slots.back());
  }
  pass(wanted);
  std::erase_if(wanted, [](Slot* slot) { return !slot->wants_text(); });
  if (!wanted.empty()) {
    for (Slot* slot : wanted)
      slot->restart_as_text();
    pass(wanted);
  }
  std::vector<Column> columns;
  for (Slot& slot : slots)
    columns.push_back(slot.finish(*this));
  return columns;
}

std::int64_t CsvFile::line_of(std::int64_t row) const {
  const char* at = first_row_;
  for (std::int64_t passed = 0; skip_blank(at); ++passed) {
    if (passed == row - 1)
      break;
    std::string_view field;
    bool quoted = false;
    for (;;) {
      at = next_field(at, field, quoted);
      if (at >= end_ || *at == '\n')
        break;
      ++at;
    }
    if (at < end_)
      ++at;
  }
  return 1 + std::count(file_->bytes().data(), at, '\n');
}

} // namespace plait::runtime
