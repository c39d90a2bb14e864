#include "grammar/rules/state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace plait::grammar {

namespace {

constexpr std::array<std::string_view, 7> item_words = {"const", "data",  "fun",    "net",
                                                        "model", "guide", "predict"};
constexpr std::array<std::string_view, 7> statement_words = {"param", "iarange", "irange", "for",
                                                             "if",    "factor",  "return"};
constexpr std::array<std::string_view, 5> joining_words = {"in", "as", "subsample", "using", "else"};

// Longest first, so that the first match is the longest. Some are no part of the language and are here so
// that a message shows the whole of what was written.
constexpr std::array<std::string_view, 25> operators = {"...", "==", "!=", "<=", ">=", "&&", "||", "->", "..",
                                                        "+=",  "-=", "*=", "/=", ":=", "**", "//", "|",  "&",
                                                        "~",   "=",  "<",  ">",  "!",  "+",  "-"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

} // namespace

Diagnostic& ParseState::reject(Span span, std::string message) {
  return diagnostics->error("syntax", span, std::move(message));
}

void ParseState::stop_too_deep(Span span, std::string message) {
  diagnostics->error("nesting", span, std::move(message))
      .with_hint(fmt::format(
          "brackets and blocks may nest {} deep, and an expression may chain {} operators; give a "
          "part of it a name of its own",
          deepest_nesting, tallest_expression));
  throw ParsingStopped{};
}

void ParseState::stop_after_many_errors() const {
  if (diagnostics->error_count() >= most_errors)
    throw ParsingStopped{};
}

const char* skip_blank(const char* at, const char* end) {
  while (at != end) {
    if (is_blank(*at))
      ++at;
    else if (*at == '#')
      at = std::find(at, end, '\n');
    else
      break;
  }
  return at;
}

const char* end_of_previous_token(const char* begin, const char* at) {
  while (true) {
    while (at != begin && is_blank(at[-1]))
      --at;
    const char* line = at;
    while (line != begin && line[-1] != '\n')
      --line;
    const char* comment = std::find(line, at, '#');
    if (comment == at)
      return at;
    at = comment;
  }
}

const char* token_end(const char* at, const char* end) {
  if (at == end)
    return at;
  if (is_word_start(*at))
    return std::find_if_not(at, end, is_word);
  if (is_digit(*at)) {
    const char* stop = std::find_if_not(at, end, is_digit);
    if (end - stop >= 2 && *stop == '.' && is_digit(stop[1]))
      stop = std::find_if_not(stop + 1, end, is_digit);
    return std::find_if_not(stop, end, is_word);
  }
  std::string_view rest(at, static_cast<std::size_t>(end - at));
  for (std::string_view op : operators)
    if (rest.starts_with(op))
      return at + op.size();
  const char* stop = at + 1;
  while (stop != end && (static_cast<unsigned char>(*at) & 0xC0) == 0xC0 &&
         (static_cast<unsigned char>(*stop) & 0xC0) == 0x80 && stop - at < 4)
    ++stop;
  return stop;
}

bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_word(char c) {
  return is_word_start(c) || is_digit(c);
}

bool begins_item(std::string_view word) {
  return contains(item_words, word);
}
bool begins_statement(std::string_view word) {
  return contains(statement_words, word);
}
bool is_reserved(std::string_view word) {
  return begins_item(word) || begins_statement(word) || contains(joining_words, word);
}

bool starts_item(const char* at, const char* end) {
  std::string_view word = word_at(at, end);
  if (!begins_item(word))
    return false;
  const char* next = skip_blank(at + word.size(), end);
  if (next == end)
    return true;
  bool named = word != "model" && word != "guide" && word != "predict";
  return named ? is_word_start(*next) : *next == '{' || (word == "guide" && is_word_start(*next));
}

std::string_view word_at(const char* at, const char* end) {
  if (at == end || !is_word_start(*at))
    return {};
  return {at, static_cast<std::size_t>(std::find_if_not(at, end, is_word) - at)};
}

} // namespace plait::grammar
