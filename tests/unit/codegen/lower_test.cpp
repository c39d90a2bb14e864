#include "tests/support/run_step.hpp"

#include "compiler/autodiff/reverse.hpp"
#include "compiler/catalog/ops.hpp"
#include "compiler/passes/passes.hpp"

#include <random>

using namespace plait;
using namespace plait::ir;
using test::require_agreement;

namespace {

std::vector<double> normals(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  std::vector<double> numbers(count);
  for (double& x : numbers)
    x = 0.3 * normal(generator);
  return numbers;
}

void add_gradients(Graph& graph, Builder& builder, Value loss, const std::vector<Value>& parameters) {
  const std::vector<Value> gradients = autodiff::gradients(builder, loss, parameters);
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    const std::int32_t index = graph.node(parameters[k].id()).index;
    const Value moment = 0.9 * builder.slot(index, 0) + 0.1 * gradients[k];
    graph.outputs.push_back({OutputKind::gradient, "gradient", gradients[k].id(), index, -1});
    graph.outputs.push_back({OutputKind::store_slot, "moment", moment.id(), index, 0});
    graph.outputs.push_back(
        {OutputKind::store_parameter, "updated", (parameters[k] + 0.1 * moment).id(), index, -1});
  }
}

struct Model {
  Graph graph;
  Inputs inputs;
};

/** z ~ N(0, 1), x_i | z ~ N(z, 1), q = N(.3, .7^2), the closed form of the ELBO; x as in the founding design.
 */
Model golden() {
  Model model;
  Graph& graph = model.graph;
  const Extent rows = Extent::runtime("N");
  graph.axes = {{"i", AxisKind::plate, rows, rows, false, -1}};
  graph.parameters = {{"m", {}, {}, "guide"}, {"s", {}, {}, "guide"}};
  graph.data = {{"x", Element::real, {rows}, false}};
  Builder b(graph);
  const Value m = b.parameter(0), s = b.parameter(1), x = b.gather(b.data(0), b.plate_row(0));
  const double log_2pi = 1.8378770664093453;
  const Value terms = -0.5 * (square(x - m) + square(s)) - 0.5 * log_2pi;
  const Value prior = -0.5 * (square(m) + square(s)) - 0.5 * log_2pi;
  const Value entropy = log(s) + 0.5 * (1 + log_2pi);
  const Value elbo = b.sum(terms, {0}) + prior + entropy;
  b.output({OutputKind::scalar, "elbo", elbo.id(), -1, -1});
  const auto gradients = autodiff::gradients(b, elbo, std::vector<Value>{m, s});
  b.output({OutputKind::scalar, "dm", gradients[0].id(), -1, -1});
  b.output({OutputKind::scalar, "ds", gradients[1].id(), -1, -1});
  model.inputs.parameters = {{0.3}, {0.7}};
  model.inputs.data = {{{1, 2, .5, -.3}, {}, {}}};
  model.inputs.extents = {{"N", 4}};
  return model;
}

