#pragma once

#include "grammar/rules/state.hpp"

#include <boost/spirit/home/x3.hpp>

/// The iterator, skipper and context that every rule is instantiated for.
namespace plait::grammar {

namespace x3 = boost::spirit::x3;

using Iterator = const char*;

/// blank = { space | line break | "#" { any character but a line break } } .
struct Blank : x3::parser<Blank> {
  using attribute_type = x3::unused_type;
  static bool const has_attribute = false;

  template <class Context, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const Context&, RuleContext&, Attribute&) const {
    Iterator at = skip_blank(first, last);
    bool moved = at != first;
    first = at;
    return moved;
  }
};

struct StateTag;

using Context = x3::context<StateTag, ParseState, x3::phrase_parse_context<Blank>::type>;

template <class AnyContext>
ParseState& state_of(const AnyContext& context) {
  return x3::get<StateTag>(context);
}

/// Gives the `span` of the rule's value what `Subject` matched.
template <class Subject>
struct SpannedDirective : x3::unary_parser<Subject, SpannedDirective<Subject>> {
  using base_type = x3::unary_parser<Subject, SpannedDirective<Subject>>;
  static bool const is_pass_through_unary = true;
  static bool const handles_container = Subject::handles_container;

  constexpr explicit SpannedDirective(const Subject& subject) : base_type(subject) {}

  template <class AnyContext, class RuleValue, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const AnyContext& context, RuleValue& value,
             Attribute& attribute) const {
    Iterator from = first;
    if (!this->subject.parse(first, last, context, value, attribute))
      return false;
    x3::skip_over(from, last, context);
    value.span = state_of(context).span(from, first);
    return true;
  }
};

template <class Parser>
auto spanned(const Parser& parser) {
  auto subject = x3::as_parser(parser);
  return SpannedDirective<decltype(subject)>(subject);
}

// Semantic actions that store an attribute in a member of the rule's value.

template <class Member>
auto store(Member member) {
  return [member](auto& context) { x3::_val(context).*member = std::move(x3::_attr(context)); };
}

template <class Member>
auto append(Member member) {
  return [member](auto& context) { (x3::_val(context).*member).push_back(std::move(x3::_attr(context))); };
}

template <class Member, class Value>
auto assign(Member member, Value value) {
  return [member, value](auto& context) { x3::_val(context).*member = value; };
}

/// Stores a node alternative in a Statement or an Item.
struct StoreNode {
  template <class AnyContext>
  void operator()(const AnyContext& context) const {
    x3::_val(context).node = std::move(x3::_attr(context));
  }
};
inline constexpr StoreNode store_node{};

/// Hands the attribute on as the rule's value.
struct StoreValue {
  template <class AnyContext>
  void operator()(const AnyContext& context) const {
    x3::_val(context) = std::move(x3::_attr(context));
  }
};
inline constexpr StoreValue store_value{};

} // namespace plait::grammar
