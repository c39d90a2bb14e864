#include "compiler/codegen/lower.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace plait::codegen {

using ir::OutputKind;

void Lowering::lower(const Statement& statement) {
  switch (statement.kind) {
  case StatementKind::compute:
    lower_compute(statement);
    return;
  case StatementKind::accumulate:
    lower_accumulate(statement);
    return;
  case StatementKind::loop:
    lower_loop(statement);
    return;
  case StatementKind::store:
    lower_store(statement);
    return;
  case StatementKind::product:
    lower_product(statement);
    return;
  }
  throw std::logic_error("lowering: unknown statement");
}

void Lowering::lower_compute(const Statement& statement) {
  const NodeId id = statement.node;
  const auto rows = passes::find_data_rows(graph_, id, schedule_.lanes);
  if (rows && phase_->home == rows->axis) {
    lower_data_rows(id);
    return;
  }
  const auto dot = passes::find_row_contraction(graph_, id, schedule_.lanes);
  if (dot && placement(dot->row_values).place == Place::inlined && phase_->home == dot->rows.axis) {
    lower_row_dots(id, *dot);
    return;
  }
  switch (node(id).kind) {
  case Kind::scatter_add:
    lower_scatter(id);
    return;
  case Kind::cholesky:
  case Kind::cholesky_grad:
  case Kind::solve_lower:
    lower_algebra(id);
    return;
  default:
    for_each_point(type(id),
                   [&](const Point& point) { store_placed(placement(id), point, compute(id, point)); });
  }
}

// ---- Scatter ----

void Lowering::for_each_addend(NodeId scatter, const std::function<void(const Point&, llvm::Value*)>& body) {
  const Node& at = node(scatter);
  const NodeId index = at.operands[0], value = at.operands[1];
  const Type& from = type(value);
  std::vector<AxisId> axes = ir::unite(type(index).axes, from.axes);
  const bool has_home = phase_->home != passes::no_axis && ir::contains(axes, phase_->home);
  if (has_home)
    std::erase(axes, phase_->home);
  std::vector<Extent> extents;
  for (AxisId axis : axes)
    extents.push_back(graph_.axis(axis).extent);
  extents.insert(extents.end(), from.shape.begin(), from.shape.end());
  const auto rank = static_cast<std::ptrdiff_t>(type(index).shape.size());
  for_each(extents, [&](const std::vector<Coordinate>& indices) {
    Point point;
    if (has_home)
      point.set_axis(phase_->home, home_);
    for (std::size_t k = 0; k < axes.size(); ++k)
      point.set_axis(axes[k], indices[k]);
    point.dims.assign(indices.begin() + static_cast<std::ptrdiff_t>(axes.size()), indices.end());
    const auto first = point.dims.begin() + at.dim;
    Coordinate position = coordinate_of(index, {point.axes, {first, first + rank}});
    if (!is_safe_index(index))
      position = clamp(position, at.extents[0]);
    Point target{point.axes, {point.dims.begin(), first}};
    target.dims.push_back(position);
    target.dims.insert(target.dims.end(), first + rank, point.dims.end());
    body(target, evaluate(value, point));
  });
}

/** Without a sum over the home: the rows of the plate have tables of their own. */
void Lowering::lower_scatter(NodeId id) {
  const Placement& place = placement(id);
  for_each_point(type(id), [&](const Point& point) {
    store_placed(place, point, llvm::Constant::getNullValue(scalar_type(type(id).element, false)));
  });
  for_each_addend(id, [&](const Point& target, llvm::Value* term) {
    llvm::Value* old = load_placed(place, target, Element::real);
    if (term->getType()->isVectorTy() || old->getType()->isVectorTy()) {
      term = coerce(term, vector_of(real_));
      old = splat(old);
    } else {
      term = coerce(term, real_);
    }
    store_placed(place, target, builder_.CreateFAdd(old, term));
  });
}

// ---- Sums over the home's rows ----

bool Lowering::takes_maximum(const Statement& statement) const {
  return node(statement.node).kind == Kind::reduce_max;
}

llvm::Value* Lowering::neutral(llvm::Type* kind, bool maximum) {
  llvm::Type* scalar = kind->getScalarType();
  if (!maximum)
    return llvm::Constant::getNullValue(kind);
  llvm::Constant* lowest = scalar->isIntegerTy() ? static_cast<llvm::Constant*>(llvm::ConstantInt::getSigned(
                                                       scalar, std::numeric_limits<std::int32_t>::min()))
                                                 : llvm::ConstantFP::getInfinity(scalar, true);
  if (!kind->isVectorTy())
    return lowest;
  return llvm::ConstantVector::getSplat(llvm::ElementCount::getFixed(width()), lowest);
}

