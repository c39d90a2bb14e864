#pragma once

#include "grammar/rules/build.hpp"
#include "grammar/rules/lexical.hpp"

namespace plait::grammar {

/// Any expression, conditionals included.
struct expression_tag;
using Expression = x3::rule<expression_tag, ast::ExprPtr>;
inline const Expression expression = "an expression";
BOOST_SPIRIT_DECLARE(Expression)

/// An expression without comparisons, logic and conditionals: what may stand between `<` and `>` in a type.
struct arithmetic_tag;
using Arithmetic = x3::rule<arithmetic_tag, ast::ExprPtr>;
inline const Arithmetic arithmetic = "an arithmetic expression";
BOOST_SPIRIT_DECLARE(Arithmetic)

/// A name, number, tuple or array with the calls and subscripts behind it.
struct postfix_tag;
using Postfix = x3::rule<postfix_tag, ast::ExprPtr>;
inline const Postfix postfix = "an expression";
BOOST_SPIRIT_DECLARE(Postfix)

/// Arguments between parentheses, without them; may be empty.
struct arguments_tag;
using Arguments = x3::rule<arguments_tag, ArgumentList>;
inline const Arguments arguments = "arguments";
BOOST_SPIRIT_DECLARE(Arguments)

/// Subscripts with their brackets.
struct subscripts_tag;
using Subscripts = x3::rule<subscripts_tag, std::vector<ast::Subscript>>;
inline const Subscripts subscripts = "'['";
BOOST_SPIRIT_DECLARE(Subscripts)

} // namespace plait::grammar
