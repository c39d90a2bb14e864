#include "grammar/source.hpp"

#include <algorithm>

namespace plait {

namespace {
bool continues_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}
} // namespace

Position Source::position(std::size_t offset) const {
  offset = std::min(offset, text.size());
  Position result;
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < offset; ++i)
    if (text[i] == '\n') {
      ++result.line;
      line_start = i + 1;
    }
  for (std::size_t i = line_start; i < offset; ++i)
    if (!continues_code_point(text[i]))
      ++result.column;
  return result;
}

std::string_view Source::line(std::size_t number) const {
  std::string_view rest = text;
  for (std::size_t current = 1; current < number; ++current) {
    auto end = rest.find('\n');
    if (end == std::string_view::npos)
      return {};
    rest.remove_prefix(end + 1);
  }
  auto result = rest.substr(0, rest.find('\n'));
  if (!result.empty() && result.back() == '\r')
    result.remove_suffix(1);
  return result;
}

std::string_view Source::slice(Span span) const {
  std::size_t begin = std::min(span.begin, text.size());
  std::size_t end = std::clamp(span.end, begin, text.size());
  return std::string_view(text).substr(begin, end - begin);
}

} // namespace plait
