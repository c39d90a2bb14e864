#include "grammar/rules/expression.hpp"
#include "grammar/rules/statement.hpp"

#include <boost/fusion/include/at_c.hpp>

namespace plait::grammar {

namespace {

using boost::fusion::at_c;

const auto add_subscripts = [](auto& context) {
  auto& list = x3::_val(context).subscripts;
  for (auto& place : x3::_attr(context))
    list.push_back(std::move(place));
};

// lvalue = identifier { subscripts } .
const x3::rule<struct lvalue_tag, ast::LValue> lvalue = "a name to assign to";
const auto lvalue_def = spanned(identifier[store(&ast::LValue::name)] >> *subscripts[add_subscripts]);
BOOST_SPIRIT_DEFINE(lvalue)

// choice_arguments = "(" arguments ")" .
const auto take_arguments = [](auto& context) {
  x3::_val(context).arguments = std::move(x3::_attr(context).positional);
  x3::_val(context).named = std::move(x3::_attr(context).named);
};

// strategy = identifier [ "(" arguments ")" ] .
const auto strategy_def =
    spanned(identifier[store(&ast::Choice::name)] >> -(mark("(") > arguments[take_arguments] > mark(")")));

// family = identifier [ "," arguments ] .
const auto family_def =
    spanned(identifier[store(&ast::Choice::name)] >> -(mark(",") > arguments[take_arguments]));

// targeted = lvalue ( "=" expression | "~" expression [ "using" strategy ] ) ";" .
// The expression after "~" must be a call, or a call with the number of copies in brackets behind it.
const x3::rule<struct single_target_tag, TargetedStatement> single_target = "a statement";
const auto single_target_def =
    lvalue[store(&TargetedStatement::target)] >>
    x3::expect[named("'=' or '~'", (mark("=") > expression[store(&TargetedStatement::value)]) |
                                       (mark("~")[assign(&TargetedStatement::is_sample, true)] >
                                        expression[store(&TargetedStatement::value)] >
                                        -(word("using") > strategy[store(&TargetedStatement::strategy)])))] >
    mark(";");

// tuple_assignment = "(" lvalue "," lvalue { "," lvalue } ")" "=" expression ";" .
const x3::rule<struct tuple_assignment_tag, ast::Assign> tuple_assignment = "a statement";
const auto tuple_assignment_def = mark("(") > lvalue[append(&ast::Assign::targets)] >
                                  named("','", +(mark(",") > lvalue[append(&ast::Assign::targets)])) >
                                  mark(")") > mark("=") > expression[store(&ast::Assign::value)] > mark(";");
BOOST_SPIRIT_DEFINE(single_target, tuple_assignment)

const auto make_targeted = [](auto& context) {
  x3::_val(context) = build_targeted(state_of(context), std::move(x3::_attr(context)));
};

const auto targeted_def = tuple_assignment[store_value] | single_target[make_targeted];

} // namespace

BOOST_SPIRIT_DEFINE(strategy)
BOOST_SPIRIT_DEFINE(family)
BOOST_SPIRIT_DEFINE(targeted)
BOOST_SPIRIT_INSTANTIATE(StrategyRule, Iterator, Context)
BOOST_SPIRIT_INSTANTIATE(FamilyRule, Iterator, Context)
BOOST_SPIRIT_INSTANTIATE(TargetedRule, Iterator, Context)

} // namespace plait::grammar
