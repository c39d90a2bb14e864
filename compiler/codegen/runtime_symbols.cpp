#include "compiler/codegen/runtime_symbols.hpp"

#include "runtime/jit_functions.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace plait::codegen {

namespace {

template <class Function>
RuntimeSymbol symbol(std::string_view name, Function* function) {
  return {name, reinterpret_cast<void*>(function)};
}

std::vector<RuntimeSymbol> collect() {
  using Unary = double(double);
  using UnarySingle = float(float);
  using Ternary = double(double, double, double);
  using TernarySingle = float(float, float, float);
  std::vector<RuntimeSymbol> all = {
      // What LLVM emits by itself: block moves, and roundings and fused products of machines without them.
      symbol("memcpy", std::memcpy),
      symbol("memmove", std::memmove),
      symbol("memset", std::memset),
      symbol<Unary>("floor", std::floor),
      symbol<UnarySingle>("floorf", std::floor),
      symbol<Unary>("roundeven", nearbyint),
      symbol<UnarySingle>("roundevenf", nearbyintf),
      symbol<Ternary>("fma", std::fma),
      symbol<TernarySingle>("fmaf", std::fma),
  };
  for (const runtime::JitFunction& function : runtime::jit_functions())
    all.push_back({function.name, function.address});
  std::sort(all.begin(), all.end(),
            [](const RuntimeSymbol& a, const RuntimeSymbol& b) { return a.name < b.name; });
  return all;
}

} // namespace

std::span<const RuntimeSymbol> runtime_symbols() {
  static const std::vector<RuntimeSymbol> all = collect();
  return all;
}

} // namespace plait::codegen
