#include "grammar/rules/type.hpp"

#include "grammar/rules/expression.hpp"

#include <boost/fusion/include/at_c.hpp>

namespace plait::grammar {

namespace {

using boost::fusion::at_c;

// base_type = "real" | "int" | "bit" | "index" | "positive" | "unit" | "simplex" | "ordered" |
// "positive_ordered"
//           | "cholesky_corr" | "cholesky_cov" | "corr" | "cov" .
// These words are reserved nowhere else: `unit` may name a variable.
struct BaseTypeParser : x3::parser<BaseTypeParser> {
  using attribute_type = ast::BaseType;
  static bool const has_attribute = true;

  template <class AnyContext, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const AnyContext& context, RuleContext&,
             Attribute& attribute) const {
    x3::skip_over(first, last, context);
    std::string_view text = word_at(first, last);
    for (int base = 0; base <= static_cast<int>(ast::BaseType::cov); ++base)
      if (spelling(static_cast<ast::BaseType>(base)) == text) {
        first += text.size();
        give(static_cast<ast::BaseType>(base), attribute);
        return true;
      }
    return false;
  }
};
const auto base_type = named("a type", BaseTypeParser{});

const auto add_named_argument = [](auto& context) {
  add_named(state_of(context), x3::_val(context), std::move(at_c<0>(x3::_attr(context))),
            std::move(at_c<1>(x3::_attr(context))));
};

const auto add_positional_argument = [](auto& context) {
  add_positional(state_of(context), x3::_val(context), std::move(x3::_attr(context)));
};

// type_argument = identifier "=" arithmetic | arithmetic .
const auto type_argument =
    named("a bound or a size",
          (identifier >> mark("=") > arithmetic)[add_named_argument] | arithmetic[add_positional_argument]);

// type_arguments = "<" type_argument { "," type_argument } ">" .
const x3::rule<struct type_arguments_tag, ArgumentList> type_arguments = "'<'";
const auto type_arguments_def = mark("<") > type_argument > *(mark(",") > type_argument) > closing_angle;
BOOST_SPIRIT_DEFINE(type_arguments)

// type = [ "ragged" ] base_type [ type_arguments ] [ "[" expression { "," expression } "]" ] .
const x3::rule<struct type_parts_tag, TypeParts> type_parts = "a type";
const auto type_parts_def =
    spanned(((word("ragged")[assign(&TypeParts::ragged, true)] > base_type[store(&TypeParts::base)]) |
             base_type[store(&TypeParts::base)]) >>
            -type_arguments[store(&TypeParts::arguments)] >>
            -(mark("[") > expression[append(&TypeParts::dims)] >
              *(mark(",") > expression[append(&TypeParts::dims)]) > mark("]")));
BOOST_SPIRIT_DEFINE(type_parts)

const auto make_type = [](auto& context) {
  x3::_val(context) = build_type(state_of(context), std::move(x3::_attr(context)));
};

const auto type_def = type_parts[make_type];

} // namespace

BOOST_SPIRIT_DEFINE(type)
BOOST_SPIRIT_INSTANTIATE(TypeRule, Iterator, Context)

} // namespace plait::grammar
