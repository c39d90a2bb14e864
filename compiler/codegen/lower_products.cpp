#include "compiler/codegen/lower.hpp"

#include <stdexcept>

namespace plait::codegen {

using passes::Product;

Lowering::Matrix Lowering::rows_matrix(NodeId id) {
  const int index = placement(id).buffer;
  const Buffer& buffer = schedule_.buffers[static_cast<std::size_t>(index)];
  const Memory memory = buffer_memory(index);
  if (buffer.place == Place::tile)
    return {memory.pointer, i64(buffer.lane_rows)};
  const std::int64_t lanes = schedule_.lanes;
  llvm::Value* rows = axis_extent(buffer.lane_axis);
  rows = builder_.CreateAnd(builder_.CreateAdd(rows, i64(lanes - 1)), i64(-lanes));
  return {element_pointer(memory, tile_start_), rows};
}

Lowering::Matrix Lowering::shared_matrix(NodeId id) {
  llvm::Value* columns = extent(type(id).shape.back());
  if (placement(id).place != Place::inlined)
    return {buffer_memory(placement(id).buffer).pointer, columns};
  if (node(id).kind != Kind::parameter)
    throw std::logic_error("lowering: a matrix without memory");
  return {external_pointer(0, node(id).index), columns};
}

void Lowering::lower_product(const Statement& statement) {
  const Product product = *passes::find_product(graph_, statement.node);
  llvm::Value* m = extent(product.m);
  llvm::Value* n = extent(product.n);
  llvm::Value* k = extent(product.k);
  Matrix a{}, b{}, c{};
  bool accumulate = false;
  switch (product.form) {
  case Product::Form::of_rows:
    a = shared_matrix(product.a);
    b = rows_matrix(product.b);
    c = rows_matrix(statement.node);
    n = tile_count_;
    break;
  case Product::Form::over_rows:
    a = rows_matrix(product.a);
    b = rows_matrix(product.b);
    c = {buffer_memory(statement.accumulator).pointer, n};
    k = tile_count_;
    accumulate = true;
    break;
  case Product::Form::at_root:
    a = shared_matrix(product.a);
    b = shared_matrix(product.b);
    c = shared_matrix(statement.node);
    break;
  }
  llvm::Type* word = builder_.getInt64Ty();
  llvm::Type* pointer = builder_.getPtrTy();
  llvm::Type* flag = builder_.getInt32Ty();
  auto* signature = llvm::FunctionType::get(
      builder_.getVoidTy(),
      {word, word, word, real_, pointer, word, flag, pointer, word, flag, pointer, word, flag}, false);
  const auto callee =
      module_.getOrInsertFunction(options_.single_precision ? "plait_gemm_f32" : "plait_gemm_f64", signature);
  builder_.CreateCall(callee, {m, n, k, llvm::ConstantFP::get(real_, 1), a.pointer, a.leading,
                               builder_.getInt32(product.transpose_a), b.pointer, b.leading,
                               builder_.getInt32(product.transpose_b), c.pointer, c.leading,
                               builder_.getInt32(accumulate)});
}

/** Squares of the data, one row a register, are turned in registers to one element a register. */
void Lowering::lower_data_rows(NodeId id) {
  const Node& at = node(id);
  const bool converts = at.kind == Kind::map;
  const Node& gathered = converts ? node(at.operands[0]) : at;
  const Node& source = node(gathered.operands[0]);
  const ir::DataArray& declared = graph_.data[static_cast<std::size_t>(source.index)];
  const std::int64_t elements = passes::known_elements(graph_, {}, at.type.shape);
  const std::int64_t lanes_count = schedule_.lanes;
  Point rows_point;
  rows_point.set_axis(phase_->home, home_);
  const ir::Axis& axis = graph_.axis(phase_->home);
  std::vector<llvm::Value*> rows;
  const Coordinate row = row_coordinate(phase_->home, rows_point);
  for (std::int64_t lane = 0; lane < lanes_count; ++lane) {
    if (axis.subsampled) {
      rows.push_back(builder_.CreateExtractElement(row.lanes, static_cast<std::uint64_t>(lane)));
    } else { // lanes beyond the last row read the last row
      llvm::Value* last = builder_.CreateSub(axis_extent(phase_->home), i64(1));
      rows.push_back(builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin,
                                                    builder_.CreateAdd(row.base, i64(lane)), last));
    }
    rows.back() = builder_.CreateMul(rows.back(), i64(elements));
  }
  const Memory memory = data_memory(source.index);
  llvm::Value* last_block = i64(elements - lanes_count);
  llvm::Value* end = i64((elements + lanes_count - 1) / lanes_count * lanes_count);
  loop(i64(0), end, i64(lanes_count), [&](llvm::Value* step) {
    // The last block overlaps the one before rather than reading behind the row.
    llvm::Value* first = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, step, last_block);
    llvm::Value* mask = mask_;
    mask_ = nullptr; // every row exists
    std::vector<llvm::Value*> square;
    for (llvm::Value* start : rows) {
      llvm::Value* value = load(memory, {builder_.CreateAdd(start, first), true, nullptr}, declared.element);
      if (declared.element == Element::boolean)
        value = converts ? builder_.CreateUIToFP(value, vector_of(real_))
                         : builder_.CreateZExt(value, vector_of(builder_.getInt8Ty()));
      else if (converts)
        value = builder_.CreateSIToFP(value, vector_of(real_));
      square.push_back(value);
    }
    // A transposition of W x W is log2(W) perfect shuffles of its rows.
    llvm::SmallVector<int, 64> low, high;
    for (int i = 0; i < static_cast<int>(lanes_count) / 2; ++i) {
      low.insert(low.end(), {i, i + static_cast<int>(lanes_count)});
      high.insert(high.end(),
                  {i + static_cast<int>(lanes_count) / 2, i + static_cast<int>(lanes_count) * 3 / 2});
    }
    for (std::int64_t round = 1; round < lanes_count; round *= 2) {
      std::vector<llvm::Value*> next;
      const std::size_t half = square.size() / 2;
      for (std::size_t i = 0; i < half; ++i) {
        next.push_back(builder_.CreateShuffleVector(square[i], square[i + half], low));
        next.push_back(builder_.CreateShuffleVector(square[i], square[i + half], high));
      }
      square = std::move(next);
    }
    mask_ = mask;
    for (std::int64_t e = 0; e < lanes_count; ++e) {
      Point point = rows_point;
      point.dims = unflatten({builder_.CreateAdd(first, i64(e)), false, nullptr}, at.type.shape);
      llvm::Value* value = square[static_cast<std::size_t>(e)];
      if (value->getType()->getScalarType()->isIntegerTy(8))
        value = builder_.CreateICmpNE(value, llvm::Constant::getNullValue(value->getType()));
      store_placed(placement(id), point, value);
    }
  });
}

} // namespace plait::codegen
