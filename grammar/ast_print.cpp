#include "grammar/ast_print.hpp"

#include "grammar/format/format.hpp"

namespace plait {

namespace {

class Printer {
public:
  std::string take() { return std::move(out_); }

  void operator()(const ast::Program& program) {
    line("program");
    Level level(*this);
    for (const ast::Item& item : program.items)
      std::visit(*this, item.node);
  }

  // ---- items

  void operator()(const ast::Const& item) {
    line("const " + item.name.name + (item.type ? " : " + format(*item.type) : ""));
    child(item.value);
  }
  void operator()(const ast::Data& item) { line("data " + item.name.name + " : " + format(item.type)); }
  void operator()(const ast::Function& function) {
    line((function.is_net ? "net " : "fun ") + function.name.name);
    Level level(*this);
    for (const ast::Parameter& parameter : function.parameters)
      line("parameter " + parameter.name.name + " : " + format(parameter.type));
    for (const ast::Type& type : function.results)
      line("result " + format(type));
    body("body", function.body);
  }
  void operator()(const ast::Model& model) { body("model", model.body); }
  void operator()(const ast::Predict& predict) { body("predict", predict.body); }
  void operator()(const ast::Guide& guide) {
    if (guide.body)
      body("guide", *guide.body);
    else
      line("guide auto " + format(*guide.family));
  }

  // ---- statements

  void operator()(const ast::Assign& assign) {
    std::string targets;
    for (const ast::LValue& target : assign.targets)
      targets += (targets.empty() ? "" : ", ") + format(target);
    line("assign " + targets);
    child(assign.value);
  }
  void operator()(const ast::Sample& sample) {
    line("sample " + format(sample.target));
    Level level(*this);
    std::visit(*this, sample.distribution->node);
    for (const ast::ExprPtr& size : sample.copies)
      labelled("copies", size);
    if (sample.strategy)
      line("using " + format(*sample.strategy));
  }
  void operator()(const ast::ParamDecl& param) {
    line("param " + param.name.name + " : " + format(param.type));
    child(param.init);
  }
  void operator()(const ast::Plate& plate) {
    line(std::string(plate.kind == ast::PlateKind::iarange ? "iarange " : "irange ") + plate.index.name +
         (plate.alias ? " as " + plate.alias->name : ""));
    Level level(*this);
    labelled("size", plate.size);
    if (plate.subsample)
      labelled("subsample", plate.subsample);
    body("body", plate.body);
  }
  void operator()(const ast::For& loop) {
    line("for " + loop.index.name + (loop.reverse ? " reverse" : ""));
    Level level(*this);
    labelled("lower", loop.lower);
    labelled("upper", loop.upper);
    body("body", loop.body);
  }
  void operator()(const ast::If& statement) {
    line("if");
    Level level(*this);
    labelled("condition", statement.condition);
    body("then", statement.then_body);
    if (statement.else_body)
      body("else", *statement.else_body);
  }
  void operator()(const ast::Factor& factor) {
    line("factor");
    child(factor.value);
  }
  void operator()(const ast::Return& statement) {
    line("return");
    child(statement.value);
  }

  // ---- expressions

  void operator()(const ast::Number& number) { line("number " + number.spelling); }
  void operator()(const ast::Name& name) { line("name " + name.name); }
  void operator()(const ast::Unary& unary) {
    line("unary " + std::string(spelling(unary.op)));
    child(unary.operand);
  }
  void operator()(const ast::Binary& binary) {
    line("binary " + std::string(spelling(binary.op)));
    child(binary.left);
    child(binary.right);
  }
  void operator()(const ast::Call& call) {
    line("call " + call.callee.name);
    Level level(*this);
    for (const ast::ExprPtr& size : call.sizes)
      labelled("size", size);
    for (const ast::ExprPtr& argument : call.arguments)
      std::visit(*this, argument->node);
    for (const ast::NamedArgument& argument : call.named)
      labelled(argument.name.name + " =", argument.value);
  }
  void operator()(const ast::Index& index) {
    line("index");
    child(index.base);
    Level level(*this);
    for (const ast::Subscript& place : index.subscripts) {
      if (place.kind == ast::Subscript::Kind::element)
        labelled("at", place.element);
      else
        line("slice " + format(place));
    }
  }
  void operator()(const ast::TupleExpr& tuple) { elements("tuple", tuple.elements); }
  void operator()(const ast::ArrayLiteral& array) { elements("array", array.elements); }
  void operator()(const ast::Conditional& choice) {
    line("conditional");
    child(choice.condition);
    child(choice.then_value);
    child(choice.else_value);
  }

private:
  struct Level {
    Printer& printer;
    explicit Level(Printer& printer) : printer(printer) { printer.indent_ += 2; }
    ~Level() { printer.indent_ -= 2; }
  };

  void line(const std::string& text) { out_ += std::string(indent_, ' ') + text + '\n'; }

  void child(const ast::ExprPtr& expr) {
    if (!expr)
      return;
    Level level(*this);
    std::visit(*this, expr->node);
  }
  void labelled(const std::string& label, const ast::ExprPtr& expr) {
    line(label);
    child(expr);
  }
  void elements(const std::string& label, const std::vector<ast::ExprPtr>& list) {
    line(label);
    for (const ast::ExprPtr& element : list)
      child(element);
  }
  void body(const std::string& label, const ast::Block& block) {
    line(label);
    Level level(*this);
    for (const ast::Statement& statement : block.statements)
      std::visit(*this, statement.node);
  }

  std::string out_;
  std::size_t indent_ = 0;
};

} // namespace

std::string print(const ast::Program& program) {
  Printer printer;
  printer(program);
  return printer.take();
}

std::string print(const ast::ExprPtr& expr) {
  Printer printer;
  if (expr)
    std::visit(printer, expr->node);
  return printer.take();
}

} // namespace plait
