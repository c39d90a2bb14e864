#include "grammar/rules/statement.hpp"

#include "grammar/rules/expression.hpp"
#include "grammar/rules/recovery.hpp"
#include "grammar/rules/type.hpp"

namespace plait::grammar {

namespace {

// param = "param" identifier ":" type [ "=" expression ] ";" .
const auto param_def = word("param") > identifier[store(&ast::ParamDecl::name)] >
                       mark(":") > type[store(&ast::ParamDecl::type)] >
                       -(mark("=") > expression[store(&ast::ParamDecl::init)]) > mark(";");

// plate = ( "iarange" | "irange" ) identifier "in" expression { "as" identifier | "subsample" expression }
// block .
const auto set_alias = [](auto& context) {
  if (x3::_val(context).alias)
    state_of(context).reject(x3::_attr(context).span, "a plate has one name after 'as'");
  x3::_val(context).alias = std::move(x3::_attr(context));
};
const auto set_subsample = [](auto& context) {
  if (x3::_val(context).subsample)
    state_of(context).reject(x3::_attr(context)->span, "a plate is subsampled once");
  x3::_val(context).subsample = std::move(x3::_attr(context));
};
const x3::rule<struct plate_tag, ast::Plate> plate = "a plate";
const auto plate_def = (word("iarange")[assign(&ast::Plate::kind, ast::PlateKind::iarange)] |
                        word("irange")[assign(&ast::Plate::kind, ast::PlateKind::irange)]) >
                       identifier[store(&ast::Plate::index)] >
                       word("in") > expression[store(&ast::Plate::size)] >
                       *((word("as") > identifier[set_alias]) |
                         (word("subsample") > expression[set_subsample])) > block[store(&ast::Plate::body)];

// for = "for" identifier "in" [ "reverse" ] expression ".." expression block .
// `reverse` is a name like any other where a range begins with it: `for t in reverse .. n`.
const auto reverse_word = word("reverse") >> !(mark("..") | mark("(") | mark("["));
const x3::rule<struct for_tag, ast::For> for_loop = "a loop";
const auto
    for_loop_def = word("for") > identifier[store(&ast::For::index)] > word("in") >
                   -reverse_word[assign(&ast::For::reverse, true)] > expression[store(&ast::For::lower)] >
                   mark("..") > expression[store(&ast::For::upper)] > block[store(&ast::For::body)];

// if = "if" "(" expression ")" block [ "else" ( if | block ) ] .
const x3::rule<struct if_tag, ast::If> if_statement = "'if'";

const x3::rule<struct else_if_tag, ast::Block> else_if = "'if'";
const auto wrap_else_if = [](auto& context) {
  x3::_val(context).statements.push_back({std::move(x3::_attr(context)), {}});
};
const auto else_if_def = spanned(if_statement[wrap_else_if]);

const auto store_else_if = [](auto& context) {
  ast::Block& body = x3::_attr(context);
  body.statements.front().span = body.span;
  x3::_val(context).else_body = std::move(body);
};
const auto else_part = named("'if' or '{'", else_if[store_else_if] | block[store(&ast::If::else_body)]);
const auto if_statement_def =
    nested(word("if") > mark("(") > expression[store(&ast::If::condition)] > mark(")") >
           block[store(&ast::If::then_body)] > -(word("else") > else_part));

// factor = "factor" "(" expression ")" ";" .
const x3::rule<struct factor_tag, ast::Factor> factor = "'factor'";
const auto factor_def = word("factor") > mark("(") > expression[store(&ast::Factor::value)] > mark(")") >
                        mark(";");

// return = "return" expression ";" .
const x3::rule<struct return_tag, ast::Return> return_statement = "'return'";
const auto return_statement_def = word("return") > expression[store(&ast::Return::value)] > mark(";");

BOOST_SPIRIT_DEFINE(plate, for_loop, else_if, if_statement, factor, return_statement)

// A block whose header was lost to recovery is read for the errors in it; any other bare block is an error.
const auto bare_block = [](auto& context) {
  ParseState& state = state_of(context);
  const ast::Block& body = x3::_attr(context);
  if (state.resumed_at_block != state.begin + body.span.begin)
    state.reject({body.span.begin, body.span.begin + 1}, "a block cannot stand on its own")
        .with_hint("a block is the body of a plate, a 'for' or an 'if'");
  state.discard = true;
};

// statement = targeted | param | plate | for | if | factor | return .
const auto any_statement = param[store_node] | plate[store_node] | for_loop[store_node] |
                           if_statement[store_node] | factor[store_node] | return_statement[store_node] |
                           targeted[store_node] | block[bare_block];

struct statement_tag : RecoversStatement {};
const x3::rule<statement_tag, ast::Statement> statement = "a statement";
const auto statement_def = x3::eps > spanned(named("a statement", any_statement));
BOOST_SPIRIT_DEFINE(statement)

/// Matches nothing, where a block's statements end: at `}`, at the end of the file, and at a word that begins
/// an item, which means that a `}` was forgotten.
struct BlockEnd : x3::parser<BlockEnd> {
  using attribute_type = x3::unused_type;
  static bool const has_attribute = false;

  template <class AnyContext, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const AnyContext& context, RuleContext&,
             Attribute&) const {
    x3::skip_over(first, last, context);
    return first == last || *first == '}' || starts_item(first, last);
  }
};

/// The `}` of a block; where it is missing, the state keeps which block it should have closed.
struct ClosingBrace : x3::parser<ClosingBrace> {
  using attribute_type = x3::unused_type;
  static bool const has_attribute = false;

  template <class AnyContext, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const AnyContext& context, RuleContext&,
             Attribute&) const {
    x3::skip_over(first, last, context);
    if (first != last && *first == '}') {
      ++first;
      return true;
    }
    ParseState& state = state_of(context);
    if (!state.open_blocks.empty())
      state.unclosed_block = state.open_blocks.back();
    return false;
  }
};

const auto open_block = [](auto& context) {
  state_of(context).open_blocks.push_back(x3::_attr(context).begin);
};
const auto add_statement = [](auto& context) {
  ParseState& state = state_of(context);
  state.stop_after_many_errors();
  if (!state.discard)
    x3::_val(context).statements.push_back(std::move(x3::_attr(context)));
  state.discard = false;
};

// block = "{" { statement } "}" .
const auto block_def = nested(spanned(placed("{")[open_block] > *(!BlockEnd{} >> statement[add_statement]) >
                                      named("'}'", ClosingBrace{})));

} // namespace

BOOST_SPIRIT_DEFINE(param)
BOOST_SPIRIT_DEFINE(block)
BOOST_SPIRIT_INSTANTIATE(ParamRule, Iterator, Context)
BOOST_SPIRIT_INSTANTIATE(BlockRule, Iterator, Context)

} // namespace plait::grammar
