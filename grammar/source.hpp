#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace plait {

/// A stretch of source text: byte offsets, half-open. `{0, 0}` in a synthesized node means "no place".
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;

  bool empty() const { return end <= begin; }
  bool operator==(const Span&) const = default;
};

/// The smallest span that covers both.
inline Span cover(Span a, Span b) {
  return {a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

/// One-based line and column. A column counts code points, so that it agrees with what an editor shows.
struct Position {
  std::size_t line = 1;
  std::size_t column = 1;
};

/// A model file in memory: the name that diagnostics print, and its text.
struct Source {
  std::string name;
  std::string text;

  /// Line and column of a byte offset; an offset past the end counts as the end.
  Position position(std::size_t offset) const;
  /// The text of a one-based line, without its line break; empty if there is no such line.
  std::string_view line(std::size_t number) const;
  /// The text under a span, cut at the end of the file.
  std::string_view slice(Span span) const;
};

} // namespace plait
