#include "runtime/readers/json.hpp"

#include "runtime/data_error.hpp"
#include "runtime/names.hpp"

#include <fast_float/fast_float.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>

namespace plait::runtime {

namespace {

constexpr std::size_t deepest = 64;

class Scanner {
public:
  Scanner(const MappedFile& file, std::size_t at) : file_(file), text_(file.bytes()), at_(at) {}

  std::size_t at() const { return at_; }
  std::int64_t line() const {
    return 1 + std::count(text_.begin(),
                          text_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, text_.size())), '\n');
  }

  [[noreturn]] void fail(std::string message, const std::string& key = {}, std::string hint = {}) const {
    DataError error;
    error.file = file_.path();
    error.key = key;
    error.line = line();
    error.message = std::move(message);
    error.hint = std::move(hint);
    throw DataFailure(std::move(error));
  }

  char peek() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
      ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool ended() { return peek() == '\0' && at_ >= text_.size(); }
  bool take(char wanted) {
    if (peek() != wanted)
      return false;
    ++at_;
    return true;
  }
  /// `what`: the expectation in words, such as "':' after a name".
  void need(char wanted, std::string_view what) {
    if (!take(wanted))
      fail(ended() ? fmt::format("expected {}, but the text ends", what)
                   : fmt::format("expected {}, found '{}'", what, text_[at_]));
  }

  std::string string() {
    need('"', "a name in quotes");
    std::string result;
    for (;;) {
      if (at_ >= text_.size())
        fail("the text ends inside a string");
      char c = text_[at_++];
      if (c == '"')
        return result;
      if (c != '\\') {
        result += c;
        continue;
      }
      char escape = at_ < text_.size() ? text_[at_++] : '\0';
      switch (escape) {
      case 'n':
        result += '\n';
        break;
      case 't':
        result += '\t';
        break;
      case 'r':
        result += '\r';
        break;
      case 'b':
        result += '\b';
        break;
      case 'f':
        result += '\f';
        break;
      case 'u':
        append_code_point(result);
        break;
      case '"':
      case '\\':
      case '/':
        result += escape;
        break;
      default:
        fail("a string has an unknown escape");
      }
    }
  }

  /// A run of characters that are no punctuation: a number or a word.
  std::string_view word() {
    peek();
    std::size_t begin = at_;
    while (at_ < text_.size() &&
           std::string_view(",:[]{}\" \t\r\n").find(text_[at_]) == std::string_view::npos)
      ++at_;
    return text_.substr(begin, at_ - begin);
  }

  /// Passes over one value without looking into it.
  void skip() {
    std::string open; // the closing brackets still to come
    do {
      char c = peek();
      if (c == '"') {
        string();
      } else if (c == '[' || c == '{') {
        open += c == '[' ? ']' : '}';
        ++at_;
      } else if (!open.empty() && (c == ']' || c == '}')) {
        if (c != open.back())
          fail(fmt::format("expected '{}' or ',', found '{}'", open.back(), c));
        open.pop_back();
        ++at_;
      } else if (!open.empty() && (c == ',' || c == ':')) {
        ++at_;
      } else if (word().empty()) {
        fail(ended() ? "the text ends inside a value" : fmt::format("a value is missing before '{}'", c));
      }
    } while (!open.empty());
  }

private:
  std::uint32_t hexadecimal() {
    std::uint32_t code = 0;
    if (text_.size() - at_ < 4)
      fail("the text ends inside a string");
    auto [end, status] = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, code, 16);
    if (status != std::errc{} || end != text_.data() + at_ + 4)
      fail("a string has a broken \\u escape");
    at_ += 4;
    return code;
  }

  void append_code_point(std::string& out) {
    std::uint32_t code = hexadecimal();
    if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      std::uint32_t low = hexadecimal();
      code = 0x10000 + ((code - 0xD800) << 10) + ((low - 0xDC00) & 0x3FF);
    }
    auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
      put(code);
    } else if (code < 0x800) {
      put(0xC0 | code >> 6);
      put(0x80 | (code & 63));
    } else if (code < 0x10000) {
      put(0xE0 | code >> 12);
      put(0x80 | (code >> 6 & 63));
      put(0x80 | (code & 63));
    } else {
      put(0xF0 | code >> 18);
      put(0x80 | (code >> 12 & 63));
      put(0x80 | (code >> 6 & 63));
      put(0x80 | (code & 63));
    }
  }

  const MappedFile& file_;
  std::string_view text_;
  std::size_t at_;
};

