#include "compiler/plates/conditions.hpp"

#include "compiler/program/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>

namespace plait::plates {

using ast::BinaryOp;
using program::ExprPtr;
using program::Program;
using program::SymbolId;
using program::SymbolKind;

namespace {

/// Tables of more rows than this are not made.
constexpr std::size_t most_rows = 1 << 14;

/// Something that conditions compare with numbers, and the numbers that matter.
struct Variable {
  std::string text;
  std::set<double> compared;
  bool is_integer = false;
  std::optional<double> lower, upper;

  /// One value for every way in which the comparisons can turn out.
  std::vector<double> values() const {
    std::set<double> points;
    const auto add = [&](double point) {
      if ((!lower || point >= *lower) && (!upper || point <= *upper))
        points.insert(point);
    };
    for (const std::optional<double>& bound : {lower, upper})
      if (bound)
        add(*bound);
    double before = 0;
    bool first = true;
    for (double number : compared) {
      if (is_integer) {
        for (double point :
             {std::ceil(number) - 1, std::floor(number), std::ceil(number), std::floor(number) + 1})
          add(point);
        continue;
      }
      add(number - 1);
      add(number);
      add(number + 1);
      if (!first)
        add((before + number) / 2);
      before = number;
      first = false;
    }
    return {points.begin(), points.end()};
  }
};

using Values = std::vector<double>; ///< of the variables
using Formula = std::function<bool(const Values&)>;

/// The truth of a comparison of numbers.
bool compare(BinaryOp op, double left, double right) {
  switch (op) {
  case BinaryOp::equal:
    return left == right;
  case BinaryOp::not_equal:
    return left != right;
  case BinaryOp::less:
    return left < right;
  case BinaryOp::less_equal:
    return left <= right;
  case BinaryOp::greater:
    return left > right;
  default:
    return left >= right;
  }
}

bool is_comparison(BinaryOp op) {
  return op == BinaryOp::equal || op == BinaryOp::not_equal || op == BinaryOp::less ||
         op == BinaryOp::less_equal || op == BinaryOp::greater || op == BinaryOp::greater_equal;
}

const ExprPtr& without_conversion(const ExprPtr& expr) {
  const auto* conversion = program::get_if<program::ToReal>(expr);
  return conversion ? without_conversion(conversion->operand) : expr;
}

class Table {
public:
  Table(const Program& program, const std::map<SymbolId, ExprPtr>& definitions,
        const std::map<program::LoopId, std::size_t>& depths)
      : program_(program), definitions_(definitions), depths_(depths) {}

  Formula some(const std::vector<Path>& paths) {
    std::vector<Formula> parts;
    for (const Path& path : paths)
      parts.push_back(all(path));
    return [parts](const Values& values) {
      return std::any_of(parts.begin(), parts.end(), [&](const Formula& part) { return part(values); });
    };
  }

  Formula all(const Path& path) {
    std::vector<std::pair<Formula, bool>> parts;
    for (const Condition& condition : path) {
      const Reading reading(*this, condition.expr);
      parts.emplace_back(formula(condition.expr), condition.taken);
    }
    return [parts](const Values& values) {
      return std::all_of(parts.begin(), parts.end(),
                         [&](const auto& part) { return part.first(values) == part.second; });
    };
  }

  /// A text that is the same when the conditions are.
  std::string text(const std::vector<Path>& paths) {
    std::string result;
    for (const Path& path : paths) {
      result += "|";
      for (const Condition& condition : path) {
        const Reading reading(*this, condition.expr);
        result += (condition.taken ? "&" : "&!") + text(condition.expr);
      }
    }
    return result;
  }

  /// Whether `test` holds in every row; false when there are too many.
  bool everywhere(const Formula& test) const {
    std::vector<Values> points;
    std::size_t rows = 1;
    for (const Variable& variable : variables_) {
      points.push_back(variable.values());
      rows *= points.back().size();
      if (rows > most_rows)
        return false;
    }
    for (std::size_t row = 0; row < rows; ++row) {
      Values values;
      std::size_t rest = row;
      for (const Values& of_variable : points) {
        values.push_back(of_variable[rest % of_variable.size()]);
        rest /= of_variable.size();
      }
      if (!test(values))
        return false;
    }
    return true;
  }

private:
  /// While names of `expr` are looked up: what is assigned more than once means its value there.
  class Reading {
  public:
    Reading(Table& table, const ExprPtr& expr) : table_(table), before_(table.read_by_) {
      table.read_by_ = expr.get();
    }
    ~Reading() { table_.read_by_ = before_; }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

  private:
    Table& table_;
    const program::Expr* before_;
  };

