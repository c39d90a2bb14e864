#include "grammar/rules/hint.hpp"

#include "grammar/ast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace plait::grammar {

namespace {

std::string_view token_at(const char* at, const char* end) {
  return {at, static_cast<std::size_t>(token_end(at, end) - at)};
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  auto choice = nearest(word, candidates);
  return choice ? fmt::format("did you mean '{}'?", *choice) : std::string();
}

std::string hint_for_item(std::string_view found, std::string_view after) {
  if (found == "}")
    return "this '}' closes no block";
  static const std::map<std::string_view, std::string> others = {
      {"let", "a compile-time size is 'const K = 8;'"},
      {"parameters", "latents need no declaration: the '~' in the model makes them"},
      {"def", "a function is 'fun f(x : real) -> real { … }'"},
      {"function", "a function is 'fun f(x : real) -> real { … }'"},
      {"fn", "a function is 'fun f(x : real) -> real { … }'"},
      {"import", "a model file stands alone; there are no imports"}};
  if (auto known = others.find(found); known != others.end())
    return known->second;
  std::string hint =
      did_you_mean(found, {"const", "data", "param", "fun", "net", "model", "guide", "predict"});
  if (!hint.empty())
    return hint;
  if (after == "=" || after == "~" || begins_statement(found))
    return "statements belong inside 'model { … }', 'guide { … }' or a function; a size is 'const K = 8;'";
  return "a file consists of 'const', 'data', 'param', 'fun', 'net', 'model', 'guide' and 'predict' items";
}

std::string hint_for_type(std::string_view found) {
  static const std::map<std::string_view, std::string> others = {
      {"float", "did you mean 'real'?"},
      {"double", "did you mean 'real'?"},
      {"integer", "did you mean 'int'?"},
      {"bool", "did you mean 'bit'?"},
      {"boolean", "did you mean 'bit'?"},
      {"vector", "an array has its dimensions in brackets: real[N]"},
      {"matrix", "an array has its dimensions in brackets: real[N, M]"},
      {"array", "an array has its dimensions in brackets: real[N]"},
      {"tensor", "an array has its dimensions in brackets: real[N, M]"},
      {"row_vector", "an array has its dimensions in brackets: real[N]"}};
  if (auto known = others.find(found); known != others.end())
    return known->second;
  std::vector<std::string> names = {"ragged"};
  for (int base = 0; base <= static_cast<int>(ast::BaseType::cov); ++base)
    names.emplace_back(spelling(static_cast<ast::BaseType>(base)));
  std::string hint = did_you_mean(found, names);
  return hint.empty()
             ? "types are real, int, bit, index<J>, positive, unit, simplex, ordered, positive_ordered, "
               "cholesky_corr, cholesky_cov, corr and cov"
             : hint;
}

std::string hint_for_target(std::string_view target, std::string_view found, char next) {
  static const std::vector<std::string> words = {"param",  "iarange", "irange", "for",    "if",
                                                 "factor", "return",  "else",   "predict"};
  static const std::map<std::string_view, std::string> others = {
      {"plate", "a plate is 'iarange i in N { … }'"},
      {"range", "a plate is 'iarange i in N { … }', a loop 'for t in 0..T { … }'"},
      {"while", "loops are 'for t in 0..T { … }'"},
      {"let", "assignment needs no keyword: 'x = …;'"},
      {"var", "assignment needs no keyword: 'x = …;'"},
      {"real", "assignment needs no declaration: 'x = …;'; a parameter is 'param x : real;'"},
      {"int", "assignment needs no declaration: 'x = …;'"},
      {"target", "a term is added to the log joint with 'factor(…);'"}};
  if (found == "==")
    return "assignment is written with a single '='";
  if (found == ":=")
    return "assignment is written '='";
  if (found == "<" && next == '-')
    return "assignment is written '=', sampling '~'";
  if (found.size() == 2 && found[1] == '=' &&
      std::string_view("+-*/").find(found[0]) != std::string_view::npos)
    return fmt::format("write {0} = {0} {1} …;", target, found[0]);
  if (found == ":")
    return fmt::format("a parameter is declared 'param {} : …;'", target);
  if (auto known = others.find(target); known != others.end())
    return known->second;
  if (found == "(")
    return target == "observe" || target == "sample"
               ? "sampling and observing are both written 'name ~ distribution;'"
               : "a call on its own has no effect; assign its value, or write 'name ~ …'";
  return did_you_mean(target, words);
}

std::string hint_for_operator(std::string_view found, bool wants_value) {
  static const std::map<std::string_view, std::string> others = {
      {"**", "a power is written '^'"},
      {"//", "comments start with '#'"},
      {"%", "there is no remainder operator"},
      {"&", "logical and is written '&&'"},
      {"|", "logical or is written '||'"},
      {"and", "logical and is written '&&'"},
      {"or", "logical or is written '||'"},
      {"not", "logical not is written '!'"},
      {"\"", "there are no strings; names are written bare"},
      {"'", "there are no strings; names are written bare"},
      {".", "there are no members or methods; call a function: f(x)"}};
  if (auto known = others.find(found); known != others.end())
    return known->second;
  if (found == "+" && wants_value)
    return "there is no unary '+'";
  if (wants_value && is_reserved(found))
    return fmt::format("'{}' is a word of the language and cannot be a name", found);
  return {};
}

} // namespace