std::optional<double> special_number(std::string_view word) {
  bool negative = word.starts_with('-');
  if (negative || word.starts_with('+'))
    word.remove_prefix(1);
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  if (lower == "nan")
    return std::numeric_limits<double>::quiet_NaN();
  if (lower == "inf" || lower == "infinity")
    return negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  return std::nullopt;
}

// Numbers, as integers for as long as they are. `index` stops the walk at one of them, to find its place.
class ValueReader {
public:
  ValueReader(Scanner& scanner, const std::string& key, bool text, std::int64_t index)
      : scanner_(scanner), key_(key), text_(text), index_(index) {}

  /// False when texts turned up in a walk for numbers that may become one for texts.
  void walk(std::size_t depth) {
    char c = scanner_.peek();
    if (c == '[') {
      walk_array(depth);
      return;
    }
    if (c == '{')
      scanner_.fail(fmt::format("{} holds an object, not numbers", key_), key_);
    if ((rank_ && *rank_ != depth) || lengths_.size() > depth)
      fail_depth();
    rank_ = depth;
    if (count_++ == index_)
      stopped_ = true;
    if (stopped_)
      return;
    if (c == '"') {
      std::string word = scanner_.string();
      std::optional<double> special = special_number(word);
      if (special && !text_)
        add(*special);
      else
        add_text(word);
      return;
    }
    std::string_view word = scanner_.word();
    if (text_)
      add_text(std::string(word));
    else
      add_word(word);
  }

  bool stopped() const { return stopped_; }
  bool met_text() const { return met_text_; }

  RawData finish() {
    std::size_t rank = rank_.value_or(lengths_.size());
    std::vector<std::int64_t> shape;
    RawData raw;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const std::vector<std::int64_t> none;
      const std::vector<std::int64_t>& found = axis < lengths_.size() ? lengths_[axis] : none;
      bool equal =
          std::all_of(found.begin(), found.end(), [&](std::int64_t n) { return n == found.front(); });
      if (!equal && axis == 1 && rank >= 2)
        raw.ragged = true;
      else if (!equal)
        scanner_.fail(fmt::format("{} has rows of different lengths in dimension {}", key_, axis), key_,
                      axis == 0 ? "" : "only dimension 1 may be ragged");
      shape.push_back(found.empty() ? 0 : found.front());
    }
    if (raw.ragged) {
      raw.lengths = lengths_[1];
      std::int64_t total = 0;
      for (std::int64_t n : raw.lengths)
        total += n;
      shape.erase(shape.begin());
      shape[0] = total;
    }
    if (text_) {
      raw.levels = std::move(levels_);
      raw.values = make_array(shape, std::move(integers_));
    } else if (real_) {
      raw.values = make_array(shape, std::move(reals_));
    } else {
      raw.values = make_array(shape, std::move(integers_));
    }
    return raw;
  }

