#include "runtime/data_error.hpp"

#include <fmt/format.h>

namespace plait::runtime {

std::string to_text(const DataError& error) {
  std::string place = error.file;
  if (!place.empty() && error.line > 0)
    place += fmt::format(":{}", error.line);
  if (!place.empty())
    place += ": ";
  std::string text = place + "error: " + error.message;
  if (!error.hint.empty())
    text += "\nhint: " + error.hint;
  return text;
}

std::string to_text(const std::vector<DataError>& errors) {
  std::string text;
  for (const DataError& error : errors) {
    if (!text.empty())
      text += "\n\n";
    text += to_text(error);
  }
  return text;
}

} // namespace plait::runtime
