/** \file
 * The list of guide families. A new one is a file beside this one and a line here.
 */
#pragma once

#include "compiler/guide/family.hpp"

#define PLAIT_FAMILIES(ROW)                                                                                  \
  ROW(amortized_family)                                                                                      \
  ROW(coupling_family)                                                                                       \
  ROW(delta_family)                                                                                          \
  ROW(full_rank_family)                                                                                      \
  ROW(iaf_family)                                                                                            \
  ROW(laplace_family)                                                                                        \
  ROW(low_rank_family)                                                                                       \
  ROW(normal_family)                                                                                         \
  ROW(structured_family)

namespace plait::guide {

#define PLAIT_DECLARE_ROW(name) extern const FamilyRow name;
PLAIT_FAMILIES(PLAIT_DECLARE_ROW)
#undef PLAIT_DECLARE_ROW

} // namespace plait::guide
