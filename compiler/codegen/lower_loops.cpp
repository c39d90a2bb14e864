#include "compiler/codegen/lower.hpp"

#include <algorithm>
#include <stdexcept>

namespace plait::codegen {

using ir::LoopResult;

void Lowering::copy_value(const Type& type, const Placement& from, const Placement& to) {
  for_each_point(
      type, [&](const Point& point) { store_placed(to, point, load_placed(from, point, type.element)); });
}

void Lowering::lower_loop(const Statement& statement) {
  const ir::Loop& owner = graph_.loop_of(statement.node);
  std::vector<NodeId> results;
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id)
    if (graph_.nodes[id].kind == Kind::loop_result && graph_.nodes[id].operands[0] == statement.node &&
        schedule_.placements[id].place != Place::inlined)
      results.push_back(static_cast<NodeId>(id));
  const auto next_value = [&](NodeId argument) {
    return schedule_.next_values[static_cast<std::size_t>(argument)];
  };

  const auto is_own_sum = [&](NodeId result) {
    return node(result).result == LoopResult::accumulated &&
           std::none_of(statement.body.begin(), statement.body.end(),
                        [&](const Statement& part) { return part.target == result; });
  };
  const auto start = [&] {
    for (std::size_t k = 0; k < owner.arguments.size(); ++k)
      for_each_point(type(owner.arguments[k]), [&](const Point& point) {
        store_placed(placement(owner.arguments[k]), point, evaluate(owner.inits[k], point));
      });
    for (NodeId result : results)
      if (is_own_sum(result))
        for_each_point(type(result), [&](const Point& point) {
          llvm::Type* kind = scalar_type(type(result).element, passes::is_root_scalar(type(result)));
          store_placed(placement(result), point, llvm::Constant::getNullValue(kind));
        });
  };
  const bool has_lengths = owner.lengths != ir::no_node && phase_->home != passes::no_axis &&
                           type(owner.lengths).axes == std::vector<AxisId>{phase_->home};
  // In a loop by tiles some values of a row that is passed over were not computed; it takes `otherwise`.
  const auto if_concerned = [&](llvm::Value* value, llvm::Value* otherwise) {
    if (!has_lengths || !statement.by_tiles || !value->getType()->isVectorTy())
      return value;
    return builder_.CreateSelect(mask_, value, coerce(otherwise, value->getType()));
  };
  const auto zero = [&](llvm::Value* value) { return llvm::Constant::getNullValue(value->getType()); };
  const auto hand_over = [&](llvm::Value* index) {
    for (NodeId result : results) {
      const Node& at = node(result);
      const std::size_t k = static_cast<std::size_t>(at.index);
      if (at.result == LoopResult::stacked) {
        for_each_point(type(owner.stacked[k]), [&](const Point& point) {
          Point place = point;
          place.dims.insert(place.dims.begin(), {index, false, nullptr});
          llvm::Value* value = evaluate(owner.stacked[k], point);
          store_placed(placement(result), place, if_concerned(value, zero(value)));
        });
      } else if (is_own_sum(result)) {
        for_each_point(at.type, [&](const Point& point) {
          llvm::Value* term = evaluate(owner.accumulated[k], point);
          term = if_concerned(term, zero(term));
          llvm::Value* old = load_placed(placement(result), point, at.type.element);
          term = coerce(term, old->getType());
          store_placed(placement(result), point, combine(old, term, false));
        });
      }
    }
    for (std::size_t k = 0; k < owner.arguments.size(); ++k) {
      const NodeId argument = owner.arguments[k];
      for_each_point(type(argument), [&](const Point& point) {
        llvm::Value* next = evaluate(owner.nexts[k], point);
        if (has_lengths && statement.by_tiles)
          next = if_concerned(next, load_placed(placement(argument), point, type(argument).element));
        store_placed(next_value(argument), point, next);
      });
    }
    for (NodeId argument : owner.arguments)
      copy_value(type(argument), next_value(argument), placement(argument));
  };

  if (statement.by_tiles)
    for_each_lane_group(start);
  else
    start();
  llvm::Value* trips = extent(owner.trip_count);
  // Elements of rows that an iteration passes over.
  const auto clear = [&](llvm::Value* index) {
    for (NodeId result : results)
      if (node(result).result == LoopResult::stacked)
        for_each_point(type(owner.stacked[static_cast<std::size_t>(node(result).index)]), [&](Point point) {
          point.dims.insert(point.dims.begin(), {index, false, nullptr});
          store_placed(placement(result), point,
                       llvm::Constant::getNullValue(scalar_type(type(result).element, false)));
        });
  };
  if (!statement.by_tiles) {
    llvm::Value* reached = has_lengths ? longest_row(owner, trips) : trips;
    loop(i64(0), reached, i64(1), [&](llvm::Value* count) {
      llvm::Value* index =
          owner.reverse ? builder_.CreateSub(builder_.CreateSub(reached, i64(1)), count) : count;
      loop_indices_[owner.index] = index;
      for (const Statement& part : statement.body)
        lower(part);
      hand_over(index);
    });
    if (has_lengths)
      loop(reached, trips, i64(1), clear);
    return;
  }
  llvm::AllocaInst* filled = stack(builder_.getInt64Ty());
  builder_.CreateStore(i64(0), filled);
  loop(i64(0), trips, i64(1), [&](llvm::Value* count) {
    llvm::Value* index = owner.reverse ? builder_.CreateSub(builder_.CreateSub(trips, i64(1)), count) : count;
    loop_indices_[owner.index] = index;
    llvm::Value* all_rows = tile_count_;
    if (has_lengths)
      tile_count_ = rows_concerned(owner, index);
    llvm::Value* concerned = tile_count_;
    lower_segments(statement.body, statement.segments, false);
    gather_panels(statement, filled);
    for_each_lane_group([&] { hand_over(index); });
    tile_count_ = all_rows;
    if (has_lengths)
      for_each_lane_group([&] { clear(index); }, concerned);
  });
  multiply_panels(statement, filled);
}

