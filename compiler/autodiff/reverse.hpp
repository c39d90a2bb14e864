/** \file
 * Reverse-mode differentiation as a transformation of tensor IR: the code of the derivative is appended to
 * the graph of the function.
 *
 * - An adjoint has the type of its node; contributions are summed down to it where the node was broadcast.
 * - A loop is differentiated by a loop that runs the other way and carries the adjoints of the carried
 * values. What it needs of an iteration is recomputed where that is cheap, else kept by a further `stacked`
 * result of the forward loop. Adjoints of values from outside of the body are `accumulated` results, or
 * `stacked` ones where the body reads row `loop_index` of the value in iteration `loop_index`.
 * - reduce_max hands its adjoint to the largest elements, in equal parts when several tie.
 * - Where a select switches a branch off, nothing flows into it, not even NaN from a derivative that is
 * infinite there. The same holds for values of a summed-out variable that cannot be, whose adjoint is 0.
 * - Draws have no derivative; log_gamma_draw attaches one to a gamma draw. Masks and integers have none.
 */
#pragma once

#include "compiler/tensor_ir/build.hpp"

#include <span>
#include <vector>

namespace plait::autodiff {

/** d loss / d x for every x of `with_respect_to`, each typed like its x; zeros where the loss does not depend
 * on x. `loss` is a real scalar without axes; it and every x lie in the current region of the builder, to
 * which the code is appended. Any real node may be an x: the derivative is the total one, through everything
 * computed from the node. For a `parameter` node it covers every node that reads the same parameter, wherever
 * it lies. Nodes of `held` are constants: nothing flows through them. May be called repeatedly on one graph.
 * Throws std::logic_error when a condition is not met or a needed rule does not exist (second derivatives of
 * Cholesky factors). */
std::vector<ir::Value> gradients(ir::Builder& builder, ir::Value loss,
                                 std::span<const ir::Value> with_respect_to,
                                 std::span<const ir::NodeId> held = {});

} // namespace plait::autodiff