llvm::Value* Lowering::combine(llvm::Value* a, llvm::Value* b, bool maximum) {
  if (a->getType()->getScalarType()->isIntegerTy())
    return maximum ? builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, a, b) : builder_.CreateAdd(a, b);
  if (maximum) // b is the newer value; NaN in it stays visible
    return builder_.CreateSelect(builder_.CreateFCmpOGT(a, b), a, b);
  llvm::Value* sum = builder_.CreateFAdd(a, b);
  if (auto* instruction = llvm::dyn_cast<llvm::Instruction>(sum))
    instruction->setHasAllowContract(true);
  return sum;
}

/** At the start of a chunk. */
void Lowering::prepare_sums(const Statement& statement) {
  for (const Statement& part : statement.body)
    prepare_sums(part);
  if (statement.accumulator < 0 || statement.joins)
    return;
  const Buffer& buffer = schedule_.buffers[static_cast<std::size_t>(statement.accumulator)];
  const Type& target = type(statement.target);
  const bool maximum = takes_maximum(statement);
  if (statement.in_registers) {
    RegisterSums& sums = register_sums_[statement.accumulator];
    sums = {};
    llvm::Type* lane = scalar_type(target.element, false);
    llvm::Type* total = stored_type(buffer);
    const std::int64_t elements = passes::known_elements(graph_, target.axes, target.shape);
    for (std::int64_t e = 0; e < elements; ++e) {
      sums.lanes.push_back(stack(vector_of(lane)));
      sums.totals.push_back(stack(total));
      builder_.CreateStore(neutral(total, maximum), sums.totals.back());
    }
    return;
  }
  // The whole accumulator is cleared, padding included.
  const Memory memory = buffer_memory(statement.accumulator);
  llvm::Value* count = builder_.CreateSDiv(buffer_bytes(statement.accumulator), i64(buffer.element_bytes));
  if (!maximum) {
    llvm::Value* bytes = buffer_bytes(statement.accumulator);
    if (overwrites(statement)) // the product of the first tile sets it
      bytes = builder_.CreateSelect(chunk_empty_, bytes, i64(0));
    builder_.CreateMemSet(memory.pointer, builder_.getInt8(0), bytes, llvm::MaybeAlign(64));
    return;
  }
  loop(i64(0), count, i64(1), [&](llvm::Value* i) {
    builder_.CreateStore(neutral(memory.stored, true), element_pointer(memory, i));
  });
}

void Lowering::start_tile_sums(const Statement& statement) {
  for (const Statement& part : statement.body)
    start_tile_sums(part);
  const auto sums = register_sums_.find(statement.accumulator);
  if (statement.accumulator < 0 || statement.joins || sums == register_sums_.end())
    return;
  for (llvm::Value* lane : sums->second.lanes) {
    llvm::Type* kept = llvm::cast<llvm::AllocaInst>(lane)->getAllocatedType();
    builder_.CreateStore(neutral(kept, takes_maximum(statement)), lane);
  }
}

/** Lanes add up in the compiled precision within a tile, tiles in f64. */
void Lowering::finish_tile_sums(const Statement& statement) {
  for (const Statement& part : statement.body)
    finish_tile_sums(part);
  const auto sums = register_sums_.find(statement.accumulator);
  if (statement.accumulator < 0 || statement.joins || sums == register_sums_.end())
    return;
  const bool maximum = takes_maximum(statement);
  for (std::size_t e = 0; e < sums->second.lanes.size(); ++e) {
    auto* lane = llvm::cast<llvm::AllocaInst>(sums->second.lanes[e]);
    auto* total = llvm::cast<llvm::AllocaInst>(sums->second.totals[e]);
    llvm::Type* kind = total->getAllocatedType();
    llvm::Value* vector = builder_.CreateLoad(lane->getAllocatedType(), lane);
    llvm::Value* sum = coerce(horizontal(coerce(vector, vector_of(kind)), maximum), kind);
    builder_.CreateStore(combine(builder_.CreateLoad(kind, total), sum, maximum), total);
  }
}

void Lowering::finish_sums(const Statement& statement) {
  for (const Statement& part : statement.body)
    finish_sums(part);
  const auto sums = register_sums_.find(statement.accumulator);
  if (statement.accumulator < 0 || statement.joins || sums == register_sums_.end())
    return;
  const Memory memory = buffer_memory(statement.accumulator);
  for (std::size_t e = 0; e < sums->second.totals.size(); ++e) {
    llvm::Value* total = builder_.CreateLoad(memory.stored, sums->second.totals[e]);
    builder_.CreateStore(total, element_pointer(memory, i64(static_cast<std::int64_t>(e))));
  }
}