/** Appends this iteration's rows to the panels; multiplies them when the next iteration may not fit. */
void Lowering::gather_panels(const Statement& statement, llvm::AllocaInst* filled) {
  if (statement.panels.empty())
    return;
  llvm::Type* word = builder_.getInt64Ty();
  llvm::Value* column = builder_.CreateLoad(word, filled);
  const llvm::Align align(real_->getScalarSizeInBits() / 8);
  for (const passes::Panel& panel : statement.panels) {
    const Matrix from = rows_matrix(panel.operand);
    const Memory to = buffer_memory(panel.buffer);
    llvm::Value* elements = i64(1);
    for (const Extent& e : type(panel.operand).shape)
      elements = builder_.CreateMul(elements, extent(e));
    loop(i64(0), elements, i64(1), [&](llvm::Value* element) {
      llvm::Value* source =
          builder_.CreateGEP(real_, from.pointer, builder_.CreateMul(element, from.leading));
      llvm::Value* target = element_pointer(
          to, builder_.CreateAdd(
                  builder_.CreateMul(element, i64(passes::panel_columns + passes::panel_padding)), column));
      loop(i64(0), tile_count_, i64(schedule_.lanes), [&](llvm::Value* row) {
        llvm::Value* values =
            builder_.CreateAlignedLoad(vector_of(real_), builder_.CreateGEP(real_, source, row), align);
        builder_.CreateAlignedStore(values, builder_.CreateGEP(real_, target, row), align);
      });
    });
  }
  llvm::Value* used = builder_.CreateAdd(column, tile_count_);
  builder_.CreateStore(used, filled);
  llvm::Value* full =
      builder_.CreateICmpSGT(builder_.CreateAdd(used, i64(phase_->tile_rows)), i64(passes::panel_columns));
  loop(i64(0), builder_.CreateZExt(full, word), i64(1),
       [&](llvm::Value*) { multiply_panels(statement, filled); });
}

void Lowering::multiply_panels(const Statement& statement, llvm::AllocaInst* filled) {
  const auto panel = [&](NodeId operand) -> Matrix {
    for (const passes::Panel& candidate : statement.panels)
      if (candidate.operand == operand)
        return {buffer_memory(candidate.buffer).pointer, i64(passes::panel_columns + passes::panel_padding)};
    throw std::logic_error("lowering: an operand without a panel");
  };
  llvm::Value* columns = builder_.CreateLoad(builder_.getInt64Ty(), filled);
  for (const Statement& part : statement.body) {
    if (!part.deferred)
      continue;
    const passes::Product product = *passes::find_product(graph_, part.node);
    llvm::Value* n = extent(product.n);
    call_product(part, product, n, columns, panel(product.a), panel(product.b),
                 {buffer_memory(part.accumulator).pointer, n}, builder_.getInt32(1));
  }
  builder_.CreateStore(i64(0), filled);
}

/** The number of iterations that concern any of the lanes' rows. */
llvm::Value* Lowering::longest_row(const ir::Loop& owner, llvm::Value* trips) {
  Point point;
  point.set_axis(phase_->home, home_);
  llvm::Value* lengths = as_vector(as_coordinate(evaluate(owner.lengths, point)));
  if (mask_)
    lengths = builder_.CreateSelect(mask_, lengths, llvm::Constant::getNullValue(lengths->getType()));
  llvm::Value* longest = horizontal(lengths, true);
  longest = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, longest, i64(0));
  return builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, longest, trips);
}

/** Rows of the tile up to the last one that iteration `index` concerns: all of them, when longer rows come
 * first. */
llvm::Value* Lowering::rows_concerned(const ir::Loop& owner, llvm::Value* index) {
  llvm::AllocaInst* last = stack(builder_.getInt64Ty());
  builder_.CreateStore(i64(0), last);
  for_each_lane_group([&] {
    memo_.emplace_back();
    Point point;
    point.set_axis(phase_->home, home_);
    llvm::Value* lengths = as_vector(as_coordinate(evaluate(owner.lengths, point)));
    memo_.pop_back();
    llvm::Value* concerned = builder_.CreateAnd(mask_, builder_.CreateICmpSGT(lengths, splat(index)));
    llvm::Value* numbers = builder_.CreateAdd(iota(), splat(builder_.CreateAdd(tile_offset_, i64(1))));
    numbers = builder_.CreateSelect(concerned, numbers, llvm::Constant::getNullValue(numbers->getType()));
    llvm::Value* old = builder_.CreateLoad(builder_.getInt64Ty(), last);
    builder_.CreateStore(
        builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, old, horizontal(numbers, true)), last);
  });
  return builder_.CreateLoad(builder_.getInt64Ty(), last);
}

} // namespace plait::codegen
