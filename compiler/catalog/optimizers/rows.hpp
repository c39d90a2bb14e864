/** \file
 * The list of optimizers. A new one is a file beside this one and a line here.
 */
#pragma once

#include "compiler/catalog/optimizer.hpp"

#define PLAIT_OPTIMIZERS(ROW)                                                                                \
  ROW(adagrad)                                                                                               \
  ROW(adam)                                                                                                  \
  ROW(clipped_adam)                                                                                          \
  ROW(rmsprop)                                                                                               \
  ROW(sgd)

namespace plait::catalog::row {

#define PLAIT_DECLARE_ROW(name) extern const Optimizer name;
PLAIT_OPTIMIZERS(PLAIT_DECLARE_ROW)
#undef PLAIT_DECLARE_ROW

} // namespace plait::catalog::row
