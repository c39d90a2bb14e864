#include "compiler/catalog/ops/rows.hpp"
#include "compiler/passes/simplifier.hpp"

#include <algorithm>
#include <cmath>

namespace plait::passes {

using ir::Extent;
using ir::Kind;
using ir::Node;
using ir::Type;
using ir::Value;

Simpler Simplifier::map_rule(const Node& node) {
  if (const Simpler folded = fold(node))
    return folded;
  if (node.op->result.get() == ir::ResultRule::real) {
    if (const Simpler simpler = real_identity(node))
      return simpler;
  } else if (const Simpler simpler = node.op == &op::select ? select_identity(node) : other_identity(node)) {
    return simpler;
  }
  if (const Simpler simpler = map_of_broadcasts(node))
    return simpler;
  return map_of_expands(node);
}

/** Constants are evaluated by the op's own row. */
Simpler Simplifier::fold(const Node& node) {
  constexpr std::size_t largest = 4096;
  std::size_t size = 1;
  for (ir::NodeId operand : node.operands) {
    if (uniform(builder().value(operand)))
      continue;
    const Node& from = graph().node(operand);
    if (from.kind != Kind::constant || from.literal.size() > largest || from.type.shape != node.type.shape)
      return std::nullopt;
    size = from.literal.size();
  }
  std::vector<double> numbers(size), in(node.operands.size());
  for (std::size_t n = 0; n < size; ++n) {
    for (std::size_t k = 0; k < in.size(); ++k) {
      const auto same = uniform(builder().value(node.operands[k]));
      in[k] = same ? *same : graph().node(node.operands[k]).literal[n];
    }
    numbers[n] = node.op->evaluate.get()(in);
  }
  if (size == 1)
    return uniform_like(numbers[0], node.type);
  return as_type(builder().literal(node.type.element, node.type.shape, std::move(numbers)), node.type);
}

Simpler Simplifier::real_identity(const Node& node) {
  const ir::Op* op = node.op;
  const Value a = builder().value(node.operands[0]);
  const Value b = node.operands.size() > 1 ? builder().value(node.operands[1]) : Value();
  const Type type = node.type;

  if (op == &op::add || op == &op::subtract) {
    if (const Simpler simpler = common_factor(node, a, b))
      return simpler;
    if (const Simpler simpler = common_contraction(node, a, b))
      return simpler;
    if (const Simpler simpler = common_mask(node, a, b))
      return simpler;
  }
  if (op == &op::add) {
    if (is_uniform(a, 0)) // 0 + x = x
      return as_type(b, type);
    if (is_uniform(b, 0)) // x + 0 = x
      return as_type(a, type);
    if (is_map(b, op::negate)) // x + -y = x - y
      return make(op::subtract, {a, operand(b, 0)});
    if (is_map(a, op::negate)) // -x + y = y - x
      return make(op::subtract, {b, operand(a, 0)});
  } else if (op == &op::subtract) {
    if (is_uniform(b, 0)) // x - 0 = x
      return as_type(a, type);
    if (is_uniform(a, 0)) // 0 - x = -x
      return as_type(make(op::negate, {b}), type);
    if (is_map(b, op::negate)) // x - -y = x + y
      return make(op::add, {a, operand(b, 0)});
  } else if (op == &op::multiply) {
    if (const Simpler simpler = product_identity(node, a, b))
      return simpler;
    return product_identity(node, b, a);
  } else if (op == &op::divide) {
    if (is_uniform(b, 1)) // x / 1 = x
      return as_type(a, type);
    if (is_map(a, op::negate)) // -x / y = -(x / y)
      return make(op::negate, {make(op::divide, {operand(a, 0), b})});
    const auto divisor = uniform(b); // x / c = x * (1 / c)
    if (divisor && std::isfinite(1 / *divisor) && *divisor != 0)
      return make(op::multiply, {a, number(ir::Element::real, 1 / *divisor)});
  } else if (op == &op::negate) {
    if (is_map(a, op::negate)) // --x = x
      return operand(a, 0);
    if (is_map(a, op::subtract)) // -(x - y) = y - x
      return make(op::subtract, {operand(a, 1), operand(a, 0)});
  } else if (op == &op::log) {
    if (is_map(a, op::exp)) // log exp x = x
      return operand(a, 0);
  } else if (op == &op::pow) {
    if (is_uniform(b, 1))
      return as_type(a, type);
    if (is_uniform(b, 2))
      return as_type(make(op::square, {a}), type);
    if (is_uniform(b, -1))
      return as_type(make(op::divide, {number(ir::Element::real, 1), a}), type);
  } else if (op == &op::square) {
    if (is_map(a, op::negate) || is_map(a, op::abs)) // (-x)^2 = x^2
      return make(op::square, {operand(a, 0)});
  } else if (options_.is_final && op == &op::stop_gradient) {
    return a;
  } else if (options_.is_final && op == &op::log_gamma_draw) {
    return as_type(b, type);
  }
  return std::nullopt;
}

/** c x + c y = c (x + y), where c is a smaller array than the result. */
Simpler Simplifier::common_factor(const Node& node, Value a, Value b) {
  if (!is_map(a, op::multiply) || !is_map(b, op::multiply))
    return std::nullopt;
  const Type type = node.type;
  for (std::size_t k = 0; k < 2; ++k)
    for (std::size_t l = 0; l < 2; ++l)
      if (const Value factor = operand(a, k);
          factor.id() == operand(b, l).id() && is_smaller(factor, factor, type))
        return as_type(make(op::multiply, {factor, make(*node.op, {operand(a, 1 - k), operand(b, 1 - l)})}),
                       type);
  return std::nullopt;
}

/** select(m, a, b) + select(m, c, d) = select(m, a + c, b + d), where one of the sums is none. */
Simpler Simplifier::common_mask(const Node& node, Value a, Value b) {
  if (!is_map(a, op::select) || !is_map(b, op::select) || operand(a, 0).id() != operand(b, 0).id())
    return std::nullopt;
  const auto is_trivial = [&](std::size_t branch) {
    const Value left = operand(a, branch), right = operand(b, branch);
    return is_uniform(right, 0) || (uniform(left) && uniform(right)) ||
           (node.op == &op::add && is_uniform(left, 0));
  };
  if (!is_trivial(1) && !is_trivial(2))
    return std::nullopt;
  const Value yes = make(*node.op, {operand(a, 1), operand(b, 1)});
  const Value no = make(*node.op, {operand(a, 2), operand(b, 2)});
  return as_type(make(op::select, {operand(a, 0), yes, no}), node.type);
}

/** a W + b W = (a + b) W */
Simpler Simplifier::common_contraction(const Node& node, Value a, Value b) {
  if (kind(a) != Kind::contract || kind(b) != Kind::contract)
    return std::nullopt;
  const Node &left = this->node(a), &right = this->node(b);
  if (left.left_labels != right.left_labels || left.right_labels != right.right_labels ||
      left.out_labels != right.out_labels || left.axes != right.axes)
    return std::nullopt;
  for (std::size_t k = 0; k < 2; ++k) {
    const Value factor = operand(a, k), x = operand(a, 1 - k), y = operand(b, 1 - k);
    if (factor.id() != operand(b, k).id() || !(x.type() == y.type()))
      continue;
    Node contract = left;
    const Value both = make(*node.op, {x, y});
    return k == 0 ? make(std::move(contract), {factor, both}) : make(std::move(contract), {both, factor});
  }
  return std::nullopt;
}

Simpler Simplifier::product_identity(const Node& node, Value a, Value b) {
  const Type type = node.type;
  const auto factor = uniform(a);
  if (factor && *factor == 1) // 1 x = x
    return as_type(b, type);
  if (factor && *factor == -1) // -1 x = -x
    return as_type(make(op::negate, {b}), type);
  if (factor && *factor == 0 && is_finite(b)) // 0 x = 0
    return uniform_like(0, type);
  if (factor && is_map(b, op::multiply)) // c (d x) = (c d) x
    for (std::size_t k = 0; k < 2; ++k)
      if (uniform(operand(b, k))) {
        const Value scale = make(op::multiply, {a, operand(b, k)});
        return as_type(make(op::multiply, {scale, operand(b, 1 - k)}), type);
      }
  if (is_map(b, op::multiply)) // a (b x) = (a b) x, where a b is a smaller array than b x
    for (std::size_t k = 0; k < 2; ++k)
      if (const Value inner = operand(b, k); is_smaller(a, inner, b.type())) {
        const Value scale = make(op::multiply, {a, inner});
        return as_type(make(op::multiply, {scale, operand(b, 1 - k)}), type);
      }
  if (factor && is_map(b, op::negate)) // c (-x) = (-c) x
    return as_type(make(op::multiply, {number(ir::Element::real, -*factor), operand(b, 0)}), type);
  if (!factor && is_map(a, op::negate)) // (-x) y = -(x y)
    return make(op::negate, {make(op::multiply, {operand(a, 0), b})});
  return std::nullopt;
}

Simpler Simplifier::select_identity(const Node& node) {
  const Value mask = builder().value(node.operands[0]), a = builder().value(node.operands[1]),
              b = builder().value(node.operands[2]);
  const Type type = node.type;
  if (const auto constant = uniform(mask))
    return as_type(*constant != 0 ? a : b, type);
  if (a.id() == b.id())
    return as_type(a, type);
  if (const auto left = uniform(a), right = uniform(b); left && right && *left == *right)
    return uniform_like(*left, type);
  if (is_map(mask, op::logical_not))
    return make(op::select, {operand(mask, 0), b, a});
  if (is_map(a, op::select) && operand(a, 0).id() == mask.id())
    return as_type(make(op::select, {mask, operand(a, 1), b}), type);
  if (is_map(b, op::select) && operand(b, 0).id() == mask.id())
    return as_type(make(op::select, {mask, a, operand(b, 2)}), type);
  constexpr int depth = 3;
  if (const Simpler inner = where(mask, true, a, depth))
    return as_type(make(op::select, {mask, *inner, b}), type);
  if (const Simpler inner = where(mask, false, b, depth))
    return as_type(make(op::select, {mask, a, *inner}), type);
  return std::nullopt;
}

/** `value` where the mask is set (or is not), if it is simpler there: selections by the same mask are
 * decided. */
Simpler Simplifier::where(Value mask, bool set, Value value, int depth) {
  if (is_map(value, op::select) && operand(value, 0).id() == mask.id()) {
    const Type type = value.type();
    return as_type(operand(value, set ? 1 : 2), type);
  }
  const ir::Op* op = kind(value) == Kind::map ? node(value).op : nullptr;
  if (depth == 0 || (op != &op::add && op != &op::subtract && op != &op::multiply && op != &op::divide &&
                     op != &op::negate))
    return std::nullopt;
  bool changed = false;
  std::vector<Value> inputs;
  const std::size_t count = node(value).operands.size();
  for (std::size_t k = 0; k < count; ++k) {
    const Simpler inner = where(mask, set, operand(value, k), depth - 1);
    changed = changed || inner;
    inputs.push_back(inner ? *inner : operand(value, k));
  }
  if (!changed)
    return std::nullopt;
  const Type type = value.type();
  return as_type(make(*op, inputs), type);
}

Simpler Simplifier::other_identity(const Node& node) {
  const ir::Op* op = node.op;
  const Value a = builder().value(node.operands[0]);
  const Value b = node.operands.size() > 1 ? builder().value(node.operands[1]) : Value();
  const Type type = node.type;
  if (op == &op::logical_not && is_map(a, op::logical_not))
    return operand(a, 0);
  if (op == &op::logical_and || op == &op::logical_or) {
    const double neutral = op == &op::logical_and ? 1 : 0;
    for (const auto& [x, y] : {std::pair(a, b), std::pair(b, a)})
      if (const auto constant = uniform(x))
        return *constant == neutral ? as_type(y, type) : uniform_like(*constant, type);
    if (a.id() == b.id())
      return a;
  }
  if (op == &op::to_integer && is_map(a, op::to_real) && operand(a, 0).type().element == ir::Element::integer)
    return operand(a, 0);
  if (op == &op::integer_add || op == &op::integer_multiply) {
    const double neutral = op == &op::integer_add ? 0 : 1;
    if (is_uniform(a, neutral))
      return as_type(b, type);
    if (is_uniform(b, neutral))
      return as_type(a, type);
    if (op == &op::integer_multiply && (is_uniform(a, 0) || is_uniform(b, 0)))
      return uniform_like(0, type);
  }
  if (op == &op::integer_subtract && is_uniform(b, 0))
    return as_type(a, type);
  return std::nullopt;
}

/** Elementwise ops work on what is broadcast, and the result is broadcast instead. */
Simpler Simplifier::map_of_broadcasts(const Node& node) {
  std::vector<Value> inputs;
  bool peeled = false;
  for (ir::NodeId operand : node.operands) {
    const Value value = builder().value(operand);
    peeled = peeled || kind(value) == Kind::broadcast;
    inputs.push_back(peel(value));
  }
  if (!peeled)
    return std::nullopt;
  const Type type = node.type;
  return as_type(make(*node.op, inputs), type);
}

/** The same for dimensions inserted at one place into all operands that have dimensions. */
Simpler Simplifier::map_of_expands(const Node& node) {
  const Node* first = nullptr;
  for (ir::NodeId operand : node.operands) {
    const Node& from = graph().node(operand);
    if (from.type.is_scalar())
      continue;
    if (from.kind != Kind::expand || (first && (from.dim != first->dim || from.extents != first->extents)))
      return std::nullopt;
    first = &from;
  }
  if (!first)
    return std::nullopt;
  const std::int32_t dim = first->dim;
  const Extent extent = first->extents[0];
  std::vector<Value> inputs;
  for (ir::NodeId operand : node.operands) {
    const Value value = builder().value(operand);
    inputs.push_back(value.type().is_scalar() ? value : this->operand(value, 0));
  }
  return expand(make(*node.op, inputs), dim, extent);
}

} // namespace plait::passes
