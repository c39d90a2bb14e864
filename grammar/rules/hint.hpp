#pragma once

#include "grammar/rules/state.hpp"

#include <string>
#include <string_view>

/// Words for messages: what was found, and what the user most likely meant.
namespace plait::grammar {

/// `'foo'`, `end of file`, `byte 0x00`.
std::string describe_token(const char* at, const char* end);

/// A hint for the slips that people coming from other languages make, or an empty string. `from` is where the
/// statement or item began, `where` what was found instead of `expected`.
std::string hint_for(const ParseState& state, const char* from, const char* where, std::string_view expected);

} // namespace plait::grammar
