#include "compiler/codegen/lower.hpp"

namespace plait::codegen {

/** Calls the runtime's matrix functions, which want row-major matrices: rows of a plate, which lie lane by
 * lane, are copied out and back one by one. */
void Lowering::lower_algebra(NodeId id) {
  const Node& at = node(id);
  const bool is_solve = at.kind == Kind::solve_lower;
  const std::string suffix = options_.single_precision ? "_f32" : "_f64";
  llvm::Type* word = builder_.getInt64Ty();
  llvm::Type* pointer_type = builder_.getPtrTy();
  llvm::Value* size = extent(type(at.operands[0]).shape[0]);
  llvm::Value* columns = is_solve ? (at.type.shape.size() == 2 ? extent(at.type.shape[1]) : i64(1)) : size;

  const auto call = [&](const std::vector<llvm::Value*>& operands, llvm::Value* result) {
    llvm::Type* nothing = builder_.getVoidTy();
    if (at.kind == Kind::cholesky) {
      auto* signature =
          llvm::FunctionType::get(builder_.getInt32Ty(), {word, pointer_type, pointer_type}, false);
      builder_.CreateCall(module_.getOrInsertFunction("plait_cholesky" + suffix, signature),
                          {size, operands[0], result});
      return;
    }
    if (is_solve) {
      auto* signature = llvm::FunctionType::get(
          nothing, {word, word, pointer_type, builder_.getInt32Ty(), pointer_type, pointer_type}, false);
      builder_.CreateCall(
          module_.getOrInsertFunction("plait_triangular_solve" + suffix, signature),
          {size, columns, operands[0], builder_.getInt32(at.transposed), operands[1], result});
      return;
    }
    auto* signature =
        llvm::FunctionType::get(nothing, {word, pointer_type, pointer_type, pointer_type}, false);
    builder_.CreateCall(module_.getOrInsertFunction("plait_cholesky_reverse" + suffix, signature),
                        {size, operands[0], operands[1], result});
    // The runtime's derivative is that of one number for both symmetric entries; ours shares it between them.
    loop(i64(0), size, i64(1), [&](llvm::Value* i) {
      loop(i64(0), i, i64(1), [&](llvm::Value* j) {
        const auto place = [&](llvm::Value* row, llvm::Value* column) {
          return builder_.CreateGEP(real_, result, builder_.CreateAdd(builder_.CreateMul(row, size), column));
        };
        llvm::Value* half =
            builder_.CreateFMul(builder_.CreateLoad(real_, place(i, j)), llvm::ConstantFP::get(real_, 0.5));
        builder_.CreateStore(half, place(i, j));
        builder_.CreateStore(half, place(j, i));
      });
    });
  };

  std::vector<AxisId> axes = at.type.axes;
  if (phase_->home != passes::no_axis)
    std::erase(axes, phase_->home);
  std::vector<Extent> extents;
  for (AxisId axis : axes)
    extents.push_back(graph_.axis(axis).extent);
  const auto lane_axis = [&](NodeId value) {
    return schedule_.buffers[static_cast<std::size_t>(placement(value).buffer)].lane_axis;
  };
  // Rows of a plate lie lane by lane: such matrices are scattered in memory.
  const auto scattered = [&](NodeId value) { return lane_axis(value) != passes::no_axis; };
  std::vector<NodeId> involved = at.operands;
  involved.push_back(id);
  const bool per_lane = phase_->home != passes::no_axis &&
                        std::any_of(involved.begin(), involved.end(),
                                    [&](NodeId value) { return lane_axis(value) == phase_->home; });

  for_each(extents, [&](const std::vector<Coordinate>& indices) {
    Point point;
    for (std::size_t k = 0; k < axes.size(); ++k)
      point.set_axis(axes[k], indices[k]);
    if (phase_->home != passes::no_axis)
      point.set_axis(phase_->home, home_);
    const auto matrix_at = [&](NodeId value, llvm::Value* row, llvm::Value* column) {
      Point place = point;
      place.dims = {{row, false, nullptr}};
      if (type(value).shape.size() == 2)
        place.dims.push_back({column, false, nullptr});
      return buffer_index(placement(value).buffer, place).base;
    };
    const auto pointer_to = [&](NodeId value, llvm::Value* offset) {
      return element_pointer(buffer_memory(placement(value).buffer), offset);
    };
    const auto columns_of = [&](NodeId value) {
      return type(value).shape.size() == 2 ? extent(type(value).shape[1]) : i64(1);
    };
    const auto each_element = [&](NodeId value, llvm::Value* lane, llvm::Value* scratch, bool out) {
      loop(i64(0), size, i64(1), [&](llvm::Value* i) {
        loop(i64(0), columns_of(value), i64(1), [&](llvm::Value* j) {
          llvm::Value* spread = pointer_to(value, lane && lane_axis(value) == phase_->home
                                                      ? builder_.CreateAdd(matrix_at(value, i, j), lane)
                                                      : matrix_at(value, i, j));
          llvm::Value* dense = builder_.CreateGEP(
              real_, scratch, builder_.CreateAdd(builder_.CreateMul(i, columns_of(value)), j));
          builder_.CreateStore(builder_.CreateLoad(real_, out ? dense : spread), out ? spread : dense);
        });
      });
    };
    const auto run = [&](llvm::Value* lane) {
      std::vector<llvm::Value*> pointers;
      for (NodeId value : involved) {
        if (!scattered(value)) {
          pointers.push_back(pointer_to(value, matrix_at(value, i64(0), i64(0))));
          continue;
        }
        llvm::AllocaInst* scratch = builder_.CreateAlloca(real_, builder_.CreateMul(size, columns_of(value)));
        scratch->setAlignment(llvm::Align(64));
        if (value != id)
          each_element(value, lane, scratch, false);
        pointers.push_back(scratch);
      }
      llvm::Value* result = pointers.back();
      pointers.pop_back();
      call(pointers, result);
      if (scattered(id))
        each_element(id, lane, result, true);
    };
    if (!per_lane) {
      llvm::Value* saved = builder_.CreateStackSave();
      run(nullptr);
      builder_.CreateStackRestore(saved);
      return;
    }
    llvm::Value* used =
        builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, active_rows_, i64(schedule_.lanes));
    loop(i64(0), used, i64(1), [&](llvm::Value* lane) {
      llvm::Value* saved = builder_.CreateStackSave();
      run(lane);
      builder_.CreateStackRestore(saved);
    });
  });
}

} // namespace plait::codegen
