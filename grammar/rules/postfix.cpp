#include "grammar/rules/expression.hpp"

#include <boost/fusion/include/at_c.hpp>

namespace plait::grammar {

namespace {

using boost::fusion::at_c;

// ---- primary

struct Elements {
  std::vector<ast::ExprPtr> list;
  Span open;
  Span close;
};

// parenthesized = "(" expression { "," expression } ")" .
const x3::rule<struct parenthesized_tag, Elements> parenthesized = "'('";
const auto parenthesized_def = placed("(")[store(&Elements::open)] > expression[append(&Elements::list)] >
                               *(mark(",") > expression[append(&Elements::list)]) >
                               placed(")")[store(&Elements::close)];

// array = "[" [ expression { "," expression } ] "]" .
const x3::rule<struct array_tag, Elements> array = "'['";
const auto array_def = placed("[")[store(&Elements::open)] >
                       -(expression[append(&Elements::list)] >
                         *(mark(",") > expression[append(&Elements::list)])) >
                       placed("]")[store(&Elements::close)];
BOOST_SPIRIT_DEFINE(parenthesized, array)

const auto make_name = [](auto& context) { x3::_val(context) = build_name(std::move(x3::_attr(context))); };

const auto make_parenthesized = [](auto& context) {
  Elements& elements = x3::_attr(context);
  x3::_val(context) =
      build_parenthesized(state_of(context), std::move(elements.list), cover(elements.open, elements.close));
};

const auto make_array = [](auto& context) {
  Elements& elements = x3::_attr(context);
  x3::_val(context) = build_expr(state_of(context), ast::ArrayLiteral{std::move(elements.list)},
                                 cover(elements.open, elements.close));
};

// primary = number | identifier | parenthesized | array .
const x3::rule<struct primary_tag, ast::ExprPtr> primary = "an expression";
const auto primary_def =
    number[store_value] | identifier[make_name] | parenthesized[make_parenthesized] | array[make_array];
BOOST_SPIRIT_DEFINE(primary)

// ---- arguments

const auto add_named_argument = [](auto& context) {
  add_named(state_of(context), x3::_val(context), std::move(at_c<0>(x3::_attr(context))),
            std::move(at_c<1>(x3::_attr(context))));
};

const auto add_positional_argument = [](auto& context) {
  add_positional(state_of(context), x3::_val(context), std::move(x3::_attr(context)));
};

// argument = identifier "=" expression | expression .
const auto argument =
    (identifier >> mark("=") > expression)[add_named_argument] | expression[add_positional_argument];

// arguments = [ argument { "," argument } ] .
const auto arguments_def = -(argument >> *(mark(",") > named("an argument", argument)));

// ---- subscripts

const auto element = [](auto& context) { x3::_val(context).element = std::move(x3::_attr(context)); };

const auto slice = [](auto& context) {
  ast::Subscript& subscript = x3::_val(context);
  subscript.kind = ast::Subscript::Kind::slice;
  subscript.lower = std::move(subscript.element);
};

// subscript = ":" | [ expression ] ".." [ expression ] | expression .
const x3::rule<struct subscript_tag, ast::Subscript> subscript = "a subscript";
const auto upper_end = mark("..")[slice] >> -expression[store(&ast::Subscript::upper)];
const auto subscript_def = spanned(mark(":")[assign(&ast::Subscript::kind, ast::Subscript::Kind::all)] |
                                   upper_end | (expression[element] >> -upper_end));
BOOST_SPIRIT_DEFINE(subscript)

const auto push = [](auto& context) { x3::_val(context).push_back(std::move(x3::_attr(context))); };

// subscripts = "[" subscript { "," subscript } "]" .
const auto subscripts_def = mark("[") > subscript[push] > *(mark(",") > subscript[push]) > mark("]");

// ---- postfix

const auto call = [](auto& context) {
  ParseState& state = state_of(context);
  auto& base = x3::_val(context);
  base = build_call(state, std::move(base), std::move(x3::_attr(context)),
                    state.offset(x3::_where(context).begin()));
};

const auto index = [](auto& context) {
  ParseState& state = state_of(context);
  auto& base = x3::_val(context);
  base = build_index(state, std::move(base), std::move(x3::_attr(context)),
                     state.offset(x3::_where(context).begin()));
};

// postfix = primary { "(" arguments ")" | subscripts } .
const auto postfix_def = primary[store_value] >>
                         *((mark("(") > arguments > mark(")"))[call] | subscripts[index]);

} // namespace

BOOST_SPIRIT_DEFINE(arguments)
BOOST_SPIRIT_DEFINE(subscripts)
BOOST_SPIRIT_DEFINE(postfix)
BOOST_SPIRIT_INSTANTIATE(Arguments, Iterator, Context)
BOOST_SPIRIT_INSTANTIATE(Subscripts, Iterator, Context)
BOOST_SPIRIT_INSTANTIATE(Postfix, Iterator, Context)

} // namespace plait::grammar
