#include "grammar/rules/recovery.hpp"

#include "grammar/rules/hint.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plait::grammar {

namespace {

bool on_later_line(const char* from, const char* to) {
  return std::find(from, to, '\n') != to;
}

/// Whether what stands at `at` begins a statement of its own: a word that begins one, or a target before `=`
/// or `~`.
bool looks_like_statement(const char* at, const char* end) {
  std::string_view word = word_at(at, end);
  if (word.empty())
    return false;
  if (begins_statement(word) || starts_item(at, end))
    return true;
  if (is_reserved(word))
    return false;
  const char* next = skip_blank(at + word.size(), end);
  std::string_view mark(next, static_cast<std::size_t>(token_end(next, end) - next));
  return mark == "=" || mark == "~";
}

/// The bracket that is open at `where`, if it was opened after `from`.
const char* open_bracket(const char* from, const char* where, char closing) {
  std::vector<const char*> open;
  for (const char* at = skip_blank(from, where); at < where; at = skip_blank(token_end(at, where), where)) {
    if (*at == '(' || *at == '[')
      open.push_back(at);
    else if ((*at == ')' || *at == ']') && !open.empty())
      open.pop_back();
  }
  if (open.empty() || *open.back() != (closing == ')' ? '(' : '['))
    return nullptr;
  return open.back();
}

void report(ParseState& state, const char* from, const char* where, std::string_view expected) {
  const char* previous = std::max(from, end_of_previous_token(state.begin, where));
  bool unterminated = expected == "';'" && previous > from &&
                      (where == state.end || *where == '}' || on_later_line(previous, where) ||
                       looks_like_statement(where, state.end));
  if (unterminated) {
    state.diagnostics->error("syntax", state.span(previous, previous), "expected ';' after this statement")
        .with_hint("every statement and declaration ends with ';'");
    return;
  }

  const char* stop = token_end(where, state.end);
  Diagnostic& error = state.diagnostics->error(
      "syntax", state.span(where, stop),
      fmt::format("expected {}, found {}", expected, describe_token(where, state.end)));
  if (expected == "'}'" && state.unclosed_block) {
    std::size_t open = *state.unclosed_block;
    error.message = fmt::format("expected '}}' to close a block, found {}", describe_token(where, state.end));
    error.note({open, open + 1}, "the innermost open block begins here");
  }
  if (expected == "')'" || expected == "']'")
    if (const char* open = open_bracket(from, where, expected[1]); open && on_later_line(open, where))
      error.note(state.span(open, open + 1), fmt::format("to match this '{}'", *open));
  error.hint = hint_for(state, from, where, expected);
}

void report_once(ParseState& state, const char* from, const char* where, std::string_view expected) {
  if (state.last_failure != where)
    report(state, from, where, expected);
  state.last_failure = where;
  state.stop_after_many_errors();
}

/// The token after `at`, or the end.
const char* next_token(const char* at, const char* end) {
  return skip_blank(token_end(at, end), end);
}

} // namespace

Iterator recover_statement(ParseState& state, Iterator from, Iterator where, std::string_view expected) {
  from = skip_blank(from, state.end);
  where = skip_blank(where, state.end);
  report_once(state, from, where, expected);

  bool at_new_line = on_later_line(end_of_previous_token(state.begin, where), where);
  for (Iterator at = where; at != state.end;) {
    if (*at == '}')
      return at;
    if (*at == '{') {
      state.resumed_at_block = at;
      return at;
    }
    if (*at == ';')
      return at + 1;
    if (at > from && (starts_item(at, state.end) || (at_new_line && looks_like_statement(at, state.end))))
      return at;
    Iterator stop = token_end(at, state.end);
    Iterator next = next_token(at, state.end);
    at_new_line = on_later_line(stop, next);
    at = next;
  }
  return state.end;
}

Iterator recover_item(ParseState& state, Iterator from, Iterator where, std::string_view expected) {
  from = skip_blank(from, state.end);
  where = skip_blank(where, state.end);
  report_once(state, from, where, expected);

  // `}` where an item should begin closes nothing: step over it.
  if (where == from && where != state.end && *where == '}')
    return where + 1;
  for (Iterator at = where; at != state.end; at = next_token(at, state.end)) {
    if (*at == '{' && at > from) {
      state.resumed_at_block = at;
      return at;
    }
    if (*at == ';')
      return at + 1;
    std::string_view word = word_at(at, state.end);
    if (at > from && (starts_item(at, state.end) || word == "param"))
      return at;
  }
  return state.end;
}

} // namespace plait::grammar
