#include "grammar/rules/expression.hpp"

#include "grammar/rules/operators.hpp"

#include <boost/fusion/include/at_c.hpp>

namespace plait::grammar {

namespace {

using boost::fusion::at_c;

// operand = { "-" | "!" } postfix .
const x3::rule<struct operand_tag, Operand> operand = "an expression";
const auto operand_def =
    (+sign[append(&Operand::signs)] > postfix[store(&Operand::value)]) | postfix[store(&Operand::value)];
BOOST_SPIRIT_DEFINE(operand)

// operation = operand { ( "||" | "&&" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "@" |
// "^" )
//             operand } .
// Grouped by precedence afterwards: one rule instead of one per level keeps nesting shallow.
const x3::rule<struct operation_tag, OperandChain> operation = "an expression";
const auto operation_def = operand[append(&OperandChain::operands)] >>
                           *(BinaryOperator{2}[append(&OperandChain::operators)] >
                             operand[append(&OperandChain::operands)]);
BOOST_SPIRIT_DEFINE(operation)

// arithmetic = operand { ( "+" | "-" | "*" | "/" | "@" | "^" ) operand } .
const x3::rule<struct arithmetic_chain_tag, OperandChain> arithmetic_chain = "an expression";
const auto arithmetic_chain_def = operand[append(&OperandChain::operands)] >>
                                  *(BinaryOperator{6}[append(&OperandChain::operators)] >
                                    operand[append(&OperandChain::operands)]);
BOOST_SPIRIT_DEFINE(arithmetic_chain)

const auto group = [](auto& context) {
  x3::_val(context) = build_operation(state_of(context), std::move(x3::_attr(context)));
};

const auto choose = [](auto& context) {
  auto& condition = x3::_val(context);
  ast::Conditional node{condition, at_c<0>(x3::_attr(context)), at_c<1>(x3::_attr(context))};
  Span span = cover(node.condition->span, node.else_value->span);
  condition = build_expr(state_of(context), std::move(node), span);
};

const auto arithmetic_def = nested(arithmetic_chain[group]);

// expression = operation [ "?" expression ":" expression ] .
const auto expression_def =
    nested(operation[group] >> -((mark("?") > expression > mark(":") > expression)[choose]));

} // namespace

BOOST_SPIRIT_DEFINE(arithmetic)
BOOST_SPIRIT_DEFINE(expression)
BOOST_SPIRIT_INSTANTIATE(Arithmetic, Iterator, Context)
BOOST_SPIRIT_INSTANTIATE(Expression, Iterator, Context)

} // namespace plait::grammar
