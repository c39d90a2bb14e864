#include "grammar/format/comments.hpp"

namespace plait::formatting {

std::vector<Comment> comments_of(const Source& source) {
  std::vector<Comment> result;
  const std::string& text = source.text;
  for (std::size_t begin = text.find('#'); begin != std::string::npos;) {
    std::size_t line_end = std::min(text.find('\n', begin), text.size());
    std::size_t last = text.find_last_not_of(" \t\r", line_end == begin ? begin : line_end - 1);
    result.push_back({{begin, line_end}, text.substr(begin, last + 1 - begin)});
    begin = text.find('#', line_end);
  }
  return result;
}

} // namespace plait::formatting
