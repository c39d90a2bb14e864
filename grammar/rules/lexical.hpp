#pragma once

#include "grammar/ast.hpp"
#include "grammar/rules/context.hpp"

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

/// The words and marks that rules are made of. Each parser knows its own plain-words name, which is what a
/// failed expectation prints.
namespace plait::grammar {

/// A reserved or contextual word, whole: `int` does not match in `integer`.
struct Word : x3::parser<Word> {
  using attribute_type = x3::unused_type;
  static bool const has_attribute = false;
  std::string_view text;

  constexpr explicit Word(std::string_view text) : text(text) {}

  template <class AnyContext, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const AnyContext& context, RuleContext&,
             Attribute&) const {
    x3::skip_over(first, last, context);
    if (word_at(first, last) != text)
      return false;
    first += text.size();
    return true;
  }
};

/// Moves a parsed value to its attribute, where one is asked for.
template <class Value, class Attribute>
void give(Value&& value, Attribute& attribute) {
  if constexpr (!std::is_same_v<std::remove_const_t<Attribute>, x3::unused_type>)
    x3::traits::move_to(std::forward<Value>(value), attribute);
}

/// A mark such as `;` or `->`. It does not match where a longer operator stands: `=` not in `==`.
struct Mark : x3::parser<Mark> {
  using attribute_type = x3::unused_type;
  static bool const has_attribute = false;
  std::string_view text;

  constexpr explicit Mark(std::string_view text) : text(text) {}

  template <class AnyContext, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const AnyContext& context, RuleContext&,
             Attribute&) const {
    x3::skip_over(first, last, context);
    Iterator stop = token_end(first, last);
    if (std::string_view(first, static_cast<std::size_t>(stop - first)) != text)
      return false;
    first = stop;
    return true;
  }
};

/// A mark whose span is its attribute.
struct PlacedMark : x3::parser<PlacedMark> {
  using attribute_type = Span;
  static bool const has_attribute = true;
  Mark subject;

  constexpr explicit PlacedMark(std::string_view text) : subject(text) {}

  template <class AnyContext, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const AnyContext& context, RuleContext& rule_context,
             Attribute& attribute) const {
    if (!subject.parse(first, last, context, rule_context, x3::unused))
      return false;
    give(state_of(context).span(first - subject.text.size(), first), attribute);
    return true;
  }
};

/// The `>` that closes `<…>`, also where `=` follows without a space: `real<lower = 0>= 1`.
struct ClosingAngle : x3::parser<ClosingAngle> {
  using attribute_type = x3::unused_type;
  static bool const has_attribute = false;

  template <class AnyContext, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const AnyContext& context, RuleContext&,
             Attribute&) const {
    x3::skip_over(first, last, context);
    if (first == last || *first != '>')
      return false;
    ++first;
    return true;
  }
};
inline constexpr ClosingAngle closing_angle{};

/// `Subject` under another name in messages.
template <class Subject>
struct Named : x3::unary_parser<Subject, Named<Subject>> {
  using base_type = x3::unary_parser<Subject, Named<Subject>>;
  static bool const is_pass_through_unary = true;
  static bool const handles_container = Subject::handles_container;
  const char* name;

  constexpr Named(const Subject& subject, const char* name) : base_type(subject), name(name) {}

  template <class AnyContext, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const AnyContext& context, RuleContext& rule_context,
             Attribute& attribute) const {
    return this->subject.parse(first, last, context, rule_context, attribute);
  }
};

/// Counts how deep `Subject` nests in itself and stops the parse when the limit is passed.
template <class Subject>
struct Nested : x3::unary_parser<Subject, Nested<Subject>> {
  using base_type = x3::unary_parser<Subject, Nested<Subject>>;
  static bool const is_pass_through_unary = true;
  static bool const handles_container = Subject::handles_container;

  constexpr explicit Nested(const Subject& subject) : base_type(subject) {}

