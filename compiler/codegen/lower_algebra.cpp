// Calls of the runtime's dense linear algebra. It wants row-major matrices: those of a plate's rows, which
// lie lane by lane, are copied out and back one by one.
#include "compiler/codegen/lower.hpp"

#include <algorithm>

namespace plait::codegen {

AxisId Lowering::lane_axis(NodeId value) const {
  return schedule_.buffers[static_cast<std::size_t>(placement(value).buffer)].lane_axis;
}

llvm::Value* Lowering::columns_of(NodeId matrix) {
  return type(matrix).shape.size() == 2 ? extent(type(matrix).shape[1]) : i64(1);
}

llvm::Value* Lowering::matrix_element(NodeId matrix, Point point, llvm::Value* row, llvm::Value* column,
                                      llvm::Value* lane) {
  point.dims = {{row, false, nullptr}};
  if (type(matrix).shape.size() == 2)
    point.dims.push_back({column, false, nullptr});
  llvm::Value* index = buffer_index(placement(matrix).buffer, point).base;
  if (lane && lane_axis(matrix) == phase_->home)
    index = builder_.CreateAdd(index, lane);
  return element_pointer(buffer_memory(placement(matrix).buffer), index);
}

void Lowering::copy_matrix(NodeId matrix, const Point& point, llvm::Value* lane, llvm::Value* dense,
                           bool out) {
  loop(i64(0), extent(type(matrix).shape[0]), i64(1), [&](llvm::Value* i) {
    loop(i64(0), columns_of(matrix), i64(1), [&](llvm::Value* j) {
      llvm::Value* spread = matrix_element(matrix, point, i, j, lane);
      llvm::Value* copy =
          builder_.CreateGEP(real_, dense, builder_.CreateAdd(builder_.CreateMul(i, columns_of(matrix)), j));
      builder_.CreateStore(builder_.CreateLoad(real_, out ? copy : spread), out ? spread : copy);
    });
  });
}

void Lowering::call_algebra(NodeId id, const std::vector<llvm::Value*>& operands, llvm::Value* result) {
  const Node& at = node(id);
  const std::string suffix = options_.single_precision ? "_f32" : "_f64";
  llvm::Type* pointer = builder_.getPtrTy();
  llvm::Value* size = extent(type(at.operands[0]).shape[0]);
  const auto call = [&](const std::string& name, llvm::Type* returned,
                        const std::vector<llvm::Value*>& arguments) {
    std::vector<llvm::Type*> types;
    for (llvm::Value* argument : arguments)
      types.push_back(argument->getType()->isPointerTy() ? pointer : argument->getType());
    auto* signature = llvm::FunctionType::get(returned, types, false);
    builder_.CreateCall(module_.getOrInsertFunction(name + suffix, signature), arguments);
  };
  if (at.kind == Kind::cholesky) {
    call("plait_cholesky", builder_.getInt32Ty(), {size, operands[0], result});
    return;
  }
  if (at.kind == Kind::solve_lower) {
    call("plait_triangular_solve", builder_.getVoidTy(),
         {size, columns_of(id), operands[0], builder_.getInt32(at.transposed), operands[1], result});
    return;
  }
  call("plait_cholesky_reverse", builder_.getVoidTy(), {size, operands[0], operands[1], result});
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
}

void Lowering::lower_algebra_at(NodeId id, const Point& point, llvm::Value* lane) {
  llvm::Value* saved = builder_.CreateStackSave();
  std::vector<llvm::Value*> pointers;
  std::vector<NodeId> matrices = node(id).operands;
  matrices.push_back(id);
  for (NodeId matrix : matrices) {
    if (lane_axis(matrix) == passes::no_axis) {
      pointers.push_back(matrix_element(matrix, point, i64(0), i64(0), lane));
      continue;
    }
    llvm::Value* elements = builder_.CreateMul(extent(type(matrix).shape[0]), columns_of(matrix));
    llvm::AllocaInst* dense = builder_.CreateAlloca(real_, elements);
    dense->setAlignment(llvm::Align(64));
    if (matrix != id)
      copy_matrix(matrix, point, lane, dense, false);
    pointers.push_back(dense);
  }
  llvm::Value* result = pointers.back();
  pointers.pop_back();
  call_algebra(id, pointers, result);
  if (lane_axis(id) != passes::no_axis)
    copy_matrix(id, point, lane, result, true);
  builder_.CreateStackRestore(saved);
}

void Lowering::lower_algebra(NodeId id) {
  std::vector<AxisId> axes = type(id).axes;
  if (phase_->home != passes::no_axis)
    std::erase(axes, phase_->home);
  std::vector<Extent> extents;
  for (AxisId axis : axes)
    extents.push_back(graph_.axis(axis).extent);
  const std::vector<NodeId>& operands = node(id).operands;
  const auto by_lane = [&](NodeId matrix) { return lane_axis(matrix) == phase_->home; };
  const bool per_lane = phase_->home != passes::no_axis &&
                        (by_lane(id) || std::any_of(operands.begin(), operands.end(), by_lane));
  for_each(extents, [&](const std::vector<Coordinate>& indices) {
    Point point;
    for (std::size_t k = 0; k < axes.size(); ++k)
      point.set_axis(axes[k], indices[k]);
    if (phase_->home != passes::no_axis)
      point.set_axis(phase_->home, home_);
    if (!per_lane) {
      lower_algebra_at(id, point, nullptr);
      return;
    }
    llvm::Value* used =
        builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, active_rows_, i64(schedule_.lanes));
    loop(i64(0), used, i64(1), [&](llvm::Value* lane) { lower_algebra_at(id, point, lane); });
  });
}

} // namespace plait::codegen
