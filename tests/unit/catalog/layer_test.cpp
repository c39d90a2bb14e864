#include "compiler/catalog/layer.hpp"

#include "tests/unit/catalog/harness.hpp"

#include <algorithm>
#include <set>

// Layers against tests/oracles/layers.json.

namespace {

using namespace plait;
using namespace plait::test;
using catalog::Layer;

struct Call {
  Program program;
  const Layer* layer = nullptr;
  Shape sizes;
  std::vector<Value> inputs;
  std::vector<Shape> input_shapes;
  std::vector<Value> weights;
  Value value;
};

void build(Call& call, const nlohmann::json& row) {
  call.layer = catalog::find_layer(row.at("name").get<std::string>());
  REQUIRE(call.layer);
  call.sizes = shape_of(row.at("sizes"));
  const bool integer = row.at("integer").get<bool>();
  for (const auto& input : row.at("inputs")) {
    const Shape shape = shape_of(input.at("shape"));
    const auto numbers = input.at("numbers").get<Numbers>();
    call.input_shapes.push_back(shape);
    call.inputs.push_back(integer ? call.program.builder.literal(ir::Element::integer, shape, numbers)
                                  : call.program.parameter(shape, numbers));
  }
  for (const auto& weight : row.at("weights"))
    call.weights.push_back(
        call.program.parameter(shape_of(weight.at("shape")), weight.at("numbers").get<Numbers>()));
  call.value = call.layer->value(call.program.builder, call.inputs, call.weights);
}

} // namespace

TEST_CASE("every layer has an oracle row") {
  std::set<std::string> listed;
  for (const auto& row : oracle("layers"))
    listed.insert(row.at("name").get<std::string>());
  std::vector<std::string> present;
  for (const Layer* layer : catalog::layers())
    present.emplace_back(layer->name);
  CHECK(std::is_sorted(present.begin(), present.end()));
  CHECK(listed == std::set(present.begin(), present.end()));
  CHECK_FALSE(catalog::find_layer("no such layer"));
}

TEST_CASE("layers equal the oracle in shape and value") {
  for (const auto& row : oracle("layers")) {
    INFO(row.at("name") << " " << row.at("sizes").dump());
    Call call;
    build(call, row);
    CHECK(call.layer->sizes == static_cast<int>(call.sizes.size()));
    CHECK(call.layer->inputs == static_cast<int>(call.inputs.size()));
    std::string error;
    const Shape shape = call.layer->result_shape(call.sizes, call.input_shapes, error);
    CHECK(error.empty());
    CHECK(shape == shape_of(row.at("result").at("shape")));
    REQUIRE(call.value.type().shape == shape);
    const auto expected = row.at("result").at("numbers").get<Numbers>();
    const Numbers found = call.program.numbers(call.value);
    REQUIRE(found.size() == expected.size());
    for (std::size_t k = 0; k < found.size(); ++k)
      CHECK(close(found[k], expected[k], 1e-13));
  }
}

TEST_CASE("weights have the shapes and the start that the oracle states") {
  for (const auto& row : oracle("layers")) {
    INFO(row.at("name") << " " << row.at("sizes").dump());
    Call call;
    build(call, row);
    const auto weights = call.layer->weights(call.sizes, call.input_shapes);
    REQUIRE(weights.size() == row.at("weights").size());
    std::set<std::string> names;
    for (std::size_t k = 0; k < weights.size(); ++k) {
      names.insert(weights[k].name);
      CHECK(weights[k].shape == shape_of(row["weights"][k].at("shape")));
      const auto& start = weights[k].initializer;
      const auto kind = row.at("initializer").get<std::string>();
      if (kind == "uniform") {
        CHECK(start.kind == catalog::Initializer::Kind::uniform);
        CHECK(start.scale == Approx(1 / std::sqrt(row.at("fan").get<double>())));
      } else if (kind == "normal") {
        CHECK(start.kind == catalog::Initializer::Kind::normal);
        CHECK(start.scale == 1);
      } else {
        CHECK(start.kind == catalog::Initializer::Kind::constant);
        CHECK(start.scale == (weights[k].name == "weight" ? 1 : 0));
      }
    }
    CHECK(names.size() == weights.size());
  }
}

TEST_CASE("layers are differentiable") {
  for (const auto& row : oracle("layers")) {
    INFO(row.at("name") << " " << row.at("sizes").dump());
    Call call;
    build(call, row);
    std::vector<Value> inputs = call.weights;
    if (!row.at("integer").get<bool>())
      inputs.insert(inputs.end(), call.inputs.begin(), call.inputs.end());
    check_gradient(call.program, call.program.builder.sum_event(square(call.value)), inputs, 1e-6);
  }
}

TEST_CASE("inputs that do not fit are explained") {
  const auto error_of = [](const char* name, const Shape& sizes, const std::vector<Shape>& inputs) {
    std::string error;
    CHECK(catalog::find_layer(name)->result_shape(sizes, inputs, error).empty());
    return error;
  };
  const auto vector = [](std::int64_t length) { return Shape{Extent::known(length)}; };
  const Shape four = vector(4);
  CHECK_THAT(error_of("linear", four, {Shape{}}), Catch::Contains("needs a vector"));
  CHECK_THAT(error_of("linear", four, {Shape{Extent::runtime("N")}}), Catch::Contains("fixed length"));
  CHECK_THAT(error_of("gru", four, {vector(3), vector(2)}),
             Catch::Contains("must have 4 entries; this one has 3"));
  CHECK_THAT(error_of("lstm", four, {vector(4), vector(2)}), Catch::Contains("must have 8 entries"));
  CHECK_THAT(error_of("rnn", four, {Shape{Extent::known(5), Extent::known(4)}, vector(2)}),
             Catch::Contains("agree in all dimensions but the last"));
  CHECK_THAT(error_of("masked_linear", four, {vector(3)}), Catch::Contains("multiple"));
  CHECK_THAT(error_of("layer_norm", {}, {Shape{}}), Catch::Contains("needs a vector"));
}