llvm::Value* Lowering::sum_factor(const Statement& statement, llvm::Type* kind) {
  if (statement.sign == 1 && statement.factors.empty())
    return nullptr;
  llvm::Value* product = llvm::ConstantFP::get(builder_.getDoubleTy(), statement.sign);
  for (NodeId factor : statement.factors)
    product = builder_.CreateFMul(product, coerce(evaluate(factor, {}), builder_.getDoubleTy()));
  return coerce(product, kind);
}

/** Adds the lanes of `value` to the element `result` of the sums. */
void Lowering::add_to_sum(const Statement& statement, const Point& result, llvm::Value* value) {
  const bool maximum = takes_maximum(statement);
  const Type& target = type(statement.target);
  const Buffer& buffer = schedule_.buffers[static_cast<std::size_t>(statement.accumulator)];
  llvm::Type* kept = vector_of(scalar_type(target.element, false));
  value = coerce(value, kept);
  if (llvm::Value* factor = sum_factor(statement, kept))
    value = builder_.CreateFMul(value, factor);
  if (mask_)
    value = builder_.CreateSelect(mask_, value, neutral(kept, maximum));
  const auto sums = register_sums_.find(statement.accumulator);
  const auto number = [&]() -> llvm::ConstantInt* {
    return llvm::dyn_cast_or_null<llvm::ConstantInt>(flatten(result.dims, target.shape).base);
  };
  if (sums != register_sums_.end() && number()) {
    llvm::Value* lane = sums->second.lanes[number()->getZExtValue()];
    builder_.CreateStore(combine(builder_.CreateLoad(kept, lane), value, maximum), lane);
    return;
  }
  if (sums != register_sums_.end())
    throw std::logic_error("lowering: a sum in registers at a place unknown before");
  const Memory memory = buffer_memory(statement.accumulator);
  const Coordinate index = buffer_index(statement.accumulator, result);
  if (buffer.width > 1) {
    llvm::Value* pointer =
        element_pointer(memory, builder_.CreateMul(index.base ? index.base : i64(0), i64(buffer.width)));
    const llvm::Align align(static_cast<std::uint64_t>(buffer.element_bytes * buffer.width));
    llvm::Type* stored = vector_of(memory.stored);
    llvm::Value* old = builder_.CreateAlignedLoad(stored, pointer, align);
    builder_.CreateAlignedStore(combine(old, coerce(value, stored), maximum), pointer, align);
    return;
  }
  llvm::Value* pointer = element_pointer(memory, index.base);
  llvm::Value* old = builder_.CreateLoad(memory.stored, pointer);
  builder_.CreateStore(combine(old, coerce(horizontal(value, maximum), memory.stored), maximum), pointer);
}

void Lowering::lower_accumulate(const Statement& statement) {
  const Node& at = node(statement.node);
  if (at.kind == Kind::scatter_add) {
    accumulate_scatter(statement);
    return;
  }
  if (const auto rows = passes::find_row_contraction(graph_, statement.node, schedule_.lanes)) {
    if (placement(rows->row_values).place == Place::inlined) {
      accumulate_rows(statement, *rows);
      return;
    }
  }
  std::vector<AxisId> inner = at.axes;
  std::erase(inner, phase_->home);
  std::vector<Extent> extents;
  for (AxisId axis : at.type.axes)
    extents.push_back(graph_.axis(axis).extent);
  extents.insert(extents.end(), at.type.shape.begin(), at.type.shape.end());
  const auto visit = [&](const std::vector<Coordinate>& indices) {
    Point point;
    for (std::size_t k = 0; k < at.type.axes.size(); ++k)
      point.set_axis(at.type.axes[k], indices[k]);
    point.dims.assign(indices.begin() + static_cast<std::ptrdiff_t>(at.type.axes.size()), indices.end());
    Point place = point;
    place.set_axis(phase_->home, home_);
    llvm::Value* value = at.kind == Kind::contract ? contract(statement.node, place, inner)
                                                   : reduce(statement.node, place, inner);
    add_to_sum(statement, point, value);
  };
  if (!register_sums_.contains(statement.accumulator)) {
    for_each(extents, visit);
    return;
  }
  // Sums in registers need places known now.
  std::vector<Coordinate> indices(extents.size());
  const auto walk = [&](const auto& self, std::size_t d) -> void {
    if (d == extents.size()) {
      visit(indices);
      return;
    }
    for (std::int64_t i = 0; i < extents[d].value; ++i) {
      indices[d] = fixed(i);
      self(self, d + 1);
    }
  };
  walk(walk, 0);
}