private:
  void walk_array(std::size_t depth) {
    if (depth >= deepest)
      scanner_.fail(fmt::format("{} is nested too deeply", key_), key_);
    if (rank_ && *rank_ <= depth)
      fail_depth();
    scanner_.take('[');
    if (lengths_.size() <= depth)
      lengths_.resize(depth + 1);
    std::size_t slot = lengths_[depth].size();
    lengths_[depth].push_back(0);
    std::int64_t length = 0;
    if (!scanner_.take(']')) {
      do {
        walk(depth + 1);
        if (stopped_ || met_text_)
          return;
        ++length;
      } while (scanner_.take(','));
      scanner_.need(']', fmt::format("']' or ',' in the array {}", key_));
    }
    lengths_[depth][slot] = length;
  }

  [[noreturn]] void fail_depth() {
    scanner_.fail(fmt::format("{} mixes numbers and arrays at the same depth", key_), key_);
  }

  void add(double value) {
    if (!real_) {
      real_ = true;
      reals_.assign(integers_.begin(), integers_.end());
      integers_.clear();
    }
    reals_.push_back(value);
  }

  void add_word(std::string_view word) {
    const char* begin = word.data();
    const char* end = begin + word.size();
    if (!real_) {
      std::int64_t integer = 0;
      auto [next, status] = std::from_chars(begin, end, integer);
      if (status == std::errc{} && next == end) {
        integers_.push_back(integer);
        return;
      }
    }
    double value = 0;
    auto [next, status] = fast_float::from_chars(begin, end, value);
    bool overflow = status == std::errc::result_out_of_range;
    if (next == end && !word.empty() && (status == std::errc{} || overflow)) {
      add(value);
    } else if (word == "true" || word == "false") {
      if (real_)
        reals_.push_back(word == "true");
      else
        integers_.push_back(word == "true");
    } else if (word == "null") {
      scanner_.fail(fmt::format("{} has a missing value (null)", key_), key_,
                    "leave the row out, or model the missing value as a latent");
    } else if (std::optional<double> special = special_number(word)) {
      add(*special);
    } else if (word.empty()) {
      scanner_.fail(scanner_.ended() ? fmt::format("the text ends inside {}", key_)
                                     : fmt::format("a number is missing in {}", key_),
                    key_);
    } else {
      scanner_.fail(fmt::format("{} has '{}', which is not a number", key_, word), key_);
    }
  }

  void add_text(const std::string& word) {
    if (!text_) {
      met_text_ = true;
      return;
    }
    auto [entry, fresh] = codes_.try_emplace(word, static_cast<std::int64_t>(levels_.size()));
    if (fresh)
      levels_.push_back(word);
    integers_.push_back(entry->second);
  }

  Scanner& scanner_;
  const std::string& key_;
  bool text_;
  std::int64_t index_;
  std::int64_t count_ = 0;
  bool stopped_ = false, met_text_ = false, real_ = false;
  std::optional<std::size_t> rank_;
  std::vector<std::vector<std::int64_t>> lengths_;
  std::vector<std::int64_t> integers_;
  std::vector<double> reals_;
  std::vector<std::string> levels_;
  std::unordered_map<std::string, std::int64_t> codes_;
};

} // namespace

JsonFile::JsonFile(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {
  std::size_t mark = file_->bytes().starts_with("\xEF\xBB\xBF") ? 3 : 0;
  Scanner scanner(*file_, mark);
  if (scanner.peek() == '[') {
    is_array_ = true;
    keys_.push_back("");
    places_.push_back(scanner.at());
    scanner.skip();
  } else {
    if (scanner.ended())
      scanner.fail("the file has no content");
    scanner.need('{', "'{' or '[' at the beginning of the data");
    if (!scanner.take('}')) {
      do {
        std::string key = scanner.string();
        scanner.need(':', fmt::format("':' after \"{}\"", key));
        scanner.peek();
        if (has(key))
          scanner.fail(fmt::format("the key {} occurs twice", key), key);
        keys_.push_back(key);
        places_.push_back(scanner.at());
        scanner.skip();
      } while (scanner.take(','));
      scanner.need('}', "'}' or ',' after a value");
    }
  }
  if (!scanner.ended())
    scanner.fail("there is more text after the end of the data");
}

bool JsonFile::has(std::string_view key) const {
  return std::find(keys_.begin(), keys_.end(), key) != keys_.end();
}

std::size_t JsonFile::place_of(const std::string& key) const {
  auto found = std::find(keys_.begin(), keys_.end(), key);
  if (found == keys_.end()) {
    DataError error;
    error.file = file_->path();
    error.message = fmt::format("the file has no key {}", key);
    error.hint = is_array_
                     ? "the file is one bare array"
                     : fmt::format("{}its keys are: {}", suggestion(key, keys_), fmt::join(keys_, ", "));
    throw DataFailure(std::move(error));
  }
  return places_[static_cast<std::size_t>(found - keys_.begin())];
}

RawData JsonFile::read(const std::string& key, bool text) const {
  std::size_t place = place_of(key);
  std::string label = key.empty() ? "the array" : key;
  Scanner scanner(*file_, place);
  ValueReader reader(scanner, label, false, -1);
  reader.walk(0);
  RawData raw;
  if (!reader.met_text()) {
    raw = reader.finish();
  } else {
    if (!text)
      scanner.fail(fmt::format("{} has text where a number is expected", label), key,
                   "declare the data as index<J> to number the texts in alphabetical order");
    Scanner again(*file_, place);
    ValueReader texts(again, label, true, -1);
    texts.walk(0);
    raw = texts.finish();
  }
  raw.values.origin = {Origin::Format::json, file_->path(), key};
  return raw;
}

std::int64_t JsonFile::line_of(const std::string& key, std::int64_t flat) const {
  Scanner scanner(*file_, place_of(key));
  std::string label = key;
  ValueReader reader(scanner, label, true, flat);
  reader.walk(0);
  return scanner.line();
}

} // namespace plait::runtime
