// Vectors of every width compute what plain numbers compute, bit for bit, and draws are the runtime's draws.
#include "compiler/codegen/lanes.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/catalog/ops/rows.hpp"
#include "compiler/codegen/jit.hpp"
#include "compiler/codegen/philox_lanes.hpp"
#include "compiler/codegen/runtime_symbols.hpp"
#include "runtime/rng.hpp"
#include "tests/support/plain_lanes.hpp"

#include <catch2/catch.hpp>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

using namespace plait;
using codegen::LlvmLanes;

namespace {

codegen::Jit make_jit(codegen::Target target) {
  return codegen::Jit({.target = std::move(target), .use_cache = false, .cache_folder = {}});
}

ir::Element element_of(const ir::Op& op, std::size_t input) {
  switch (op.result.get()) {
  case ir::ResultRule::integer:
  case ir::ResultRule::integer_comparison:
  case ir::ResultRule::to_real:
    return ir::Element::integer;
  case ir::ResultRule::boolean:
    return ir::Element::boolean;
  case ir::ResultRule::select:
    return input == 0 ? ir::Element::boolean : ir::Element::real;
  default:
    return ir::Element::real;
  }
}

/** One function per row: `void row(const T* in, T* out)` with in[input][lane], everything stored as reals. */
void emit_rows(llvm::Module& module, const codegen::Target& target, int width, bool single) {
  llvm::LLVMContext& context = module.getContext();
  llvm::IRBuilder<> builder(context);
  llvm::Type* pointer = builder.getPtrTy();
  for (const ir::Op* op : catalog::ops()) {
    auto* function = llvm::Function::Create(
        llvm::FunctionType::get(builder.getVoidTy(), {pointer, pointer}, false),
        llvm::Function::ExternalLinkage,
        llvm::Twine("row_") + llvm::StringRef(op->name.data(), op->name.size()), module);
    builder.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
    LlvmLanes lanes(builder, target, width, single);
    const llvm::Align align(single ? 4 : 8);
    std::vector<llvm::Value*> inputs;
    for (int k = 0; k < op->arity; ++k) {
      llvm::Value* address =
          builder.CreateConstGEP1_32(lanes.real_type(), function->getArg(0), static_cast<unsigned>(k));
      llvm::Value* number = builder.CreateAlignedLoad(lanes.real_type(), address, align);
      const ir::Element element = element_of(*op, static_cast<std::size_t>(k));
      if (element == ir::Element::integer)
        number = LlvmLanes::value(lanes.to_integer(LlvmLanes::wrap(number)));
      else if (element == ir::Element::boolean)
        number = LlvmLanes::value(
            lanes.compare(ir::Comparison::not_equal, LlvmLanes::wrap(number), lanes.real(0)));
      inputs.push_back(number);
    }
    llvm::Value* result = lanes.apply(*op, inputs);
    if (result->getType() != lanes.real_type())
      result = LlvmLanes::value(lanes.to_real(LlvmLanes::wrap(result)));
    builder.CreateAlignedStore(result, function->getArg(1), align);
    builder.CreateRetVoid();
  }
}

void* find_symbol(std::string_view name) {
  for (const codegen::RuntimeSymbol& symbol : codegen::runtime_symbols())
    if (symbol.name == name)
      return symbol.address;
  return nullptr;
}

template <class T>
bool same_bits_or_nan(T a, T b) {
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) && std::isnan(b);
  return a == b;
}

/** Machines without a scale instruction round twice among the subnormals. */
template <class T>
bool both_subnormal_and_near(T a, T b) {
  constexpr T smallest = std::numeric_limits<T>::min();
  return std::fabs(a) <= smallest && std::fabs(b) <= smallest &&
         std::fabs(a - b) <= 2 * std::numeric_limits<T>::denorm_min();
}