/** Rows may meet in one element, so they are added one by one, in their order. */
void Lowering::accumulate_scatter(const Statement& statement) {
  const Memory memory = buffer_memory(statement.accumulator);
  llvm::Type* word = builder_.getInt64Ty();
  llvm::AllocaInst* places = stack(vector_of(word));
  llvm::AllocaInst* terms = stack(vector_of(real_));
  for_each_addend(statement.node, [&](const Point& target, llvm::Value* term) {
    const Coordinate flat = buffer_index(statement.accumulator, target);
    if (!flat.varies()) {
      add_to_sum(statement, target, term);
      return;
    }
    builder_.CreateStore(as_vector(flat), places);
    term = coerce(term, vector_of(real_));
    if (llvm::Value* factor = sum_factor(statement, term->getType()))
      term = builder_.CreateFMul(term, factor);
    builder_.CreateStore(term, terms);
    llvm::Value* lanes_used =
        builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, active_rows_, i64(schedule_.lanes));
    loop(i64(0), lanes_used, i64(1), [&](llvm::Value* lane) {
      llvm::Value* where = builder_.CreateLoad(word, builder_.CreateGEP(word, places, lane));
      llvm::Value* what = builder_.CreateLoad(real_, builder_.CreateGEP(real_, terms, lane));
      llvm::Value* pointer = element_pointer(memory, where);
      llvm::Value* sum =
          builder_.CreateFAdd(builder_.CreateLoad(memory.stored, pointer), coerce(what, memory.stored));
      builder_.CreateStore(sum, pointer);
    });
  });
}

// ---- Outputs ----

void Lowering::lower_store(const Statement& statement) {
  struct Target {
    const ir::Output* output;
    Memory memory;
  };
  std::vector<Target> targets;
  Type space;
  for (int k : statement.outputs) {
    const ir::Output& output = graph_.outputs[static_cast<std::size_t>(k)];
    const Type& own = type(output.node);
    const auto before = [&](OutputKind kind) {
      return std::count_if(graph_.outputs.begin(), graph_.outputs.begin() + k,
                           [&](const ir::Output& o) { return o.kind == kind; });
    };
    Target target{&output, {nullptr, real_, false, true}};
    switch (output.kind) {
    case OutputKind::scalar: {
      llvm::Value* value = evaluate(output.node, {});
      if (value->getType()->isIntegerTy())
        value = value->getType()->isIntegerTy(1) ? builder_.CreateUIToFP(value, builder_.getDoubleTy())
                                                 : builder_.CreateSIToFP(value, builder_.getDoubleTy());
      llvm::Value* list = argument_field(8, builder_.getPtrTy());
      builder_.CreateStore(
          coerce(value, builder_.getDoubleTy()),
          builder_.CreateConstGEP1_64(builder_.getDoubleTy(), list,
                                      static_cast<std::uint64_t>(before(OutputKind::scalar))));
      continue;
    }
    case OutputKind::value:
      target.memory.pointer = external_pointer(3, before(OutputKind::value));
      space = own;
      break;
    case OutputKind::gradient:
    case OutputKind::store_parameter:
    case OutputKind::store_slot: {
      const ir::Parameter& parameter = graph_.parameters[static_cast<std::size_t>(output.index)];
      target.memory.pointer =
          output.kind == OutputKind::gradient ? external_pointer(2, output.index)
          : output.kind == OutputKind::store_parameter
              ? external_pointer(0, output.index)
              : external_pointer(1, std::int64_t{output.index} * slots_per_parameter_ + output.slot);
      space = {Element::real, parameter.axes, parameter.shape};
      std::sort(space.axes.begin(), space.axes.end());
      break;
    }
    }
    targets.push_back(target);
  }
  if (targets.empty())
    return;
  for_each_point(space, [&](const Point& point) {
    std::vector<llvm::Value*> values;
    for (const Target& target : targets)
      values.push_back(evaluate(target.output->node, operand_point(target.output->node, point)));
    for (std::size_t k = 0; k < targets.size(); ++k) {
      const bool is_value = targets[k].output->kind == OutputKind::value;
      const std::vector<AxisId>& axes =
          is_value ? space.axes : graph_.parameters[static_cast<std::size_t>(targets[k].output->index)].axes;
      Coordinate flat = fixed(0);
      for (AxisId axis : axes) {
        const Extent& length = is_value ? graph_.axis(axis).extent : graph_.axis(axis).population;
        flat = add(times(flat, extent(length)), is_value ? point.axis(axis) : row_coordinate(axis, point));
      }
      for (std::size_t d = 0; d < space.shape.size(); ++d)
        flat = add(times(flat, extent(space.shape[d])), point.dims[d]);
      store(targets[k].memory, flat, values[k]);
    }
  });
}

} // namespace plait::codegen
