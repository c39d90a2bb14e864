#include "grammar/parse.hpp"

#include "grammar/rules/build.hpp"
#include "grammar/rules/program.hpp"

namespace plait {

ast::Program parse(const Source& source, Diagnostics& diagnostics) {
  using namespace grammar;
  Diagnostics found;
  ParseState state;
  state.begin = source.text.data();
  state.end = state.begin + source.text.size();
  state.diagnostics = &found;

  ast::Program result;
  Iterator first = state.begin;
  if (source.text.starts_with("\xEF\xBB\xBF")) // a byte order mark says nothing
    first += 3;
  try {
    x3::phrase_parse(first, state.end, x3::with<StateTag>(state)[program], Blank{}, result);
    check_not_empty(state, result);
  } catch (const ParsingStopped&) {
    result = {};
  } catch (const x3::expectation_failure<Iterator>& failure) {
    // Every expectation stands inside an item, which recovers; this is for a rule that forgets.
    found.error("syntax", state.span(failure.where(), token_end(failure.where(), state.end)),
                "expected " + failure.which());
  }
  found.sort_by_place();
  for (const Diagnostic& diagnostic : found)
    diagnostics.add(diagnostic);
  return result;
}

} // namespace plait
