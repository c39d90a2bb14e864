#include "grammar/rules/lexical.hpp"

#include "grammar/rules/build.hpp"

namespace plait::grammar {

namespace {

// The digits of a number; `0..T` is a number, then "..". What runs on as a name is taken along, so that the
// error is about the whole.
const auto digit = x3::char_('0', '9');
const auto exponent = x3::char_("eE") >> -x3::char_("+-") >> +digit;
const auto fraction = x3::lit('.') >> !x3::lit('.') >> *digit;
const auto mantissa = (+digit >> -fraction) | (x3::lit('.') >> +digit);
const auto run_on = x3::char_('a', 'z') | x3::char_('A', 'Z') | x3::char_('_') | digit;
const auto spelling = mantissa >> -exponent >> *run_on;

const auto make_number = [](auto& context) {
  auto range = x3::_attr(context);
  x3::_val(context) = build_number(state_of(context), range.begin(), range.end());
};

const auto number_def = x3::lexeme[x3::raw[spelling]][make_number];

} // namespace

BOOST_SPIRIT_DEFINE(number)
BOOST_SPIRIT_INSTANTIATE(Number, Iterator, Context)

} // namespace plait::grammar
