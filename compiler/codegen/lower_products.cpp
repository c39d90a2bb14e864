#include "compiler/codegen/lower.hpp"
#include "runtime/jit_functions.hpp"

#include <algorithm>
#include <set>
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

/** Whether a product is all that is added up in its accumulator, once per tile: then the first tile of a
 * chunk sets it, which saves clearing and reading a matrix as large as the weights. */
bool Lowering::overwrites(const Statement& statement) const {
  const auto alone = [&](const auto& self, const std::vector<Statement>& statements) -> bool {
    return std::all_of(statements.begin(), statements.end(), [&](const Statement& other) {
      return (&other == &statement || other.accumulator != statement.accumulator) && self(self, other.body);
    });
  };
  if (statement.kind != passes::StatementKind::product || statement.accumulator < 0)
    return false;
  // Not in loops: there a product adds up over the iterations.
  const bool outside_loops = std::any_of(phase_->statements.begin(), phase_->statements.end(),
                                         [&](const Statement& other) { return &other == &statement; });
  return outside_loops && alone(alone, phase_->statements);
}

void Lowering::lower_product(const Statement& statement) {
  if (statement.deferred)
    return;
  const Product product = *passes::find_product(graph_, statement.node);
  llvm::Value* n = extent(product.n);
  llvm::Value* k = extent(product.k);
  Matrix a{}, b{}, c{};
  llvm::Value* accumulate = builder_.getInt32(0);
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
    accumulate = overwrites(statement) ? builder_.CreateZExt(builder_.CreateICmpNE(tile_start_, chunk_start_),
                                                             builder_.getInt32Ty())
                                       : builder_.getInt32(1);
    break;
  case Product::Form::at_root:
    a = shared_matrix(product.a);
    b = shared_matrix(product.b);
    c = shared_matrix(statement.node);
    break;
  }
  call_product(statement, product, n, k, a, b, c, accumulate);
}

void Lowering::call_product(const Statement& statement, const Product& product, llvm::Value* n,
                            llvm::Value* k, const Matrix& a, const Matrix& b, const Matrix& c,
                            llvm::Value* accumulate) {
  llvm::Value* m = extent(product.m);
  // What was computed before a plate's rows stays as it is while they are walked through.
  const bool is_constant =
      product.form == Product::Form::of_rows && node(product.a).region == ir::root_region;
  const int a_form =
      (product.transpose_a ? runtime::gemm_transposed : 0) | (is_constant ? runtime::gemm_constant : 0);
  llvm::Type* word = builder_.getInt64Ty();
  llvm::Type* pointer = builder_.getPtrTy();
  llvm::Type* flag = builder_.getInt32Ty();
  llvm::Value* factor = sum_factor(statement, real_);
  if (!factor)
    factor = llvm::ConstantFP::get(real_, 1);
  auto* signature = llvm::FunctionType::get(
      builder_.getVoidTy(),
      {word, word, word, real_, pointer, word, flag, pointer, word, flag, pointer, word, flag}, false);
  const auto callee =
      module_.getOrInsertFunction(options_.single_precision ? "plait_gemm_f32" : "plait_gemm_f64", signature);
  builder_.CreateCall(callee, {m, n, k, factor, a.pointer, a.leading,
                               builder_.getInt32(static_cast<std::uint32_t>(a_form)), b.pointer, b.leading,
                               builder_.getInt32(product.transpose_b), c.pointer, c.leading, accumulate});
}

