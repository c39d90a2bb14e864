#include "compiler/autodiff/reverse.hpp"
#include "compiler/catalog/ops.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/tensor_ir/interpret.hpp"
#include "compiler/tensor_ir/type_rules.hpp"
#include "compiler/tensor_ir/verify.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <map>

using namespace plait;
using ir::Builder;
using ir::Extent;
using ir::Kind;
using ir::Value;

namespace {

Extent known(std::int64_t n) {
  return Extent::known(n);
}

constexpr std::int64_t D = 5, H = 4, Z = 2, B = 3;

/** The gradient of the ELBO of a variational auto-encoder. */
ir::Graph auto_encoder() {
  ir::Graph g;
  g.minibatches = {{"i", Extent::runtime("N"), known(B)}};
  g.axes = {{"i", ir::AxisKind::plate, known(B), Extent::runtime("N"), true, 0}};
  const std::vector<std::vector<Extent>> shapes = {
      {known(H), known(D)}, {known(H)}, {known(Z), known(H)}, {known(Z)}, {known(Z), known(H)}, {known(Z)},
      {known(H), known(Z)}, {known(H)}, {known(D), known(H)}, {known(D)}};
  for (std::size_t k = 0; k < shapes.size(); ++k)
    g.parameters.push_back({"w" + std::to_string(k), shapes[k], {}, "net"});
  g.data = {{"image", ir::Element::boolean, {Extent::runtime("N"), known(D)}, false}};
  Builder b(g);
  std::vector<Value> p;
  for (std::int32_t k = 0; k < 10; ++k)
    p.push_back(b.parameter(k));
  const Value row = b.plate_row(0);
  const Value x = ir::to_real(b.gather(b.data(0), row));
  const Value h = ir::softplus(b.matmul(p[0], x) + p[1]);
  const Value loc = b.matmul(p[2], h) + p[3], scale = ir::exp(b.matmul(p[4], h) + p[5]);
  const Value z = loc + scale * b.random(ir::RandomKind::normal, "z", row, b.integer(0), {known(Z)});
  const Value logits = b.matmul(p[8], ir::softplus(b.matmul(p[6], z) + p[7])) + p[9];
  const Value log_prob = b.sum_event(x * logits - ir::softplus(logits));
  const Value divergence = b.sum_event(0.5 * (ir::square(loc) + ir::square(scale) - 1.0) - ir::log(scale));
  const Value weight = ir::to_real(b.extent(Extent::runtime("N"))) / static_cast<double>(B);
  const Value elbo = weight * b.sum(log_prob - divergence, {0});
  b.output({ir::OutputKind::scalar, "elbo", elbo.id(), -1, -1});
  const auto gradients = autodiff::gradients(b, -elbo, p);
  for (std::size_t k = 0; k < gradients.size(); ++k)
    b.output({ir::OutputKind::gradient, g.parameters[k].name, gradients[k].id(), static_cast<std::int32_t>(k),
              -1});
  return g;
}

} // namespace

TEST_CASE("the optimized gradient of an auto-encoder does each piece of work once") {
  const ir::Graph before = auto_encoder();
  passes::Options options;
  options.verify = true;
  const ir::Graph after = passes::optimize(before, options);
  std::map<std::string, int> count;
  for (const ir::Node& node : after.nodes)
    ++count[node.kind == Kind::map ? std::string(node.op->name) : std::string(ir::kind_name(node.kind))];
  CHECK(count["contract"] == 14); // five layers forward, five weight gradients, four adjoints of inputs
  CHECK(count["broadcast"] == 0);
  CHECK(count["softplus"] == 3);
  CHECK(count["sigmoid"] == 3);
  CHECK(count["exp"] == 1);
  CHECK(count["log"] == 0);
  CHECK(count["random"] == 1);
  CHECK(count["gather"] == 1);

  ir::Inputs inputs;
  inputs.extents = {{"N", 6}};
  inputs.rows = {{5, 0, 2}};
  inputs.seed = 3;
  inputs.data.resize(1);
  for (int n = 0; n < 6 * D; ++n)
    inputs.data[0].numbers.push_back(n * n % 3 == 1 ? 1 : 0);
  double next = 0;
  for (const ir::Parameter& parameter : before.parameters) {
    std::int64_t size = 1;
    for (const Extent& extent : parameter.shape)
      size *= extent.value;
    std::vector<double> numbers(static_cast<std::size_t>(size));
    for (double& number : numbers)
      number = std::sin(next += 0.7);
    inputs.parameters.push_back(numbers);
  }
  const ir::Results x = ir::interpret(before, inputs), y = ir::interpret(after, inputs);
  for (std::size_t k = 0; k < x.outputs.size(); ++k)
    for (std::size_t n = 0; n < x.outputs[k].numbers.size(); ++n)
      CHECK(x.outputs[k].numbers[n] == Approx(y.outputs[k].numbers[n]).epsilon(1e-12));
}

TEST_CASE("passes are observed and can be switched off") {
  std::vector<std::string> names;
  passes::Options options;
  options.observe = [&](std::string_view name, const ir::Graph& graph) {
    names.emplace_back(name);
    ir::verify(graph, name);
  };
  passes::optimize(auto_encoder(), options);
  CHECK(names.size() >= 7);
  CHECK(names.front() == "dead code");
  options.enabled = false;
  CHECK(passes::optimize(auto_encoder(), options).nodes.size() == auto_encoder().nodes.size());
}
