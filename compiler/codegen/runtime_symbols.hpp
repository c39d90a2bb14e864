/** \file
 * The C functions that generated code may call, by name: the runtime's, and the few of the C library that the
 * code generator itself falls back on. Nothing else is visible to generated code.
 */
#pragma once

#include <span>
#include <string_view>

namespace plait::codegen {

struct RuntimeSymbol {
  std::string_view name;
  void* address;
};

/** All of them, sorted by name. */
std::span<const RuntimeSymbol> runtime_symbols();

} // namespace plait::codegen
