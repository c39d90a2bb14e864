#pragma once

#include "grammar/rules/build.hpp"
#include "grammar/rules/lexical.hpp"

namespace plait::grammar {

/// `{ statement … }`.
struct block_tag;
using BlockRule = x3::rule<block_tag, ast::Block>;
inline const BlockRule block = "'{'";
BOOST_SPIRIT_DECLARE(BlockRule)

/// `param name : type = init;`, shared with the items.
struct param_tag;
using ParamRule = x3::rule<param_tag, ast::ParamDecl>;
inline const ParamRule param = "a parameter";
BOOST_SPIRIT_DECLARE(ParamRule)

/// `target = value;`, `(a, b) = value;`, `target ~ distribution;`
struct targeted_tag;
using TargetedRule = x3::rule<targeted_tag, ast::Statement::Node>;
/// Stored under one name, since a Statement::Node is what both kinds become.
inline const TargetedRule targeted = "a statement";
BOOST_SPIRIT_DECLARE(TargetedRule)

/// A strategy after `using`, or a guide family in `auto(…)`.
struct strategy_tag;
using StrategyRule = x3::rule<strategy_tag, ast::Choice>;
inline const StrategyRule strategy = "a strategy";
BOOST_SPIRIT_DECLARE(StrategyRule)

struct family_tag;
using FamilyRule = x3::rule<family_tag, ast::Choice>;
inline const FamilyRule family = "a guide family";
BOOST_SPIRIT_DECLARE(FamilyRule)

} // namespace plait::grammar
