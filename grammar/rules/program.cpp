#include "grammar/rules/program.hpp"

#include "grammar/rules/expression.hpp"
#include "grammar/rules/recovery.hpp"
#include "grammar/rules/statement.hpp"
#include "grammar/rules/type.hpp"

namespace plait::grammar {

namespace {

// const = "const" identifier [ ":" type ] "=" expression ";" .
const x3::rule<struct const_tag, ast::Const> const_item = "'const'";
const auto const_item_def = word("const") > identifier[store(&ast::Const::name)] >
                            -(mark(":") > type[store(&ast::Const::type)]) >
                            mark("=") > expression[store(&ast::Const::value)] > mark(";");

// data = "data" identifier ":" type ";" .
const x3::rule<struct data_tag, ast::Data> data_item = "'data'";
const auto data_item_def = word("data") > identifier[store(&ast::Data::name)] >
                           mark(":") > type[store(&ast::Data::type)] > mark(";");

// parameter = identifier ":" type .
const x3::rule<struct parameter_tag, ast::Parameter> parameter = "a parameter";
const auto parameter_def = identifier[store(&ast::Parameter::name)] >
                           mark(":") > type[store(&ast::Parameter::type)];

// results = type | "(" type { "," type } ")" .
// function = ( "fun" | "net" ) identifier "(" [ parameter { "," parameter } ] ")" "->" results block .
const auto add_parameter = append(&ast::Function::parameters);
const auto add_result = append(&ast::Function::results);
const auto results =
    named("a type",
          (mark("(") > type[add_result] > *(mark(",") > type[add_result]) > mark(")")) | type[add_result]);
const x3::rule<struct function_tag, ast::Function> function = "a function";
const auto function_def = (word("fun") | word("net")[assign(&ast::Function::is_net, true)]) >
                          identifier[store(&ast::Function::name)] > mark("(") >
                          -(parameter[add_parameter] > *(mark(",") > parameter[add_parameter])) > mark(")") >
                          mark("->") > results > block[store(&ast::Function::body)];

// model = "model" block .
const x3::rule<struct model_tag, ast::Model> model = "'model'";
const auto model_def = word("model") > block[store(&ast::Model::body)];

// guide = "guide" ( block | "auto" "(" family ")" ";" ) .
const x3::rule<struct guide_tag, ast::Guide> guide = "'guide'";
const auto guide_def = word("guide") >
                       named("'{' or 'auto'", (word("auto") > mark("(") > family[store(&ast::Guide::family)] >
                                               mark(")") > mark(";")) |
                                                  block[store(&ast::Guide::body)]);

// predict = "predict" block .
const x3::rule<struct predict_tag, ast::Predict> predict = "'predict'";
const auto predict_def = word("predict") > block[store(&ast::Predict::body)];

BOOST_SPIRIT_DEFINE(const_item, data_item, parameter, function, model, guide, predict)

// A block whose header was lost to recovery is read for the errors in it.
const auto bare_block = [](auto& context) {
  ParseState& state = state_of(context);
  const ast::Block& body = x3::_attr(context);
  if (state.resumed_at_block != state.begin + body.span.begin)
    state.reject({body.span.begin, body.span.begin + 1}, "a block cannot stand on its own")
        .with_hint("name what the block is: 'model {', 'guide {' or 'predict {'");
  state.discard = true;
};

// item = const | data | param | function | model | guide | predict .
struct item_tag : RecoversItem {};
const x3::rule<item_tag, ast::Item> item = "an item";
const auto item_def = x3::eps > spanned(named("an item", const_item[store_node] | data_item[store_node] |
                                                             param[store_node] | function[store_node] |
                                                             model[store_node] | guide[store_node] |
                                                             predict[store_node] | block[bare_block]));
BOOST_SPIRIT_DEFINE(item)

const auto add_item = [](auto& context) {
  ParseState& state = state_of(context);
  state.stop_after_many_errors();
  if (!state.discard)
    x3::_val(context).items.push_back(std::move(x3::_attr(context)));
  state.discard = false;
};

// program = { item } .
const auto program_def = *(!x3::eoi >> item[add_item]);

} // namespace

BOOST_SPIRIT_DEFINE(program)
BOOST_SPIRIT_INSTANTIATE(ProgramRule, Iterator, Context)

} // namespace plait::grammar
