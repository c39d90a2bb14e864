#pragma once

#include "grammar/ast.hpp"
#include "grammar/diagnostic.hpp"
#include "grammar/source.hpp"

namespace plait {

/// Reads a model file. Syntax errors go to `diagnostics`, several from one run where the parser finds its
/// feet again after an error; the program then holds what could be read and must not be used further. Any
/// bytes are accepted as input: nothing here throws on bad text.
ast::Program parse(const Source& source, Diagnostics& diagnostics);

} // namespace plait