/** Drawn rows lie anywhere in memory: those that a later lane group will read are fetched ahead. */
void Lowering::fetch_rows_ahead() {
  constexpr std::int64_t line = 64, rows_ahead = 16, longest_row = 4096;
  const ir::Axis& axis = graph_.axis(phase_->home);
  std::set<std::int32_t> arrays;
  for (const Node& at : graph_.nodes) {
    if (at.kind != Kind::gather || at.dim != 0 || node(at.operands[0]).kind != Kind::data)
      continue;
    const Node& index = node(at.operands[1]);
    if (index.kind == Kind::plate_row && index.axes[0] == phase_->home)
      arrays.insert(node(at.operands[0]).index);
  }
  if (!axis.subsampled || arrays.empty())
    return;
  const std::int64_t distance = std::max<std::int64_t>(rows_ahead, schedule_.lanes);
  llvm::Value* mask = mask_;
  Coordinate ahead = home_;
  ahead.base = builder_.CreateAdd(home_.base, i64(distance));
  llvm::Value* left = builder_.CreateSub(axis_extent(phase_->home), ahead.base);
  mask_ = builder_.CreateICmpSLT(iota(), splat(left));
  Point point;
  point.set_axis(phase_->home, ahead);
  const Coordinate rows = row_coordinate(phase_->home, point);
  mask_ = mask;
  for (std::int32_t array : arrays) {
    const ir::DataArray& declared = graph_.data[static_cast<std::size_t>(array)];
    const std::vector<Extent> trailing(declared.shape.begin() + 1, declared.shape.end());
    const std::int64_t elements = passes::known_elements(graph_, {}, trailing);
    const Memory memory = data_memory(array);
    const std::int64_t bytes = elements * static_cast<std::int64_t>(memory.stored->getScalarSizeInBits() / 8);
    if (declared.ragged || elements <= 0 || bytes > longest_row)
      continue;
    std::vector<llvm::Value*> starts;
    for (std::uint64_t lane = 0; lane < width(); ++lane)
      starts.push_back(builder_.CreateGEP(
          builder_.getInt8Ty(), memory.pointer,
          builder_.CreateMul(builder_.CreateExtractElement(rows.lanes, lane), i64(bytes))));
    const auto fetch = [&](llvm::Value* offset) {
      for (llvm::Value* start : starts)
        builder_.CreateIntrinsic(llvm::Intrinsic::prefetch, {builder_.getPtrTy()},
                                 {builder_.CreateGEP(builder_.getInt8Ty(), start, offset),
                                  builder_.getInt32(0), builder_.getInt32(3), builder_.getInt32(1)});
    };
    if (bytes <= line)
      fetch(i64(0));
    else
      loop(i64(0), i64(bytes), i64(line), fetch);
  }
}

std::vector<llvm::Value*> Lowering::row_starts(std::int64_t elements) {
  Point point;
  point.set_axis(phase_->home, home_);
  const Coordinate row = row_coordinate(phase_->home, point);
  std::vector<llvm::Value*> starts;
  if (graph_.axis(phase_->home).subsampled) {
    llvm::Value* first = builder_.CreateExtractElement(row.lanes, std::uint64_t{0});
    llvm::Value* rows = mask_ ? builder_.CreateSelect(mask_, row.lanes, splat(first)) : row.lanes;
    for (std::uint64_t lane = 0; lane < width(); ++lane)
      starts.push_back(builder_.CreateMul(builder_.CreateExtractElement(rows, lane), i64(elements)));
    return starts;
  }
  llvm::Value* last = builder_.CreateSub(axis_extent(phase_->home), i64(1));
  for (std::int64_t lane = 0; lane < schedule_.lanes; ++lane) {
    llvm::Value* own =
        builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, builder_.CreateAdd(row.base, i64(lane)), last);
    starts.push_back(builder_.CreateMul(own, i64(elements)));
  }
  return starts;
}

llvm::Value* Lowering::row_block(NodeId rows, llvm::Value* start, llvm::Value* first) {
  const Node& at = node(rows);
  const bool converts = at.kind == Kind::map;
  const Node& source = node(converts ? node(at.operands[0]).operands[0] : at.operands[0]);
  const Element element = graph_.data[static_cast<std::size_t>(source.index)].element;
  llvm::Value* mask = mask_;
  mask_ = nullptr; // every row exists, and so does every element of the block
  llvm::Value* value =
      load(data_memory(source.index), {builder_.CreateAdd(start, first), true, nullptr}, element);
  mask_ = mask;
  if (element == Element::boolean)
    return converts ? builder_.CreateUIToFP(value, vector_of(real_))
                    : builder_.CreateZExt(value, vector_of(builder_.getInt8Ty()));
  return converts ? builder_.CreateSIToFP(value, vector_of(real_)) : value;
}