  Formula formula(const ExprPtr& written) {
    const ExprPtr& expr = without_conversion(written);
    if (const auto number = program::constant_value(expr))
      return [holds = *number != 0](const Values&) { return holds; };
    if (const auto* name = program::get_if<program::Name>(expr))
      if (const auto definition = definitions_.find(name->symbol);
          definition != definitions_.end() && name->spread.empty()) {
        const Reading reading(*this, definition->second);
        return formula(definition->second);
      }
    if (const auto* unary = program::get_if<program::Unary>(expr);
        unary && unary->op == ast::UnaryOp::logical_not)
      return [operand = formula(unary->operand)](const Values& values) { return !operand(values); };
    if (const auto* choice = program::get_if<program::Select>(expr))
      return [condition = formula(choice->condition), yes = formula(choice->then_value),
              no = formula(choice->else_value)](const Values& values) {
        return condition(values) ? yes(values) : no(values);
      };
    if (const auto* binary = program::get_if<program::Binary>(expr)) {
      if (binary->op == BinaryOp::logical_and || binary->op == BinaryOp::logical_or)
        return [is_and = binary->op == BinaryOp::logical_and, left = formula(binary->left),
                right = formula(binary->right)](const Values& values) {
          return is_and ? left(values) && right(values) : left(values) || right(values);
        };
      if (is_comparison(binary->op))
        return comparison(*binary);
    }
    return compared(variable_of(expr), BinaryOp::equal, 1, false);
  }

  Formula comparison(const program::Binary& binary) {
    const ExprPtr &left = without_conversion(binary.left), &right = without_conversion(binary.right);
    if (const auto number = program::constant_value(right))
      return compared(variable_of(left), binary.op, *number, false);
    if (const auto number = program::constant_value(left))
      return compared(variable_of(right), binary.op, *number, true);
    // The sign of a difference, the same for `a < b` and `b > a`.
    const std::string a = text(left), b = text(right);
    if (a == b)
      return [holds = compare(binary.op, 0, 0)](const Values&) { return holds; };
    Variable difference;
    difference.text = fmt::format("order of {} and {}", std::min(a, b), std::max(a, b));
    return compared(std::move(difference), binary.op, 0, a > b);
  }

  /// `variable op number`, or `number op variable`.
  Formula compared(Variable variable, BinaryOp op, double number, bool number_first) {
    auto found = std::find_if(variables_.begin(), variables_.end(),
                              [&](const Variable& other) { return other.text == variable.text; });
    if (found == variables_.end())
      found = variables_.insert(variables_.end(), std::move(variable));
    found->compared.insert(number);
    return [place = static_cast<std::size_t>(found - variables_.begin()), op, number,
            number_first](const Values& values) {
      return number_first ? compare(op, number, values[place]) : compare(op, values[place], number);
    };
  }

  Variable variable_of(const ExprPtr& expr) {
    Variable variable;
    variable.text = text(expr);
    variable.is_integer = expr->type.element != program::Element::real;
    if (expr->type.element == program::Element::bit) {
      variable.lower = 0;
      variable.upper = 1;
    }
    if (expr->type.element == program::Element::index) {
      variable.lower = 0;
      if (expr->type.index_size)
        if (const auto size = program_.size_value(*expr->type.index_size))
          variable.upper = static_cast<double>(std::max<std::int64_t>(*size - 1, 0));
    }
    return variable;
  }

  /// A text that is the same in the model and in the guide when the value is.
  std::string text(const ExprPtr& expr) {
    return program::describe(program_, expr, [&](const program::Name& name) -> std::optional<std::string> {
      const program::Symbol& symbol = program_.symbol(name.symbol);
      switch (symbol.kind) {
      case SymbolKind::data:
      case SymbolKind::constant:
      case SymbolKind::param:
        return std::nullopt;
      case SymbolKind::plate_index:
        return fmt::format("index of plate {}", symbol.frame_id);
      case SymbolKind::loop_index:
        return fmt::format("index of loop {}", depths_.at(symbol.frame_id));
      case SymbolKind::local:
      case SymbolKind::site:
        break;
      }
      if (const auto definition = definitions_.find(name.symbol);
          definition != definitions_.end() && name.spread.empty()) {
        const Reading reading(*this, definition->second);
        return "(" + text(definition->second) + ")";
      }
      // It may have another value where another expression reads it.
      return fmt::format("{} #{} at {}", symbol.name, symbol.id, static_cast<const void*>(read_by_));
    });
  }