std::string describe_token(const char* at, const char* end) {
  if (at == end)
    return "end of file";
  auto byte = static_cast<unsigned char>(*at);
  std::string_view token = token_at(at, end);
  bool whole_code_point = byte < 0x80 || (byte >= 0xC2 && byte < 0xE0 && token.size() == 2) ||
                          (byte >= 0xE0 && byte < 0xF0 && token.size() == 3) ||
                          (byte >= 0xF0 && byte < 0xF5 && token.size() == 4);
  if (byte < 0x20 || byte == 0x7F || !whole_code_point)
    return fmt::format("byte 0x{:02x}", byte);
  if (token.size() > 40)
    return fmt::format("'{}…'", token.substr(0, 40));
  return fmt::format("'{}'", token);
}

std::string hint_for(const ParseState& state, const char* from, const char* where,
                     std::string_view expected) {
  std::string_view found = token_at(where, state.end);
  const char* next = skip_blank(where + found.size(), state.end);
  std::string_view after = token_at(next, state.end);
  std::string_view first_word = word_at(from, state.end);

  if (!found.empty() && static_cast<unsigned char>(found[0]) >= 0x80 && found.size() == 1)
    return "the text is not valid UTF-8";
  if (!found.empty() && static_cast<unsigned char>(found[0]) >= 0x80)
    return "names consist of the letters a to z, digits and '_'";
  if (expected == "an item")
    return hint_for_item(found, after);
  if (expected == "a type")
    return found == "{" ? "" : hint_for_type(found);
  if (expected == "'=' or '~'")
    return hint_for_target(first_word, found, where + 1 < state.end ? where[1] : '\0');
  if (expected == "a name" && found == "(")
    return first_word == "for" ? "the range of a 'for' has no parentheses: for t in 0..T { … }"
                               : "the header of a plate has no parentheses: iarange i in N { … }";
  if (expected == "a name" && is_reserved(found))
    return fmt::format("'{}' is a word of the language and cannot be a name", found);
  if (expected == "'('" && first_word == "if")
    return "the condition of an 'if' stands in parentheses";
  if (expected == "'..'" && (found == ":" || found == "," || found == ")" || found == "{"))
    return "a range is written with both ends: 0..T";
  if (expected == "','" && found == ")")
    return "a single target has no parentheses";
  if (expected == "']'" && found == ":")
    return "a slice is written a..b, all of a dimension ':'";
  if (expected == "'->'")
    return "a function names its result type: fun f(x : real) -> real { … }";
  if (expected == "'{'" && found == ";")
    return "a body in braces follows";
  if (expected == "a statement" && found == "else")
    return "an 'else' follows the '}' of its 'if'";
  if (expected == "a statement" && found == "~")
    return "a name stands before '~'";
  if ((expected == "an expression" || expected == "an argument") &&
      (found == ")" || found == "]" || found == ",") && where > state.begin) {
    const char* previous = end_of_previous_token(state.begin, where);
    if (previous > from && previous[-1] == ',')
      return "remove the ',' before it";
  }
  if (expected == "';'" && found == "[")
    return {};
  return hint_for_operator(found, expected == "an expression" || expected == "a statement");
}

} // namespace plait::grammar