void Lowering::for_each_block(std::int64_t elements,
                              const std::function<void(llvm::Value*, llvm::Value*)>& body) {
  const std::int64_t lanes = schedule_.lanes, whole = elements / lanes * lanes;
  if (whole == lanes)
    body(i64(0), nullptr);
  else
    loop(i64(0), i64(whole), i64(lanes), [&](llvm::Value* first) { body(first, nullptr); });
  if (whole < elements) // the last block overlaps the one before rather than reading behind the row
    body(i64(elements - lanes), builder_.CreateICmpSGE(iota(), splat(i64(lanes - (elements - whole)))));
}

/** One dot product per row: each row multiplies in lanes along its elements, then all rows are summed at once
 * by halving, which leaves row l in lane l. */
void Lowering::lower_row_dots(NodeId id, const passes::RowContraction& rows) {
  const std::int64_t elements = type(rows.row_values).shape[0].value;
  const std::vector<llvm::Value*> starts = row_starts(elements);
  llvm::Type* kept = vector_of(real_);
  std::vector<llvm::AllocaInst*> sums;
  for (std::size_t lane = 0; lane < starts.size(); ++lane) {
    sums.push_back(stack(kept));
    builder_.CreateStore(llvm::Constant::getNullValue(kept), sums.back());
  }
  for_each_block(elements, [&](llvm::Value* first, llvm::Value* fresh) {
    llvm::Value* mask = mask_;
    mask_ = nullptr;
    memo_.emplace_back();
    llvm::Value* shared = coerce(evaluate(rows.other, {{}, {{first, true, nullptr}}}), kept);
    memo_.pop_back();
    mask_ = mask;
    for (std::size_t lane = 0; lane < starts.size(); ++lane) {
      llvm::Value* product = builder_.CreateFMul(row_block(rows.row_values, starts[lane], first), shared);
      if (auto* instruction = llvm::dyn_cast<llvm::Instruction>(product))
        instruction->setHasAllowContract(true);
      if (fresh)
        product = builder_.CreateSelect(fresh, product, llvm::Constant::getNullValue(kept));
      builder_.CreateStore(combine(builder_.CreateLoad(kept, sums[lane]), product, false), sums[lane]);
    }
  });
  std::vector<llvm::Value*> halves;
  for (llvm::AllocaInst* sum : sums)
    halves.push_back(builder_.CreateLoad(kept, sum));
  const auto [low, high] = shuffles();
  while (halves.size() > 1) {
    std::vector<llvm::Value*> next;
    const std::size_t half = halves.size() / 2;
    for (std::size_t i = 0; i < half; ++i)
      next.push_back(builder_.CreateFAdd(builder_.CreateShuffleVector(halves[i], halves[i + half], low),
                                         builder_.CreateShuffleVector(halves[i], halves[i + half], high)));
    halves = std::move(next);
  }
  Point point;
  point.set_axis(phase_->home, home_);
  store_placed(placement(id), point, halves[0]);
}

