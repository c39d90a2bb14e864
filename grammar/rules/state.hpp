#pragma once

#include "grammar/diagnostic.hpp"
#include "grammar/source.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the rules share while one file is read, and the scanning that needs no grammar.
namespace plait::grammar {

/// Thrown to leave the parse at once: the tree would become too deep, or there are too many errors already.
/// The diagnostic is recorded before.
struct ParsingStopped {};

/// How deep brackets, blocks and conditionals may nest, and how tall an expression tree may grow. Both bound
/// the stack that the parser and every later stage need.
constexpr int deepest_nesting = 128;
constexpr std::uint32_t tallest_expression = 1000;
/// After this many errors the rest is hardly about what the user got wrong.
constexpr std::size_t most_errors = 20;

struct ParseState {
  const char* begin = nullptr;
  const char* end = nullptr;
  Diagnostics* diagnostics = nullptr;

  int depth = 0;
  std::vector<std::size_t> open_blocks; ///< offsets of the `{` not yet closed
  bool discard = false; ///< the construct just accepted was recovered from: leave it out of the tree
  const char* last_failure = nullptr; ///< where the last syntax error was, so that one place is reported once
  std::optional<std::size_t> unclosed_block; ///< offset of the `{` whose `}` was missed last
  const char* resumed_at_block = nullptr;    ///< a `{` left without its header by recovery

  std::size_t offset(const char* at) const { return static_cast<std::size_t>(at - begin); }
  Span span(const char* from, const char* to) const { return {offset(from), offset(to)}; }

  /// Records an error about something that parses but cannot be meant; parsing goes on.
  Diagnostic& reject(Span span, std::string message);
  /// Records that the tree would become too deep and stops.
  [[noreturn]] void stop_too_deep(Span span, std::string message);
  /// Stops where the errors are too many to be of help.
  void stop_after_many_errors() const;
};

/// Past spaces, line breaks and `#` comments.
const char* skip_blank(const char* at, const char* end);
/// The end of the last token before `at`: back over spaces, line breaks and comments, not before `begin`.
const char* end_of_previous_token(const char* begin, const char* at);
/// The end of the token that starts at `at`: a word, a number, an operator, or one code point.
const char* token_end(const char* at, const char* end);

bool is_word_start(char c);
bool is_word(char c);
/// Words that cannot be names: they begin an item or a statement, or join the parts of one.
bool is_reserved(std::string_view word);
bool begins_item(std::string_view word);
bool begins_statement(std::string_view word);
/// Whether an item starts at `at`: its word, and behind it what such an item goes on with. `data = 3` is no
/// item.
bool starts_item(const char* at, const char* end);
/// The word that starts at `at`; empty if none does.
std::string_view word_at(const char* at, const char* end);

} // namespace plait::grammar
