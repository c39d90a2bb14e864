#pragma once

#include "grammar/rules/build.hpp"
#include "grammar/rules/lexical.hpp"

namespace plait::grammar {

struct type_tag;
using TypeRule = x3::rule<type_tag, ast::Type>;
inline const TypeRule type = "a type";
BOOST_SPIRIT_DECLARE(TypeRule)

} // namespace plait::grammar
