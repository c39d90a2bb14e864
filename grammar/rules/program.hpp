#pragma once

#include "grammar/ast.hpp"
#include "grammar/rules/lexical.hpp"

namespace plait::grammar {

/// A whole file.
struct program_tag;
using ProgramRule = x3::rule<program_tag, ast::Program>;
inline const ProgramRule program = "a model file";
BOOST_SPIRIT_DECLARE(ProgramRule)

} // namespace plait::grammar