template <class T>
std::vector<T> inputs_of(const ir::Op& op) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  constexpr T smallest = std::numeric_limits<T>::min();
  constexpr T largest = std::numeric_limits<T>::max();
  std::vector<T> inputs = {
      0,  T(-0.0), 1,        -1,        infinity, -infinity, std::numeric_limits<T>::quiet_NaN(),
      2,  T(0.5),  smallest, -smallest, largest,  -largest,  smallest / 8,
      50, -50};
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(op.samples.get().low, op.samples.get().high);
  std::uniform_real_distribution<double> exponent(-30, 30);
  while (inputs.size() < 512)
    inputs.push_back(inputs.size() % 3 == 0
                         ? static_cast<T>(std::exp2(exponent(random)) * (inputs.size() % 2 == 0 ? 1 : -1))
                         : static_cast<T>(uniform(random)));
  return inputs;
}

template <class T>
void compare_rows_with_plain_numbers(const codegen::Target& target, int width) {
  constexpr bool single = std::is_same_v<T, float>;
  codegen::Jit jit = make_jit(target);
  auto context = std::make_unique<llvm::LLVMContext>();
  auto module = jit.make_module(*context, "rows");
  emit_rows(*module, target, width, single);
  const codegen::CompiledCode code = jit.compile(std::move(context), std::move(module));

  testing::PlainLanes<T> plain(&find_symbol);
  for (const ir::Op* op : catalog::ops()) {
    const auto function = code.function<void (*)(const T*, T*)>("row_" + std::string(op->name));
    const std::vector<T> samples = inputs_of<T>(*op);
    const auto arity = static_cast<std::size_t>(op->arity.get());
    const auto lanes = static_cast<std::size_t>(width);
    std::vector<T> block(arity * lanes);
    std::vector<T> result(lanes);
    for (std::size_t base = 0; base < samples.size(); base += lanes) {
      for (std::size_t k = 0; k < arity; ++k)
        for (std::size_t lane = 0; lane < lanes; ++lane) {
          T x = samples[(base + lane) * (2 * k + 1) % samples.size()];
          if (element_of(*op, k) == ir::Element::integer)
            x = std::isnan(x) ? T(0) : std::nearbyint(std::fmax(T(-1000), std::fmin(T(1000), x)));
          block[k * lanes + lane] = x;
        }
      function(block.data(), result.data());
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        std::vector<double> inputs(arity);
        std::vector<ir::Element> elements(arity);
        for (std::size_t k = 0; k < arity; ++k) {
          inputs[k] = static_cast<double>(block[k * lanes + lane]);
          elements[k] = element_of(*op, k);
        }
        const T expected = static_cast<T>(plain.run(*op, inputs, elements));
        if (!same_bits_or_nan(result[lane], expected) && !both_subnormal_and_near(result[lane], expected)) {
          INFO(op->name << "(" << inputs[0] << (arity > 1 ? ", " + std::to_string(inputs[1]) : std::string())
                        << ") at width " << width);
          CHECK(result[lane] == expected);
        }
      }
    }
  }
}

} // namespace

TEST_CASE("Rows on vectors equal rows on plain numbers") {
  const codegen::Target target = codegen::host_target();
  for (const int width : {1, 4, 8, 16}) {
    compare_rows_with_plain_numbers<float>(target, width);
    if (width < 16)
      compare_rows_with_plain_numbers<double>(target, width);
  }
  SUCCEED();
}

TEST_CASE("Rows without AVX-512 instructions equal rows on plain numbers") {
  codegen::Target target = codegen::host_target(32);
  target.has_avx512 = false;
  for (const int width : {1, 8})
    compare_rows_with_plain_numbers<float>(target, width);
  for (const int width : {1, 4})
    compare_rows_with_plain_numbers<double>(target, width);
  SUCCEED();
}

