#include "runtime/dataset.hpp"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace plait::runtime {

namespace {

bool is_identifier(std::string_view text) {
  auto letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; };
  return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || std::isdigit(static_cast<unsigned char>(c));
  });
}

struct Extension {
  std::string_view text;
  Origin::Format format;
};
constexpr Extension extensions[] = {{".json", Origin::Format::json}, {".csv", Origin::Format::csv},
                                    {".tsv", Origin::Format::csv},   {".txt", Origin::Format::csv},
                                    {".npy", Origin::Format::npy},   {".npz", Origin::Format::npz}};

// The file name ends at the first known extension that is followed by a selector or by nothing.
std::size_t file_name_end(std::string_view text, Origin::Format& format) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::size_t best = std::string::npos;
  for (const Extension& extension : extensions)
    for (std::size_t at = lower.find(extension.text); at != std::string::npos;
         at = lower.find(extension.text, at + 1)) {
      std::size_t end = at + extension.text.size();
      if (end < lower.size() && std::string_view(":@*,").find(lower[end]) == std::string_view::npos)
        continue;
      if (end < best) {
        best = end;
        format = extension.format;
      }
      break;
    }
  return best;
}

class ArgumentParser {
public:
  ArgumentParser(const std::string& text, const std::string& option) : option_(option) {
    argument_.text = text;
  }

  DataArgument parse() {
    std::string_view text = argument_.text;
    std::size_t equals = text.find('=');
    if (equals != std::string_view::npos && is_identifier(text.substr(0, equals))) {
      argument_.name = text.substr(0, equals);
      text.remove_prefix(equals + 1);
    }
    std::size_t end = file_name_end(text, argument_.format);
    if (text.empty() || end == std::string_view::npos)
      fail("cannot tell what kind of file this is: its name ends in none of .json, .csv, .tsv, .npy, .npz");
    argument_.file = text.substr(0, end);
    text.remove_prefix(end);
    constexpr std::string_view drop = ",drop_missing";
    if (const std::size_t at = text.find(drop);
        at != std::string_view::npos && (at + drop.size() == text.size() || text[at + drop.size()] == ',')) {
      if (argument_.format != Origin::Format::csv)
        fail("drop_missing leaves out rows of a .csv table");
      argument_.drop_missing = true;
      rest_ = std::string(text.substr(0, at)) + std::string(text.substr(at + drop.size()));
      text = rest_;
    }
    if (argument_.name.empty() && !text.empty())
      fail("a selection needs the name of the data it is for",
           fmt::format("write {} NAME={}", option_, argument_.text));
    if (argument_.name.empty() && argument_.format == Origin::Format::npy)
      fail("a .npy file holds one array without a name",
           fmt::format("write {} NAME={}", option_, argument_.text));
    take_options(text);
    take_last(text, '*', argument_.repeat);
    take_last(text, '@', argument_.group);
    take_keys(text);
    check();
    return argument_;
  }

private:
  [[noreturn]] void fail(std::string message, std::string hint = {}) const {
    DataError error;
    error.name = argument_.name;
    error.message = fmt::format("{} {}: {}", option_, argument_.text, message);
    error.hint = std::move(hint);
    throw DataFailure(std::move(error));
  }

  void take_options(std::string_view& text) {
    for (;;) {
      std::size_t comma = text.rfind(',');
      if (comma == std::string_view::npos)
        return;
      std::string_view option = text.substr(comma + 1);
      std::size_t equals = option.find('=');
      if (equals == std::string_view::npos)
        return;
      std::string_view key = option.substr(0, equals), number = option.substr(equals + 1);
      double value = 0;
      auto [next, status] = fast_float::from_chars(number.data(), number.data() + number.size(), value);
      bool is_number = status == std::errc{} && next == number.data() + number.size();
      if (key == "threshold" && is_number)
        argument_.threshold = value;
      else if (key == "scale" && is_number && value != 0)
        argument_.scale = value;
      else
        fail(fmt::format("'{}' is not understood", option),
             "the options are threshold=NUMBER, scale=NUMBER and, for a .csv table, drop_missing");
      text = text.substr(0, comma);
    }
  }

  void take_last(std::string_view& text, char mark, std::string& value) {
    std::size_t at = text.rfind(mark);
    if (at == std::string_view::npos)
      return;
    value = text.substr(at + 1);
    if (value.empty())
      fail(fmt::format("a name is missing after '{}'", mark));
    text = text.substr(0, at);
  }

  void take_keys(std::string_view text) {
    if (text.empty())
      return;
    if (text[0] != ':')
      fail(fmt::format("'{}' after the file name is not understood", text), "a selection begins with ':'");
    text.remove_prefix(1);
    while (true) {
      std::size_t comma = text.find(',');
      std::string_view key = text.substr(0, comma);
      if (key.empty())
        fail("a name is missing in the selection");
      argument_.keys.emplace_back(key);
      if (comma == std::string_view::npos)
        return;
      text.remove_prefix(comma + 1);
    }
  }

  void check() const {
    bool csv = argument_.format == Origin::Format::csv, npz = argument_.format == Origin::Format::npz;
    if (argument_.format == Origin::Format::npy && !argument_.keys.empty())
      fail("a .npy file holds one array: there is nothing to select");
    if (!csv && argument_.keys.size() > 1)
      fail("only columns of a table can be put together; give one name");
    if (!argument_.group.empty() && !csv && !npz)
      fail("'@' groups the rows of a .csv table or names the offsets in an .npz archive");
    if (!argument_.repeat.empty() && (!npz || argument_.group.empty()))
      fail("'*' needs an .npz archive and '@OFFSETS'");
    if (argument_.threshold && argument_.scale)
      fail("give threshold or scale, not both");
  }

  const std::string& option_;
  DataArgument argument_;
  std::string rest_; ///< what follows the file, without drop_missing
};

} // namespace

DataSource parse_data_arguments(const std::vector<std::string>& arguments, std::vector<DataError>& errors,
                                const std::string& option) {
  DataSource source;
  for (const std::string& text : arguments) {
    try {
      DataArgument argument = ArgumentParser(text, option).parse();
      for (const DataArgument& earlier : source.arguments)
        if (!argument.name.empty() && earlier.name == argument.name) {
          DataError error;
          error.name = argument.name;
          error.message = fmt::format("{0} {1}: {2} is already given by {0} {3}", option, text, argument.name,
                                      earlier.text);
          throw DataFailure(std::move(error));
        }
      source.arguments.push_back(std::move(argument));
    } catch (const DataFailure& failure) {
      errors.push_back(failure.error);
    }
  }
  return source;
}

} // namespace plait::runtime