/** The sum of rows, each times its number: lanes are neighbouring elements, rows come one after the other. */
void Lowering::accumulate_rows(const Statement& statement, const passes::RowContraction& rows) {
  const std::int64_t elements = type(rows.row_values).shape[0].value;
  const std::vector<llvm::Value*> starts = row_starts(elements);
  llvm::Type* kept = vector_of(real_);
  Point point;
  point.set_axis(phase_->home, home_);
  llvm::Value* factor = coerce(evaluate(rows.other, point), kept);
  if (llvm::Value* scale = sum_factor(statement, kept))
    factor = builder_.CreateFMul(factor, scale);
  if (mask_)
    factor = builder_.CreateSelect(mask_, factor, llvm::Constant::getNullValue(kept));
  std::vector<llvm::Value*> factors;
  for (std::uint64_t lane = 0; lane < width(); ++lane)
    factors.push_back(splat(builder_.CreateExtractElement(factor, lane)));
  const Memory memory = buffer_memory(statement.accumulator);
  const llvm::Align align(real_->getScalarSizeInBits() / 8);
  for_each_block(elements, [&](llvm::Value* first, llvm::Value* fresh) {
    llvm::Value* place = element_pointer(memory, first);
    llvm::Value* old = builder_.CreateAlignedLoad(kept, place, align);
    llvm::Value* sum = old;
    for (std::size_t lane = 0; lane < starts.size(); ++lane) {
      llvm::Value* product =
          builder_.CreateFMul(row_block(rows.row_values, starts[lane], first), factors[lane]);
      if (auto* instruction = llvm::dyn_cast<llvm::Instruction>(product))
        instruction->setHasAllowContract(true);
      sum = combine(sum, product, false);
    }
    if (fresh)
      sum = builder_.CreateSelect(fresh, sum, old);
    builder_.CreateAlignedStore(sum, place, align);
  });
}

/** Which lanes of two registers make the lower and the upper half of their interleaving. */
std::pair<llvm::SmallVector<int, 64>, llvm::SmallVector<int, 64>> Lowering::shuffles() const {
  std::pair<llvm::SmallVector<int, 64>, llvm::SmallVector<int, 64>> halves;
  const int lanes = schedule_.lanes;
  for (int i = 0; i < lanes / 2; ++i) {
    halves.first.append({i, i + lanes});
    halves.second.append({i + lanes / 2, i + lanes * 3 / 2});
  }
  return halves;
}

/** Squares of the data, one row a register, are turned in registers to one element a register. */
void Lowering::lower_data_rows(NodeId id) {
  const Node& at = node(id);
  const std::int64_t elements = passes::known_elements(graph_, {}, at.type.shape);
  const std::int64_t lanes = schedule_.lanes;
  const std::vector<llvm::Value*> starts = row_starts(elements);
  const auto [low, high] = shuffles();
  const auto turn = [&](llvm::Value* first) {
    std::vector<llvm::Value*> square;
    for (llvm::Value* start : starts)
      square.push_back(row_block(id, start, first));
    // A transposition of W x W is log2(W) perfect shuffles of its rows.
    for (std::int64_t round = 1; round < lanes; round *= 2) {
      std::vector<llvm::Value*> next;
      const std::size_t half = square.size() / 2;
      for (std::size_t i = 0; i < half; ++i) {
        next.push_back(builder_.CreateShuffleVector(square[i], square[i + half], low));
        next.push_back(builder_.CreateShuffleVector(square[i], square[i + half], high));
      }
      square = std::move(next);
    }
    for (std::int64_t e = 0; e < lanes; ++e) {
      Point point;
      point.set_axis(phase_->home, home_);
      point.dims = unflatten({builder_.CreateAdd(first, i64(e)), false, nullptr}, at.type.shape);
      llvm::Value* value = square[static_cast<std::size_t>(e)];
      if (value->getType()->getScalarType()->isIntegerTy(8))
        value = builder_.CreateICmpNE(value, llvm::Constant::getNullValue(value->getType()));
      store_placed(placement(id), point, value);
    }
  };
  // The last block overlaps the one before rather than reading behind the row.
  if (elements == lanes)
    turn(i64(0));
  else
    loop(i64(0), i64((elements + lanes - 1) / lanes * lanes), i64(lanes), [&](llvm::Value* step) {
      turn(builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, step, i64(elements - lanes)));
    });
}

} // namespace plait::codegen