namespace {

/** `void draw(const u32* rows, const u32* elements, u32* words, T* uniforms, T* normals, u32 low, high, step,
 * stream)` */
void emit_draws(llvm::Module& module, const codegen::Target& target, int width, bool single) {
  llvm::LLVMContext& context = module.getContext();
  llvm::IRBuilder<> builder(context);
  llvm::Type* pointer = builder.getPtrTy();
  llvm::Type* word = builder.getInt32Ty();
  auto* function = llvm::Function::Create(
      llvm::FunctionType::get(builder.getVoidTy(),
                              {pointer, pointer, pointer, pointer, pointer, word, word, word, word}, false),
      llvm::Function::ExternalLinkage, "draw", module);
  builder.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
  LlvmLanes lanes(builder, target, width, single);
  const llvm::Align align(4);
  codegen::DrawLanes place;
  place.row = builder.CreateAlignedLoad(lanes.integer_type(), function->getArg(0), align);
  place.element = builder.CreateAlignedLoad(lanes.integer_type(), function->getArg(1), align);
  place.key_low = function->getArg(5);
  place.key_high = function->getArg(6);
  place.step = function->getArg(7);
  place.stream = function->getArg(8);
  const auto block = codegen::draw_block(lanes, place);
  for (unsigned k = 0; k < 4; ++k)
    builder.CreateAlignedStore(
        block[k], builder.CreateConstGEP1_32(lanes.integer_type(), function->getArg(2), k), align);
  builder.CreateAlignedStore(codegen::standard_uniform(lanes, place), function->getArg(3), align);
  builder.CreateAlignedStore(codegen::standard_normal(lanes, place), function->getArg(4), align);
  builder.CreateRetVoid();
}

template <class T>
void compare_draws(int width) {
  constexpr bool single = std::is_same_v<T, float>;
  const codegen::Target target = codegen::host_target();
  codegen::Jit jit = make_jit(target);
  auto context = std::make_unique<llvm::LLVMContext>();
  auto module = jit.make_module(*context, "draws");
  emit_draws(*module, target, width, single);
  const codegen::CompiledCode code = jit.compile(std::move(context), std::move(module));
  using Draw = void (*)(const std::uint32_t*, const std::uint32_t*, std::uint32_t*, T*, T*, std::uint32_t,
                        std::uint32_t, std::uint32_t, std::uint32_t);
  const auto draw = code.function<Draw>("draw");

  const auto precision = single ? runtime::DrawPrecision::f32 : runtime::DrawPrecision::f64;
  const double tolerance = single ? 1e-6 : 1e-14;
  const auto lanes = static_cast<std::size_t>(width);
  std::mt19937 random(5);
  std::vector<std::uint32_t> rows(lanes), elements(lanes), words(4 * lanes);
  std::vector<T> uniforms(lanes), normals(lanes);
  double worst = 0;
  for (int repetition = 0; repetition < 2000; ++repetition) {
    const std::uint64_t seed = std::uint64_t{random()} << 32 | random();
    const std::uint32_t step = random();
    const std::uint32_t stream = random();
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      rows[lane] = random();
      elements[lane] = random() % 1000;
    }
    draw(rows.data(), elements.data(), words.data(), uniforms.data(), normals.data(),
         static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32), step, stream);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const auto block = runtime::draw_block({seed, step, stream, rows[lane], elements[lane]});
      for (std::size_t k = 0; k < 4; ++k)
        REQUIRE(words[k * lanes + lane] == block[k]);
      REQUIRE(static_cast<double>(uniforms[lane]) == runtime::standard_uniform(block, precision));
      const double normal = runtime::standard_normal(block, precision);
      const double error =
          std::fabs(static_cast<double>(normals[lane]) - normal) / std::fmax(1.0, std::fabs(normal));
      worst = std::fmax(worst, error);
    }
  }
  INFO("width " << width);
  CHECK(worst < tolerance);
}

} // namespace

TEST_CASE("Draws on lanes are the runtime's draws") {
  for (const int width : {1, 4, 8, 16}) {
    compare_draws<float>(width);
    compare_draws<double>(width);
  }
}
