#pragma once

#include "compiler/program/program.hpp"

#include <string>
#include <vector>

namespace plait::plates {

/// One opening of a plate in a block, with the openings inside it.
struct PlateNode {
  program::PlateId plate = -1;
  Span span;
  std::vector<std::string> sites; ///< sampled or observed directly here, not deeper
  std::vector<PlateNode> children;
};

/// The plates of a block as they nest; the root has plate -1 and holds what is outside all plates. Openings
/// of one plate at the same place are one node.
PlateNode find_plate_tree(const program::Program& program, const program::Block& block);

/// One line per plate, indented: `iarange i in N subsample 256: z, image`.
std::string print_plate_tree(const program::Program& program, const PlateNode& root);

} // namespace plait::plates
