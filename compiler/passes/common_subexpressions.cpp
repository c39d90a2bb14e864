#include "compiler/passes/common_subexpressions.hpp"

#include "compiler/catalog/ops/rows.hpp"
#include "compiler/passes/rewrite.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>

namespace plait::passes {

using ir::Extent;
using ir::Node;
using ir::Value;

namespace {

bool commutes(const ir::Op* op) {
  return op == &op::add || op == &op::multiply || op == &op::logical_and || op == &op::logical_or ||
         op == &op::integer_add || op == &op::integer_multiply || op == &op::integer_equal ||
         op == &op::integer_not_equal || op == &op::equal || op == &op::not_equal;
}

/** Everything that distinguishes the values of two nodes, as bytes; its origin does not. */
class Key {
public:
  static std::string of(const Node& node) {
    Key key;
    key.put(node.kind);
    key.put(node.type.element);
    key.list(node.type.axes);
    key.extents(node.type.shape);
    std::vector<ir::NodeId> operands = node.operands;
    if (node.kind == ir::Kind::map && commutes(node.op))
      std::sort(operands.begin(), operands.end());
    key.list(operands);
    key.put(node.op);
    key.list(node.literal);
    key.put(node.index);
    key.put(node.slot);
    key.text(node.name);
    key.list(node.axes);
    key.list(node.dims);
    key.put(node.dim);
    key.extents({node.start});
    key.extents(node.extents);
    key.list(node.left_labels);
    key.list(node.right_labels);
    key.list(node.out_labels);
    key.put(node.random);
    key.put(node.transposed);
    return std::move(key.bytes_);
  }

private:
  template <class T>
  void put(const T& value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <class T>
  void list(const std::vector<T>& values) {
    put(values.size());
    for (const T& value : values)
      put(value);
  }
  void text(const std::string& value) {
    put(value.size());
    bytes_ += value;
  }
  void extents(const std::vector<Extent>& values) {
    put(values.size());
    for (const Extent& value : values) {
      put(value.value);
      text(value.name);
    }
  }

  std::string bytes_;
};

class CommonSubexpressions : public Rewriter {
public:
  explicit CommonSubexpressions(const ir::Graph& graph) : Rewriter(graph), scopes_(1) {}

protected:
  Value visit(Node node) override {
    const std::string key = Key::of(node);
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
      if (const auto known = scope->find(key); known != scope->end())
        return known->second;
    const Value made = builder().append(std::move(node));
    scopes_.back().emplace(key, made);
    return made;
  }
  void enter_body() override { scopes_.emplace_back(); }
  void leave_body() override { scopes_.pop_back(); }

private:
  std::vector<std::unordered_map<std::string, Value>> scopes_;
};

} // namespace

ir::Graph common_subexpressions(const ir::Graph& graph) {
  return CommonSubexpressions(graph).run();
}

} // namespace plait::passes