  const Program& program_;
  const std::map<SymbolId, ExprPtr>& definitions_;
  const std::map<program::LoopId, std::size_t>& depths_;
  std::vector<Variable> variables_;
  const program::Expr* read_by_ = nullptr;
};

using Describe = std::function<std::string(const ExprPtr&)>;

std::string joined(const Path& path, const Describe& describe) {
  std::string text;
  for (const Condition& condition : path) {
    const std::string own = describe(condition.expr);
    text += (text.empty() ? "" : " && ") + (condition.taken ? own : "!(" + own + ")");
  }
  return text;
}

std::string joined(const std::vector<Path>& paths, const Describe& describe) {
  std::string text;
  for (const Path& path : paths)
    text += (text.empty() ? "" : " || ") + joined(path, describe);
  return text;
}

/// Collects what is assigned once, and the nesting of loops.
class Definitions {
public:
  Definitions(std::map<SymbolId, ExprPtr>& definitions, std::map<program::LoopId, std::size_t>& depths)
      : definitions_(definitions), depths_(depths) {}

  void collect(const program::Block& block, std::size_t depth) {
    for (const program::Statement& statement : block.statements) {
      if (const auto* assign = program::get_if<program::Assign>(statement)) {
        for (SymbolId target : assign->targets)
          define(target, assign->targets.size() == 1 ? assign->value : nullptr);
      } else if (const auto* sample = program::get_if<program::Sample>(statement)) {
        define(sample->symbol, nullptr);
      } else if (const auto* plate = program::get_if<program::PlateStatement>(statement)) {
        collect(plate->body, depth);
      } else if (const auto* loop = program::get_if<program::ForStatement>(statement)) {
        depths_[loop->loop] = depth;
        collect(loop->body, depth + 1);
      } else if (const auto* branch = program::get_if<program::IfStatement>(statement)) {
        collect(branch->then_body, depth);
        collect(branch->else_body, depth);
      }
    }
  }

private:
  void define(SymbolId symbol, const ExprPtr& value) {
    const auto [place, is_new] = definitions_.emplace(symbol, value);
    if (!is_new)
      place->second = nullptr;
  }

  std::map<SymbolId, ExprPtr>& definitions_;
  std::map<program::LoopId, std::size_t>& depths_;
};

} // namespace

ConditionLogic::ConditionLogic(const Program& program) : program_(program) {
  Definitions found(definitions_, depths_);
  found.collect(program.model, 0);
  if (program.guide)
    found.collect(*program.guide, 0);
  if (program.predict)
    found.collect(*program.predict, 0);
  std::erase_if(definitions_, [](const auto& entry) { return !entry.second; });
}

bool ConditionLogic::same(const std::vector<Path>& a, const std::vector<Path>& b) const {
  Table table(program_, definitions_, depths_);
  const Formula left = table.some(a), right = table.some(b);
  return table.everywhere([&](const Values& values) { return left(values) == right(values); }) ||
         table.text(a) == table.text(b);
}

bool ConditionLogic::exclude(const Path& a, const Path& b) const {
  if (a.empty() || b.empty())
    return false;
  Table table(program_, definitions_, depths_);
  const Formula left = table.all(a), right = table.all(b);
  return table.everywhere([&](const Values& values) { return !(left(values) && right(values)); });
}

bool ConditionLogic::implies(const Path& a, const Path& b) const {
  Table table(program_, definitions_, depths_);
  const Formula left = table.all(a), right = table.all(b);
  return table.everywhere([&](const Values& values) { return !left(values) || right(values); });
}

bool ConditionLogic::cover(const std::vector<Path>& paths) const {
  if (std::any_of(paths.begin(), paths.end(), [](const Path& path) { return path.empty(); }))
    return true;
  Table table(program_, definitions_, depths_);
  return table.everywhere(table.some(paths));
}

std::string ConditionLogic::explain(const std::vector<Path>& paths) const {
  if (cover(paths))
    return {};
  const std::function<std::optional<std::string>(const program::Name&)> meaning =
      [&](const program::Name& name) -> std::optional<std::string> {
    const auto definition = definitions_.find(name.symbol);
    if (definition == definitions_.end() || !name.spread.empty())
      return std::nullopt;
    return program::describe(program_, definition->second, meaning);
  };
  return joined(paths, [&](const ExprPtr& expr) { return program::describe(program_, expr, meaning); });
}

std::string text_of(const Program& program, const Path& path) {
  return joined(path, [&](const ExprPtr& expr) { return program::describe(program, expr); });
}

std::string text_of(const Program& program, const std::vector<Path>& paths) {
  return joined(paths, [&](const ExprPtr& expr) { return program::describe(program, expr); });
}

} // namespace plait::plates