/** Rows of data with two layers of a net, a local parameter, a table and draws: every path of a plate. */
Model rows_model(std::int64_t population, std::int64_t drawn, std::int64_t width) {
  Model model;
  Graph& graph = model.graph;
  const Extent N = Extent::runtime("N"), B = Extent::runtime("B"), D = Extent::known(width),
               H = Extent::known(20), J = Extent::known(7);
  const bool subsampled = drawn < population;
  graph.minibatches = {{"i", N, B}};
  graph.axes = {{"i", AxisKind::plate, subsampled ? B : N, N, subsampled, subsampled ? 0 : -1}};
  graph.parameters = {{"w", {H, D}, {}, "net"},    {"v", {D, H}, {}, "net"},
                      {"bias", {H}, {}, "net"},    {"beta", {D}, {}, "model"},
                      {"table", {J}, {}, "model"}, {"local", {Extent::known(2)}, {0}, "guide"},
                      {"scale", {}, {}, "model"},  {"mixing", {H, H}, {}, "model"}};
  graph.data = {{"x", Element::boolean, {N, D}, false},
                {"group", Element::integer, {N}, false},
                {"y", Element::real, {N}, false},
                {"z", Element::real, {N, D}, false}};
  Builder b(graph);
  std::vector<Value> p;
  for (int k = 0; k < 8; ++k)
    p.push_back(b.parameter(k));
  const Value row = b.plate_row(0);
  const Value x = to_real(b.gather(b.data(0), row));
  const Value group = b.gather(b.data(1), row);
  const Value y = b.gather(b.data(2), row), z = b.gather(b.data(3), row);
  const Value hidden = softplus(b.matmul(p[0], x) + p[2]);
  const Value noise = b.random(RandomKind::normal, "h", row, b.integer(0), {H});
  const Value code = b.matmul(p[7], hidden + exp(-square(p[6])) * noise);
  const Value logits = b.matmul(p[1], code);
  const Value log_p = b.sum_event(x * logits - softplus(logits));
  const Value mean = b.dot(z, p[3]) + b.gather(p[4], group) + b.element(p[5], 0) * y;
  const Value other = -0.5 * square(y - mean) * exp(b.element(p[5], 1));
  const Value loss = b.sum(log_p, {0}) + b.sum(other, {0}) - b.sum_event(square(b.matmul(p[7], p[7])));
  b.output({OutputKind::scalar, "loss", loss.id(), -1, -1});
  b.output({OutputKind::value, "mean", mean.id(), -1, -1});
  add_gradients(graph, b, loss, p);
  Inputs& inputs = model.inputs;
  inputs.extents = {{"N", population}, {"B", drawn}};
  const auto count = [&](std::int64_t n) { return static_cast<std::size_t>(n); };
  const std::vector<std::int64_t> sizes{20 * width, 20 * width, 20, width, 7, 2 * population, 1, 400};
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    inputs.parameters.push_back(normals(count(sizes[k]), static_cast<unsigned>(k)));
    inputs.slots.push_back({normals(count(sizes[k]), static_cast<unsigned>(100 + k))});
  }
  inputs.data.resize(4);
  std::mt19937 generator(5);
  for (std::int64_t k = 0; k < population * width; ++k)
    inputs.data[0].numbers.push_back(static_cast<double>(generator() % 2));
  for (std::int64_t k = 0; k < population; ++k)
    inputs.data[1].numbers.push_back(static_cast<double>(generator() % 7));
  inputs.data[2].numbers = normals(count(population), 77);
  inputs.data[3].numbers = normals(count(population * width), 78);
  inputs.rows.resize(1);
  for (std::int64_t k = 0; k < drawn; ++k)
    inputs.rows[0].push_back(static_cast<std::uint32_t>((k * 7 + 3) % population));
  inputs.seed = 9;
  inputs.step = 2;
  return model;
}

/** How a recurrent model tells the lengths of its rows. */
enum class Lengths : std::uint8_t {
  selects_only, ///< by selects alone: every row runs every iteration
  given,        ///< rows may be passed over where their length is reached
  longest_first ///< likewise, and the rows are drawn in the order of their lengths
};

/** A recurrent net over rows of different lengths: loops whose bodies hold matrix products. */
Model recurrent_model(std::int64_t population, std::int64_t drawn, Lengths lengths, std::int64_t width = 20) {
  Model model;
  Graph& graph = model.graph;
  const Extent N = Extent::runtime("N"), B = Extent::runtime("B"), T = Extent::runtime("T"),
               D = Extent::known(17), H = Extent::known(width);
  graph.minibatches = {{"i", N, B}};
  graph.axes = {{"i", AxisKind::plate, B, N, true, 0}};
  graph.parameters = {
      {"w", {H, H}, {}, "net"}, {"u", {H, D}, {}, "net"}, {"b", {H}, {}, "net"}, {"start", {H}, {}, "net"}};
  graph.data = {{"x", Element::boolean, {N, T, D}, true}};
  Builder b(graph);
  std::vector<Value> p;
  for (int k = 0; k < 4; ++k)
    p.push_back(b.parameter(k));
  const Value row = b.plate_row(0);
  const Value x = b.gather(b.data(0), row), length = b.gather(b.data_lengths(0), row);
  const NodeId loop =
      b.begin_loop(T, false, std::vector<Value>{b.broadcast(p[3], {0}, {H})},
                   lengths == Lengths::selects_only ? std::optional<Value>() : std::optional<Value>(length));
  const Value t = b.loop_index(loop), state = b.loop_argument(loop, 0);
  const Value inputs_now = to_real(b.gather(x, t));
  const Value proposed =
      tanh(b.matmul(p[0], tanh(b.matmul(p[0], state)))) - b.matmul(p[1], inputs_now) + p[2];
  const Value concerned = less(to_real(t), to_real(length));
  const Value next = select(concerned, proposed, state);
  const Value kept = select(concerned, next, b.real(0));
  const Value term = select(concerned, b.sum_event(square(next)) * 0.1, b.real(0));
  const LoopValues values =
      b.finish_loop(loop, std::vector<Value>{next}, std::vector<Value>{kept}, std::vector<Value>{term});
  const Value loss = b.sum(b.sum_event(sin(values.carried[0])), {0}) + b.sum(values.accumulated[0], {0}) +
                     b.sum(b.sum_event(values.stacked[0]), {0});
  b.output({OutputKind::scalar, "loss", loss.id(), -1, -1});
  add_gradients(graph, b, loss, p);
  Inputs& inputs = model.inputs;
  inputs.extents = {{"N", population}, {"B", drawn}, {"T", 6}};
  const auto H_size = static_cast<std::size_t>(width);
  const std::vector<std::size_t> sizes{H_size * H_size, H_size * 17, H_size, H_size};
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    inputs.parameters.push_back(normals(sizes[k], static_cast<unsigned>(k)));
    inputs.slots.push_back({normals(sizes[k], static_cast<unsigned>(100 + k))});
  }
  inputs.data.resize(1);
  std::mt19937 generator(5);
  std::int64_t offset = 0;
  for (std::int64_t n = 0; n < population; ++n) {
    const std::int64_t length_now = 1 + static_cast<std::int64_t>(generator() % 6);
    inputs.data[0].offsets.push_back(offset);
    inputs.data[0].lengths.push_back(length_now);
    offset += length_now;
  }
  for (std::int64_t k = 0; k < offset * 17; ++k)
    inputs.data[0].numbers.push_back(static_cast<double>(generator() % 2));
  inputs.rows.resize(1);
  for (std::int64_t k = 0; k < drawn; ++k)
    inputs.rows[0].push_back(static_cast<std::uint32_t>((k * 7 + 3) % population));
  if (lengths == Lengths::longest_first)
    std::stable_sort(inputs.rows[0].begin(), inputs.rows[0].end(), [&](std::uint32_t a, std::uint32_t c) {
      return inputs.data[0].lengths[a] > inputs.data[0].lengths[c];
    });
  return model;
}

