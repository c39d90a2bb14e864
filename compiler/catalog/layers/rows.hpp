/** \file
 * The list of layers. A new one is a file beside this one and a line here.
 */
#pragma once

#include "compiler/catalog/layer.hpp"

#define PLAIT_LAYERS(ROW)                                                                                    \
  ROW(embedding)                                                                                             \
  ROW(gru)                                                                                                   \
  ROW(layer_norm)                                                                                            \
  ROW(linear)                                                                                                \
  ROW(linear_no_bias)                                                                                        \
  ROW(lstm)                                                                                                  \
  ROW(masked_linear)                                                                                         \
  ROW(rnn)

namespace plait::catalog::row {

#define PLAIT_DECLARE_ROW(name) extern const Layer name;
PLAIT_LAYERS(PLAIT_DECLARE_ROW)
#undef PLAIT_DECLARE_ROW

} // namespace plait::catalog::row
