#include "grammar/rules/lexical.hpp"

#include "grammar/rules/build.hpp"

namespace plait::grammar {

namespace {

namespace standard = x3::standard;

// The digits of a number; `0..T` is a number, then "..".
const auto exponent = x3::char_("eE") >> -x3::char_("+-") >> +standard::digit;
const auto fraction = x3::lit('.') >> !x3::lit('.') >> *standard::digit;
const auto spelling =
    (+standard::digit >> -fraction >> -exponent) | (x3::lit('.') >> +standard::digit >> -exponent);

const auto make_number = [](auto& context) {
  auto range = x3::_attr(context);
  x3::_val(context) = build_number(state_of(context), range.begin(), range.end());
};

const auto number_def = x3::lexeme[x3::raw[spelling]][make_number];

} // namespace

BOOST_SPIRIT_DEFINE(number)
BOOST_SPIRIT_INSTANTIATE(Number, Iterator, Context)

} // namespace plait::grammar
