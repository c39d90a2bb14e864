/** \file
 * The rows of the family table, one file each. */
#pragma once

#include "compiler/guide/family.hpp"

namespace plait::guide {

extern const FamilyRow amortized_family;
extern const FamilyRow coupling_family;
extern const FamilyRow delta_family;
extern const FamilyRow full_rank_family;
extern const FamilyRow iaf_family;
extern const FamilyRow laplace_family;
extern const FamilyRow low_rank_family;
extern const FamilyRow normal_family;
extern const FamilyRow structured_family;

} // namespace plait::guide
