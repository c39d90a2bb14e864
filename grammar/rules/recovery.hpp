#pragma once

#include "grammar/rules/context.hpp"

#include <string_view>

namespace plait::grammar {

/// Reports what was expected at `where` and what was found, with a hint where the slip is a known one, and
/// returns where to go on: after the next `;`, or at a `}`, a `{` or a word that begins a statement or an
/// item. `from` is where the statement or item began; the result is beyond it, so that a parse always moves.
Iterator recover_statement(ParseState& state, Iterator from, Iterator where, std::string_view expected);
Iterator recover_item(ParseState& state, Iterator from, Iterator where, std::string_view expected);

/// Bases of rule tags: on a failed expectation, recover and leave the construct out of the tree.
struct RecoversStatement {
  template <class AnyContext>
  x3::error_handler_result on_error(Iterator& first, const Iterator&,
                                    const x3::expectation_failure<Iterator>& failure,
                                    const AnyContext& context) {
    ParseState& state = state_of(context);
    first = recover_statement(state, first, failure.where(), failure.which());
    state.discard = true;
    return x3::error_handler_result::accept;
  }
};

struct RecoversItem {
  template <class AnyContext>
  x3::error_handler_result on_error(Iterator& first, const Iterator&,
                                    const x3::expectation_failure<Iterator>& failure,
                                    const AnyContext& context) {
    ParseState& state = state_of(context);
    first = recover_item(state, first, failure.where(), failure.which());
    state.discard = true;
    return x3::error_handler_result::accept;
  }
};

} // namespace plait::grammar