codegen::CodegenOptions options(bool single, int tile_rows = 0, int vector_bytes = 0) {
  codegen::CodegenOptions made;
  made.single_precision = single;
  made.tile_rows = tile_rows;
  made.use_cache = false;
  if (vector_bytes)
    made.vector_bytes = vector_bytes;
  return made;
}

} // namespace

TEST_CASE("the golden fixture compiles to its known numbers") {
  const Model model = golden();
  test::StepRun run(model.graph, model.inputs, options(false));
  run.run();
  CHECK(run.output(0)[0] == Approx(-6.6924290768).epsilon(1e-10));
  CHECK(run.output(1)[0] == Approx(1.7).epsilon(1e-12));
  CHECK(run.output(2)[0] == Approx(-2.0714285714).epsilon(1e-9));
}

TEST_CASE("rows of a plate agree with the interpreter whatever the tiles, lanes and subsample") {
  for (const bool single : {false, true})
    for (const auto& [population, drawn, width, tile, bytes] :
         std::vector<std::tuple<int, int, int, int, int>>{{37, 37, 24, 16, 64},
                                                          {37, 20, 24, 16, 64},
                                                          {150, 67, 17, 32, 0},
                                                          {53, 53, 40, 0, 32},
                                                          {5, 3, 3, 0, 0},
                                                          {40, 21, 5, 8, 16},
                                                          {64, 64, 16, 0, 64},
                                                          {1, 1, 9, 0, 0}}) {
      INFO("single " << single << ", " << population << " rows, " << drawn << " drawn, " << width
                     << " wide, tiles of " << tile << ", " << bytes << " byte registers");
      const Model model = rows_model(population, drawn, width);
      const Graph graph = passes::optimize(model.graph);
      require_agreement(graph, model.inputs, options(single, tile, bytes));
      require_agreement(model.graph, model.inputs, options(single, tile, bytes), 2);
    }
}

TEST_CASE("results are the same bits for any number of threads") {
  const Model model = rows_model(500, 333, 24);
  std::vector<std::vector<std::vector<double>>> outputs;
  for (std::size_t threads : {0u, 1u, 2u, 5u}) {
    test::StepRun run(model.graph, model.inputs, options(true, 16));
    run.run(threads);
    outputs.emplace_back();
    for (std::size_t k = 0; k < model.graph.outputs.size(); ++k)
      outputs.back().push_back(run.output(k));
  }
  for (std::size_t k = 1; k < outputs.size(); ++k)
    CHECK(outputs[k] == outputs[0]);
}

