#pragma once

#include "grammar/rules/build.hpp"
#include "grammar/rules/lexical.hpp"

namespace plait::grammar {

/// A binary operator of at least a given strength; its attribute is a BinaryToken.
struct BinaryOperator : x3::parser<BinaryOperator> {
  using attribute_type = BinaryToken;
  static bool const has_attribute = true;
  int weakest;

  constexpr explicit BinaryOperator(int weakest) : weakest(weakest) {}

  template <class AnyContext, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const AnyContext& context, RuleContext&,
             Attribute& attribute) const {
    x3::skip_over(first, last, context);
    Iterator stop = token_end(first, last);
    auto op = find({first, static_cast<std::size_t>(stop - first)});
    if (!op || precedence(*op) < weakest)
      return false;
    give(BinaryToken{*op, state_of(context).span(first, stop)}, attribute);
    first = stop;
    return true;
  }

  static std::optional<ast::BinaryOp> find(std::string_view text) {
    for (int op = 0; op <= static_cast<int>(ast::BinaryOp::logical_or); ++op)
      if (spelling(static_cast<ast::BinaryOp>(op)) == text)
        return static_cast<ast::BinaryOp>(op);
    return std::nullopt;
  }
};

/// `-` or `!` before an operand; its attribute is a UnaryToken.
struct SignParser : x3::parser<SignParser> {
  using attribute_type = UnaryToken;
  static bool const has_attribute = true;

  template <class AnyContext, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const AnyContext& context, RuleContext&,
             Attribute& attribute) const {
    x3::skip_over(first, last, context);
    Iterator stop = token_end(first, last);
    if (stop - first != 1 || (*first != '-' && *first != '!'))
      return false;
    auto op = *first == '-' ? ast::UnaryOp::negate : ast::UnaryOp::logical_not;
    give(UnaryToken{op, state_of(context).span(first, stop)}, attribute);
    first = stop;
    return true;
  }
};
inline constexpr SignParser sign{};

} // namespace plait::grammar
