#pragma once

#include "grammar/source.hpp"

#include <string>
#include <vector>

namespace plait::formatting {

/// A `#` comment: its place, and its text from the `#` on without trailing space.
struct Comment {
  Span span;
  std::string text;
};

/// All comments of a source, in order. The language has no strings, so each `#` outside a comment begins one.
std::vector<Comment> comments_of(const Source& source);

} // namespace plait::formatting