TEST_CASE("updates read the parameters as they were before the step") {
  // A parameter whose update reads other elements of itself, and two that read each other.
  const bool itself = GENERATE(true, false);
  const Extent size = Extent::known(40);
  Model model;
  model.graph.parameters = {{"a", {size}, {}, "model"}, {"b", {size}, {}, "model"}};
  model.inputs.parameters = {normals(40, 1), normals(40, 2)};
  Builder builder(model.graph);
  const Value a = builder.parameter(0), b = builder.parameter(1);
  std::vector<double> backwards;
  for (int k = 40; k-- > 0;)
    backwards.push_back(k);
  const Value turned = builder.gather(a, builder.literal(Element::integer, {size}, backwards), 0);
  builder.output({OutputKind::store_parameter, "a", (itself ? a - turned : a - b).id(), 0, -1});
  builder.output({OutputKind::store_parameter, "b", (itself ? 2.0 * b : a + 2.0 * b).id(), 1, -1});
  for (const bool single : {false, true})
    require_agreement(model.graph, model.inputs, options(single));
}

TEST_CASE("an update waits for what reads the old value after a pass over the rows") {
  const Extent size = Extent::known(40);
  Model model;
  model.graph.parameters = {{"a", {size}, {}, "model"}};
  const Extent rows = Extent::runtime("N");
  model.graph.axes = {{"i", AxisKind::plate, rows, rows, false, -1}};
  model.graph.data = {{"x", Element::real, {rows}, false}};
  model.inputs.parameters = {normals(40, 1)};
  model.inputs.extents = {{"N", 30}};
  model.inputs.data = {{normals(30, 2), {}, {}}};
  Builder builder(model.graph);
  const Value a = builder.parameter(0);
  const Value total = builder.sum(builder.gather(builder.data(0), builder.plate_row(0)), {0});
  builder.output({OutputKind::scalar, "product", builder.sum_event(exp(a * total)).id(), -1, -1});
  builder.output({OutputKind::store_parameter, "a", (0.5 * a).id(), 0, -1});
  for (const bool single : {false, true})
    require_agreement(model.graph, model.inputs, options(single));
}

TEST_CASE("a plate without rows adds nothing") {
  Model model = golden();
  model.inputs.extents["N"] = 0;
  model.inputs.data[0].numbers.clear();
  require_agreement(model.graph, model.inputs, options(false));
}

TEST_CASE("bound data may be stored in any type") {
  using runtime::Storage;
  for (Storage storage : {Storage::u8, Storage::i8, Storage::i16, Storage::u16, Storage::i32, Storage::u32,
                          Storage::i64, Storage::f32, Storage::f64}) {
    Model model = golden();
    model.inputs.data[0].numbers = {1, 2, 7, 100};
    codegen::CodegenOptions stored = options(false);
    stored.storage = {storage};
    require_agreement(model.graph, model.inputs, stored);
    stored.single_precision = true;
    require_agreement(model.graph, model.inputs, stored);
  }
}

TEST_CASE("loops over rows of different lengths agree with the interpreter") {
  // A state of 3 is too narrow for matrix products: then every register of rows runs a loop of its own. 300
  // rows and 6 iterations fill the panels of the deferred products several times.
  for (const Lengths lengths : {Lengths::selects_only, Lengths::given, Lengths::longest_first})
    for (const auto& [population, drawn, tile, width] : std::vector<std::tuple<int, int, int, int>>{
             {11, 5, 0, 20}, {40, 33, 16, 20}, {3, 1, 0, 20}, {320, 300, 64, 20}, {40, 33, 16, 3}}) {
      const Model model = recurrent_model(population, drawn, lengths, width);
      const Graph graph = passes::optimize(model.graph);
      for (const bool single : {false, true}) {
        require_agreement(graph, model.inputs, options(single, tile));
        require_agreement(model.graph, model.inputs, options(single, tile), 2);
      }
      const std::string schedule = codegen::schedule_text(graph, options(true));
      CHECK((schedule.find("product") != std::string::npos) == (width == 20));
      CHECK((schedule.find("over many iterations") != std::string::npos) == (width == 20));
      CHECK(schedule.find("loop") != std::string::npos);
    }
}

TEST_CASE("passing over rows changes no value") {
  for (const int width : {3, 20}) {
    const Model all = recurrent_model(40, 33, Lengths::selects_only, width);
    const Model some = recurrent_model(40, 33, Lengths::given, width);
    test::StepRun run_all(all.graph, all.inputs, options(false, 16));
    test::StepRun run_some(some.graph, some.inputs, options(false, 16));
    run_all.run(0);
    run_some.run(0);
    for (std::size_t k = 0; k < all.graph.outputs.size(); ++k) {
      const std::vector<double> expected = run_all.output(k), computed = run_some.output(k);
      REQUIRE(expected.size() == computed.size());
      for (std::size_t i = 0; i < expected.size(); ++i)
        CHECK(computed[i] == Approx(expected[i]).epsilon(1e-12).margin(1e-12));
    }
  }
}
