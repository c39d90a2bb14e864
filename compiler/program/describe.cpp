#include "compiler/program/describe.hpp"

#include "compiler/program/builtins.hpp"

#include <fmt/format.h>

namespace plait::program {

namespace {

struct Describe {
  const Program& program;
  const std::function<std::optional<std::string>(const Name&)>& text_of;

  std::string list(const std::vector<ExprPtr>& expressions) const {
    std::string text;
    for (const ExprPtr& expr : expressions)
      text += (text.empty() ? "" : ", ") + show(expr);
    return text;
  }

  std::string list(const std::vector<Dim>& dims) const {
    std::string text;
    for (const Dim& dim : dims)
      text += (text.empty() ? "" : ", ") + to_string(dim);
    return text;
  }

  static int strength(const ExprPtr& expr) {
    if (auto* convert = get_if<ToReal>(expr))
      return strength(convert->operand);
    if (auto* binary = get_if<Binary>(expr))
      return ast::precedence(binary->op);
    if (get_if<Unary>(expr))
      return 8;
    return get_if<Select>(expr) ? 1 : 10;
  }

  std::string inside(const ExprPtr& expr, int at_least) const {
    return strength(expr) < at_least ? "(" + show(expr) + ")" : show(expr);
  }

  std::string show(const ExprPtr& expr) const {
    return expr ? std::visit([&](const auto& node) { return text(node, *expr); }, expr->node)
                : std::string("?");
  }

  std::string text(const Constant& constant, const Expr&) const { return fmt::format("{}", constant.value); }
  std::string text(const SizeValue& size, const Expr&) const { return to_string(size.dim); }
  std::string text(const Name& name, const Expr&) const {
    const std::optional<std::string> given = text_of ? text_of(name) : std::nullopt;
    return given ? *given : program.symbol(name.symbol).name;
  }
  std::string text(const Unary& unary, const Expr&) const {
    return std::string(ast::spelling(unary.op)) + inside(unary.operand, 9);
  }
  std::string text(const Binary& binary, const Expr&) const {
    int own = ast::precedence(binary.op);
    bool power = binary.op == ast::BinaryOp::power;
    return fmt::format("{} {} {}", inside(binary.left, power ? own + 1 : own), ast::spelling(binary.op),
                       inside(binary.right, power ? own : own + 1));
  }
  std::string text(const ToReal& convert, const Expr&) const { return show(convert.operand); }
  std::string text(const Apply& apply, const Expr&) const {
    return fmt::format("{}({})", apply.op->name, list(apply.arguments));
  }
  std::string text(const BuiltinCall& call, const Expr&) const {
    std::string values = list(call.arguments);
    std::string sizes = list(call.sizes);
    return fmt::format("{}({}{}{})", call.builtin->name, values, values.empty() || sizes.empty() ? "" : ", ",
                       sizes);
  }
  std::string text(const FunctionCall& call, const Expr&) const {
    const Function& function = program.function(program.instance(call.instance).function);
    return fmt::format("{}({})", function.name, list(call.arguments));
  }
  std::string text(const LayerCall& call, const Expr&) const {
    const Layer& layer = program.layer(call.layer);
    std::string sizes = list(layer.sizes);
    return fmt::format("{}{}({})", layer.layer->name, sizes.empty() ? "" : "[" + sizes + "]",
                       list(call.arguments));
  }
  std::string text(const Index& index, const Expr&) const {
    std::string subscripts;
    for (const Subscript& subscript : index.subscripts) {
      subscripts += subscripts.empty() ? "" : ", ";
      if (subscript.kind == Subscript::Kind::element)
        subscripts += show(subscript.element);
      else
        subscripts += subscript.kind == Subscript::Kind::all
                          ? ":"
                          : to_string(subscript.lower) + ".." + to_string(subscript.upper);
    }
    return fmt::format("{}[{}]", inside(index.base, 10), subscripts);
  }
  std::string text(const TupleExpr& tuple, const Expr&) const { return "(" + list(tuple.elements) + ")"; }
  std::string text(const ArrayExpr& array, const Expr&) const { return "[" + list(array.elements) + "]"; }
  std::string text(const Select& select, const Expr&) const {
    return fmt::format("{} ? {} : {}", inside(select.condition, 2), inside(select.then_value, 2),
                       inside(select.else_value, 1));
  }
};

} // namespace

std::string describe(const Program& program, const ExprPtr& expr) {
  return Describe{program, nullptr}.show(expr);
}

std::string describe(const Program& program, const ExprPtr& expr,
                     const std::function<std::optional<std::string>(const Name&)>& text_of) {
  return Describe{program, text_of}.show(expr);
}

PlateId plate_of_index(const Program& program, const ExprPtr& expr) {
  auto* name = get_if<Name>(expr);
  if (!name || program.symbol(name->symbol).kind != SymbolKind::plate_index)
    return -1;
  return program.symbol(name->symbol).frame_id;
}

void choose_row(Dim& dim, const ExprPtr& row, const Program& program) {
  Dim chosen = Dim::known(dim.constant);
  for (SizeTerm term : dim.terms) {
    if (term.row == SizeTerm::Row::open) {
      term.plate = plate_of_index(program, row);
      term.row = term.plate >= 0 ? SizeTerm::Row::plate : SizeTerm::Row::other;
      term.row_text = describe(program, row);
    }
    chosen = chosen + Dim{0, {term}};
  }
  dim = chosen;
}

void leave_row(Dim& dim, PlateId plate) {
  Dim left = Dim::known(dim.constant);
  for (SizeTerm term : dim.terms) {
    if (term.row == SizeTerm::Row::plate && term.plate == plate) {
      term.row = SizeTerm::Row::open;
      term.plate = -1;
      term.row_text.clear();
    }
    left = left + Dim{0, {term}};
  }
  dim = left;
}

} // namespace plait::program