  template <class AnyContext, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const AnyContext& context, RuleContext& rule_context,
             Attribute& attribute) const {
    struct Level {
      ParseState& state;
      std::size_t open_blocks;
      explicit Level(ParseState& state) : state(state), open_blocks(state.open_blocks.size()) {
        ++state.depth;
      }
      ~Level() {
        --state.depth;
        state.open_blocks.resize(open_blocks);
      }
    } level(state_of(context));
    if (level.state.depth > deepest_nesting) {
      x3::skip_over(first, last, context);
      level.state.stop_too_deep(level.state.span(first, token_end(first, last)), "nested too deeply");
    }
    return this->subject.parse(first, last, context, rule_context, attribute);
  }
};

constexpr Word word(std::string_view text) {
  return Word(text);
}

constexpr Mark mark(std::string_view text) {
  return Mark(text);
}
constexpr PlacedMark placed(std::string_view text) {
  return PlacedMark(text);
}

template <class Parser>
auto named(const char* name, const Parser& parser) {
  auto subject = x3::as_parser(parser);
  return Named<decltype(subject)>(subject, name);
}

template <class Parser>
auto nested(const Parser& parser) {
  auto subject = x3::as_parser(parser);
  return Nested<decltype(subject)>(subject);
}

/// identifier = ( letter | "_" ) { letter | digit | "_" } , except the reserved words .
struct IdentifierParser : x3::parser<IdentifierParser> {
  using attribute_type = ast::Identifier;
  static bool const has_attribute = true;

  template <class AnyContext, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const AnyContext& context, RuleContext&,
             Attribute& attribute) const {
    x3::skip_over(first, last, context);
    std::string_view text = word_at(first, last);
    if (text.empty() || is_reserved(text))
      return false;
    Iterator stop = first + text.size();
    give(ast::Identifier{std::string(text), state_of(context).span(first, stop)}, attribute);
    first = stop;
    return true;
  }
};
inline constexpr IdentifierParser identifier{};

/// number = digits [ "." [ digits ] ] [ exponent ] | "." digits [ exponent ] ; no "." where ".." stands .
struct number_tag;
using Number = x3::rule<number_tag, ast::ExprPtr>;
inline const Number number = "a number";
BOOST_SPIRIT_DECLARE(Number)

} // namespace plait::grammar

namespace boost::spirit::x3 {

template <>
struct get_info<plait::grammar::Word> {
  using result_type = std::string;
  std::string operator()(const plait::grammar::Word& parser) const {
    return "'" + std::string(parser.text) + "'";
  }
};

template <>
struct get_info<plait::grammar::Mark> {
  using result_type = std::string;
  std::string operator()(const plait::grammar::Mark& parser) const {
    return "'" + std::string(parser.text) + "'";
  }
};

template <>
struct get_info<plait::grammar::PlacedMark> {
  using result_type = std::string;
  std::string operator()(const plait::grammar::PlacedMark& parser) const { return what(parser.subject); }
};

template <>
struct get_info<plait::grammar::ClosingAngle> {
  using result_type = std::string;
  std::string operator()(const plait::grammar::ClosingAngle&) const { return "'>'"; }
};

template <class Subject>
struct get_info<plait::grammar::Named<Subject>> {
  using result_type = std::string;
  std::string operator()(const plait::grammar::Named<Subject>& parser) const { return parser.name; }
};

template <>
struct get_info<plait::grammar::IdentifierParser> {
  using result_type = std::string;
  std::string operator()(const plait::grammar::IdentifierParser&) const { return "a name"; }
};

template <class Subject>
struct get_info<plait::grammar::SpannedDirective<Subject>> {
  using result_type = std::string;
  std::string operator()(const plait::grammar::SpannedDirective<Subject>& parser) const {
    return what(parser.subject);
  }
};

template <class Subject, class Action>
struct get_info<action<Subject, Action>> {
  using result_type = std::string;
  std::string operator()(const action<Subject, Action>& parser) const { return what(parser.subject); }
};

} // namespace boost::spirit::x3
