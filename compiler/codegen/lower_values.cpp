#include "compiler/codegen/lower.hpp"

#include <algorithm>
#include <stdexcept>

namespace plait::codegen {

namespace {
bool holds(const std::vector<std::int32_t>& list, std::int32_t item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}
} // namespace

Point Lowering::operand_point(NodeId operand, const Point& point) const {
  Point result{point.axes, {}};
  if (!type(operand).shape.empty())
    result.dims = point.dims;
  return result;
}

llvm::Value* Lowering::evaluate(NodeId id, const Point& point) {
  const Node& at = node(id);
  if (placement(id).place != Place::inlined)
    return load_placed(placement(id), point, at.type.element);
  MemoKey key{&at};
  const auto note = [&](const Coordinate& c) {
    key.insert(key.end(), {c.base, c.iota ? static_cast<const void*>(this) : nullptr, c.lanes});
  };
  for (AxisId axis : at.type.axes)
    note(point.axis(axis));
  for (const Coordinate& c : point.dims)
    note(c);
  for (std::size_t depth = memo_.size(); depth-- > 0;) {
    const auto known = memo_[depth].find(key);
    if (known != memo_[depth].end())
      return known->second;
  }
  llvm::Value* value = compute(id, point);
  memo_.back().emplace(std::move(key), value);
  return value;
}

llvm::Value* Lowering::compute(NodeId id, const Point& point) {
  const Node& at = node(id);
  const auto shifted = [&](std::int32_t dim, const Coordinate& by) {
    Point moved = point;
    Coordinate& c = moved.dims[static_cast<std::size_t>(dim)];
    c = add(c, by);
    return moved;
  };
  switch (at.kind) {
  case Kind::constant:
    return constant(at, point);
  case Kind::parameter:
  case Kind::slot:
    return stored_parameter(at, point);
  case Kind::data:
    return data(at, point);
  case Kind::data_lengths:
    return load({data_field(at.index, 16), builder_.getInt32Ty(), false, true}, point.dims[0],
                Element::integer);
  case Kind::input: {
    const auto place = std::find(schedule_.inputs.begin(), schedule_.inputs.end(), at.name);
    const std::uint64_t number = static_cast<std::uint64_t>(place - schedule_.inputs.begin());
    llvm::Value* list = argument_field(7, builder_.getPtrTy());
    return prologue_->CreateLoad(builder_.getDoubleTy(),
                                 prologue_->CreateConstGEP1_64(builder_.getDoubleTy(), list, number));
  }
  case Kind::extent:
    return builder_.CreateTrunc(extent(at.extents[0]), builder_.getInt32Ty());
  case Kind::axis_index:
    return as_integer(point.axis(at.axes[0]));
  case Kind::plate_row:
    return as_integer(row_coordinate(at.axes[0], point));
  case Kind::loop_index:
    return builder_.CreateTrunc(loop_indices_.at(id), builder_.getInt32Ty());
  case Kind::map:
    return map(id, point);
  case Kind::broadcast:
    return evaluate(at.operands[0], operand_point(at.operands[0], point));
  case Kind::reduce_sum:
  case Kind::reduce_max:
    return reduce(id, point, at.axes);
  case Kind::contract:
    return contract(id, point, at.axes);
  case Kind::gather: {
    const NodeId index = at.operands[1];
    const std::size_t rank = type(index).shape.size();
    const auto begin = point.dims.begin() + at.dim, end = begin + static_cast<std::ptrdiff_t>(rank);
    Coordinate position = coordinate_of(index, {point.axes, {begin, end}});
    const Extent& length = type(at.operands[0]).shape[static_cast<std::size_t>(at.dim)];
    if (!is_safe_index(index))
      position = clamp(position, length);
    Point table{point.axes, {point.dims.begin(), begin}};
    table.dims.push_back(position);
    table.dims.insert(table.dims.end(), end, point.dims.end());
    return evaluate(at.operands[0], table);
  }
  case Kind::scatter_add:
    return scattered_element(id, point);
  case Kind::axis_to_dim: {
    Point inner{point.axes, {point.dims.begin() + 1, point.dims.end()}};
    inner.set_axis(at.axes[0], point.dims[0]);
    return evaluate(at.operands[0], inner);
  }
  case Kind::slice:
    return evaluate(at.operands[0], shifted(at.dim, {extent(at.start), false, nullptr}));
  case Kind::pad: {
    const Extent& length = type(at.operands[0]).shape[static_cast<std::size_t>(at.dim)];
    llvm::Value* start = extent(at.start);
    const Coordinate moved =
        add(point.dims[static_cast<std::size_t>(at.dim)], {builder_.CreateNeg(start), false, nullptr});
    llvm::Value* place = moved.varies() ? as_vector(moved) : moved.base;
    llvm::Value* last = extent(length);
    llvm::Value* inside = builder_.CreateICmpULT(place, moved.varies() ? splat(last) : last);
    Point inner = point;
    Coordinate clamped = clamp(moved, length);
    inner.dims[static_cast<std::size_t>(at.dim)] = clamped;
    // With an empty operand there is nothing to read.
    if (length == Extent::known(0))
      return llvm::Constant::getNullValue(inside->getType()->isVectorTy()
                                              ? vector_of(scalar_type(at.type.element, false))
                                              : scalar_type(at.type.element, false));
    llvm::Value* value = evaluate(at.operands[0], inner);
    if (inside->getType()->isVectorTy())
      value = splat(value);
    return builder_.CreateSelect(inside, value, llvm::Constant::getNullValue(value->getType()));
  }
  case Kind::concat:
    return concat(id, point);
  case Kind::reshape:
    return evaluate(at.operands[0],
                    {point.axes, reshape(point.dims, at.type.shape, type(at.operands[0]).shape)});
  case Kind::transpose: {
    Point inner{point.axes, std::vector<Coordinate>(point.dims.size())};
    for (std::size_t d = 0; d < at.dims.size(); ++d)
      inner.dims[static_cast<std::size_t>(at.dims[d])] = point.dims[d];
    return evaluate(at.operands[0], inner);
  }
  case Kind::expand: {
    Point inner = point;
    inner.dims.erase(inner.dims.begin() + at.dim);
    return evaluate(at.operands[0], inner);
  }
  case Kind::random:
    return random(id, point);
  case Kind::loop:
  case Kind::loop_argument:
  case Kind::loop_result:
  case Kind::cholesky:
  case Kind::cholesky_grad:
  case Kind::solve_lower:
    break;
  }
  throw std::logic_error("lowering: %" + std::to_string(id) + " needs memory and has none");
}

// ---- Leaves ----

llvm::Value* Lowering::constant(const Node& at, const Point& point) {
  const bool wide = passes::is_root_scalar(at.type);
  llvm::Type* scalar = scalar_type(at.type.element, wide);
  const auto literal = [&](double number) -> llvm::Constant* {
    if (scalar->isFloatingPointTy())
      return llvm::ConstantFP::get(scalar, number);
    return llvm::ConstantInt::get(scalar, static_cast<std::uint64_t>(static_cast<std::int64_t>(number)),
                                  true);
  };
  if (at.literal.size() == 1)
    return literal(at.literal[0]);
  const Coordinate flat = flatten(point.dims, at.type.shape);
  if (!flat.varies())
    if (const auto* fixed_place = llvm::dyn_cast<llvm::ConstantInt>(flat.base))
      return literal(at.literal[static_cast<std::size_t>(fixed_place->getZExtValue())]);
  llvm::GlobalVariable*& global = literals_[&at];
  llvm::Type* stored = at.type.element == Element::boolean ? builder_.getInt8Ty() : scalar;
  if (!global) {
    std::vector<llvm::Constant*> numbers;
    for (double number : at.literal)
      numbers.push_back(
          stored->isFloatingPointTy()
              ? llvm::ConstantFP::get(stored, number)
              : llvm::ConstantInt::get(stored, static_cast<std::uint64_t>(static_cast<std::int64_t>(number)),
                                       true));
    auto* array = llvm::ArrayType::get(stored, numbers.size());
    global = new llvm::GlobalVariable(module_, array, true, llvm::GlobalValue::PrivateLinkage,
                                      llvm::ConstantArray::get(array, numbers), "literal");
  }
  return load({global, stored, false, true}, flat, at.type.element);
}

/** The row of a plate's whole set at the point: the drawn one when the plate is subsampled. */
Coordinate Lowering::row_coordinate(AxisId id, const Point& point) {
  const ir::Axis& axis = graph_.axis(id);
  const Coordinate& place = point.axis(id);
  if (!axis.subsampled)
    return place;
  const Memory rows{external_pointer(5, axis.minibatch), builder_.getInt32Ty(), true, true};
  llvm::Value* row = load(rows, place, Element::integer);
  if (row->getType()->isVectorTy())
    return {nullptr, false, builder_.CreateZExt(row, vector_of(builder_.getInt64Ty()))};
  return {builder_.CreateZExt(row, builder_.getInt64Ty()), false, nullptr};
}

llvm::Value* Lowering::stored_parameter(const Node& at, const Point& point) {
  const ir::Parameter& parameter = graph_.parameters[static_cast<std::size_t>(at.index)];
  Coordinate flat = fixed(0);
  for (AxisId axis : parameter.axes)
    flat = add(times(flat, extent(graph_.axis(axis).population)), row_coordinate(axis, point));
  for (std::size_t d = 0; d < parameter.shape.size(); ++d)
    flat = add(times(flat, extent(parameter.shape[d])), point.dims[d]);
  llvm::Value* pointer = at.kind == Kind::parameter
                             ? external_pointer(0, at.index)
                             : external_pointer(1, std::int64_t{at.index} * slots_per_parameter_ + at.slot);
  llvm::Value* value = load({pointer, real_, false, true}, flat, Element::real);
  return passes::is_root_scalar(at.type) ? coerce(value, builder_.getDoubleTy()) : value;
}

Memory Lowering::data_memory(std::int32_t index) {
  const ir::DataArray& declared = graph_.data[static_cast<std::size_t>(index)];
  runtime::Storage storage = declared.element == Element::real      ? runtime::Storage::f64
                             : declared.element == Element::integer ? runtime::Storage::i32
                                                                    : runtime::Storage::u8;
  if (static_cast<std::size_t>(index) < options_.storage.size())
    storage = options_.storage[static_cast<std::size_t>(index)];
  Memory memory;
  memory.external = true;
  using runtime::Storage;
  memory.is_unsigned = storage == Storage::u8 || storage == Storage::u16 || storage == Storage::u32;
  switch (storage) {
  case Storage::u8:
  case Storage::i8:
    memory.stored = builder_.getInt8Ty();
    break;
  case Storage::i16:
  case Storage::u16:
    memory.stored = builder_.getInt16Ty();
    break;
  case Storage::i32:
  case Storage::u32:
    memory.stored = builder_.getInt32Ty();
    break;
  case Storage::i64:
    memory.stored = builder_.getInt64Ty();
    break;
  case Storage::f32:
    memory.stored = builder_.getFloatTy();
    break;
  case Storage::f64:
    memory.stored = builder_.getDoubleTy();
    break;
  }
  memory.pointer = data_field(index, 0);
  return memory;
}

/** A pointer of DataView `index`: values at byte 0, offsets at 8, lengths at 16. */
llvm::Value* Lowering::data_field(std::int32_t index, std::int64_t byte) {
  const std::int64_t place = std::int64_t{index} * 24 + byte;
  llvm::Value*& pointer = externals_[{4, place}];
  if (!pointer)
    pointer = prologue_->CreateLoad(builder_.getPtrTy(),
                                    prologue_->CreateConstGEP1_64(builder_.getInt8Ty(),
                                                                  argument_field(4, builder_.getPtrTy()),
                                                                  static_cast<std::uint64_t>(place)));
  return pointer;
}

llvm::Value* Lowering::data(const Node& at, const Point& point) {
  const ir::DataArray& declared = graph_.data[static_cast<std::size_t>(at.index)];
  const Memory memory = data_memory(at.index);
  if (!declared.ragged)
    return load(memory, flatten(point.dims, declared.shape), declared.element);
  // Row n begins at offsets[n] and holds lengths[n] elements; beyond them it reads as zero.
  const Memory offsets{data_field(at.index, 8), builder_.getInt64Ty(), false, true},
      lengths{data_field(at.index, 16), builder_.getInt32Ty(), false, true};
  const Coordinate& row = point.dims[0];
  const Coordinate& place = point.dims[1];
  Coordinate flat = place, length;
  if (row.varies()) {
    // Loads of 64-bit integers keep their width.
    llvm::Value* mask = mask_ ? mask_ : llvm::Constant::getAllOnesValue(vector_of(builder_.getInt1Ty()));
    llvm::Type* wide_lanes = vector_of(builder_.getInt64Ty());
    llvm::Value* pointers = builder_.CreateGEP(builder_.getInt64Ty(), offsets.pointer, as_vector(row));
    flat = add(flat, {nullptr, false,
                      builder_.CreateMaskedGather(wide_lanes, pointers, llvm::Align(8), mask,
                                                  llvm::Constant::getNullValue(wide_lanes))});
  } else {
    llvm::Value* offset =
        builder_.CreateLoad(builder_.getInt64Ty(), builder_.CreateGEP(builder_.getInt64Ty(), offsets.pointer,
                                                                      row.base ? row.base : i64(0)));
    flat = add(flat, {offset, false, nullptr});
  }
  length = as_coordinate(load(lengths, row, Element::integer));
  for (std::size_t d = 2; d < declared.shape.size(); ++d)
    flat = add(times(flat, extent(declared.shape[d])), point.dims[d]);
  const bool in_lanes = row.varies() || place.varies() || flat.varies();
  llvm::Value* inside = nullptr;
  if (in_lanes) {
    inside = builder_.CreateICmpSLT(as_vector(place), as_vector(length));
    return load(memory, flat, declared.element, inside);
  }
  inside = builder_.CreateICmpSLT(place.base ? place.base : i64(0), length.base);
  // The first element stands in for one that does not exist; an empty array is never bound to null.
  llvm::Value* value =
      load(memory, {builder_.CreateSelect(inside, flat.base, i64(0)), false, nullptr}, declared.element);
  return builder_.CreateSelect(inside, value, llvm::Constant::getNullValue(value->getType()));
}

// ---- Elementwise ----

llvm::Value* Lowering::map(NodeId id, const Point& point) {
  const Node& at = node(id);
  llvm::SmallVector<llvm::Value*, 4> inputs;
  bool in_lanes = false;
  for (NodeId operand : at.operands) {
    inputs.push_back(evaluate(operand, operand_point(operand, point)));
    in_lanes = in_lanes || inputs.back()->getType()->isVectorTy();
  }
  // Scalars of the root are computed in f64; so is what only they decide.
  bool wide = !in_lanes && at.type.axes.empty() && at.type.shape.empty();
  for (NodeId operand : at.operands)
    wide = wide && passes::is_root_scalar(type(operand));
  llvm::Type* real = wide ? builder_.getDoubleTy() : real_;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Element element = type(at.operands[k]).element;
    llvm::Type* scalar = element == Element::real ? real : scalar_type(element, false);
    inputs[k] = coerce(inputs[k], in_lanes ? vector_of(scalar) : scalar);
  }
  LlvmLanes builder = lanes(in_lanes ? vector_of(real) : real, wide);
  // Lanes without a row hold anything, and integer division traps on zero.
  if ((at.op->name == "integer_divide" || at.op->name == "integer_remainder") && in_lanes) {
    llvm::Value* zero = llvm::Constant::getNullValue(inputs[1]->getType());
    inputs[1] = builder_.CreateSelect(builder_.CreateICmpEQ(inputs[1], zero),
                                      LlvmLanes::value(builder.integer(1)), inputs[1]);
  }
  return builder.apply(*at.op, {inputs.data(), inputs.size()});
}

// ---- Reductions ----

llvm::Value* Lowering::sum_over(const std::vector<Extent>& extents, bool terms_vary, Element element,
                                bool wide, bool maximum,
                                const std::function<llvm::Value*(const std::vector<Coordinate>&)>& term) {
  // Lanes hold the compiled precision; only single numbers are summed in f64.
  llvm::Type* scalar = scalar_type(element, wide && !terms_vary);
  const bool in_lanes = !terms_vary && phase_->home == passes::no_axis && !mask_ && !extents.empty() &&
                        !(extents.back().is_known() && extents.back().value < schedule_.lanes);
  llvm::Type* kept = terms_vary || in_lanes ? vector_of(scalar) : scalar;
  llvm::AllocaInst* sum = stack(kept);
  builder_.CreateStore(neutral(kept, maximum), sum);
  const auto add_term = [&](const std::vector<Coordinate>& indices) {
    llvm::Value* value = coerce(term(indices), kept);
    if (in_lanes && mask_)
      value = builder_.CreateSelect(mask_, value, neutral(kept, maximum));
    builder_.CreateStore(combine(builder_.CreateLoad(kept, sum), value, maximum), sum);
  };
  if (!in_lanes) {
    for_each(extents, add_term);
    return builder_.CreateLoad(kept, sum);
  }
  std::vector<Extent> outer(extents.begin(), extents.end() - 1);
  const Extent last = extents.back();
  for_each(outer, [&](std::vector<Coordinate> indices) {
    loop(i64(0), extent(last), i64(schedule_.lanes), [&](llvm::Value* i) {
      if (!(last.is_known() && last.value % schedule_.lanes == 0))
        mask_ = builder_.CreateICmpSLT(iota(), splat(builder_.CreateSub(extent(last), i)));
      indices.push_back({i, true, nullptr});
      add_term(indices);
      indices.pop_back();
      mask_ = nullptr;
    });
  });
  return horizontal(builder_.CreateLoad(kept, sum), maximum);
}

llvm::Value* Lowering::reduce(NodeId id, const Point& point, const std::vector<AxisId>& axes) {
  const Node& at = node(id);
  const NodeId operand = at.operands[0];
  const Type& from = type(operand);
  std::vector<Extent> extents;
  for (AxisId axis : axes)
    extents.push_back(graph_.axis(axis).extent);
  for (std::int32_t dim : at.dims)
    extents.push_back(from.shape[static_cast<std::size_t>(dim)]);
  const auto place = [&](const std::vector<Coordinate>& indices) {
    Point inner{point.axes, {}};
    std::size_t next = 0, kept = 0;
    for (AxisId axis : axes)
      inner.set_axis(axis, indices[next++]);
    for (std::size_t d = 0; d < from.shape.size(); ++d)
      inner.dims.push_back(holds(at.dims, static_cast<std::int32_t>(d)) ? indices[next++]
                                                                        : point.dims[kept++]);
    return inner;
  };
  const bool terms_vary = varies(from, place(std::vector<Coordinate>(extents.size(), fixed(0))));
  return sum_over(extents, terms_vary, from.element, passes::is_root_scalar(at.type),
                  at.kind == Kind::reduce_max,
                  [&](const std::vector<Coordinate>& indices) { return evaluate(operand, place(indices)); });
}

llvm::Value* Lowering::contract(NodeId id, const Point& point, const std::vector<AxisId>& axes) {
  const Node& at = node(id);
  const Type& left = type(at.operands[0]);
  const Type& right = type(at.operands[1]);
  std::vector<Extent> extents;
  for (AxisId axis : axes)
    extents.push_back(graph_.axis(axis).extent);
  std::vector<std::int32_t> summed;
  for (std::size_t d = 0; d < at.left_labels.size(); ++d)
    if (!holds(at.out_labels, at.left_labels[d])) {
      summed.push_back(at.left_labels[d]);
      extents.push_back(left.shape[d]);
    }
  const auto place = [&](const std::vector<std::int32_t>& labels, const std::vector<Coordinate>& indices) {
    Point inner{point.axes, {}};
    for (std::size_t k = 0; k < axes.size(); ++k)
      inner.set_axis(axes[k], indices[k]);
    for (std::int32_t label : labels) {
      const auto out = std::find(at.out_labels.begin(), at.out_labels.end(), label);
      if (out != at.out_labels.end())
        inner.dims.push_back(point.dims[static_cast<std::size_t>(out - at.out_labels.begin())]);
      else
        inner.dims.push_back(
            indices[axes.size() + static_cast<std::size_t>(std::find(summed.begin(), summed.end(), label) -
                                                           summed.begin())]);
    }
    return inner;
  };
  const std::vector<Coordinate> start(extents.size(), fixed(0));
  const bool terms_vary =
      varies(left, place(at.left_labels, start)) || varies(right, place(at.right_labels, start));
  const bool wide = passes::is_root_scalar(at.type);
  return sum_over(extents, terms_vary, Element::real, wide, false,
                  [&](const std::vector<Coordinate>& indices) {
                    llvm::Value* a = evaluate(at.operands[0], place(at.left_labels, indices));
                    llvm::Value* b = evaluate(at.operands[1], place(at.right_labels, indices));
                    const bool in_lanes = a->getType()->isVectorTy() || b->getType()->isVectorTy();
                    llvm::Type* scalar = wide && !in_lanes ? builder_.getDoubleTy() : real_;
                    llvm::Type* kept = in_lanes ? vector_of(scalar) : scalar;
                    llvm::Value* product = builder_.CreateFMul(coerce(a, kept), coerce(b, kept));
                    if (auto* instruction = llvm::dyn_cast<llvm::Instruction>(product))
                      instruction->setHasAllowContract(true);
                    return product;
                  });
}

/** One element of a scatter: the values whose index is this place. */
llvm::Value* Lowering::scattered_element(NodeId id, const Point& point) {
  const Node& at = node(id);
  const NodeId index = at.operands[0], value = at.operands[1];
  const std::size_t rank = type(index).shape.size(), dim = static_cast<std::size_t>(at.dim);
  const Coordinate& wanted = point.dims[dim];
  const auto place = [&](const std::vector<Coordinate>& indices) {
    Point inner{point.axes, {point.dims.begin(), point.dims.begin() + at.dim}};
    inner.dims.insert(inner.dims.end(), indices.begin(), indices.end());
    inner.dims.insert(inner.dims.end(), point.dims.begin() + at.dim + 1, point.dims.end());
    return inner;
  };
  const Type& from = type(value);
  const std::vector<Extent> extents(from.shape.begin() + at.dim,
                                    from.shape.begin() + at.dim + static_cast<std::ptrdiff_t>(rank));
  const std::vector<Coordinate> start(rank, fixed(0));
  const bool terms_vary =
      varies(from, place(start)) || varies(type(index), {point.axes, start}) || wanted.varies();
  return sum_over(extents, terms_vary, Element::real, false, false,
                  [&](const std::vector<Coordinate>& indices) {
                    const Coordinate position = coordinate_of(index, {point.axes, indices});
                    const bool in_lanes = position.varies() || wanted.varies();
                    llvm::Value* hit = builder_.CreateICmpEQ(in_lanes        ? as_vector(position)
                                                             : position.base ? position.base
                                                                             : i64(0),
                                                             in_lanes      ? as_vector(wanted)
                                                             : wanted.base ? wanted.base
                                                                           : i64(0));
                    llvm::Value* term = coerce(evaluate(value, operand_point(value, place(indices))), real_);
                    if (in_lanes)
                      term = splat(term);
                    return builder_.CreateSelect(hit, term, llvm::Constant::getNullValue(term->getType()));
                  });
}

llvm::Value* Lowering::concat(NodeId id, const Point& point) {
  const Node& at = node(id);
  const std::size_t dim = static_cast<std::size_t>(at.dim);
  const Coordinate& place = point.dims[dim];
  std::int64_t start = 0;
  if (!place.varies())
    if (const auto* constant_place = llvm::dyn_cast<llvm::ConstantInt>(place.base)) {
      const std::int64_t wanted = constant_place->getSExtValue();
      for (NodeId part : at.operands) {
        const Extent& length = type(part).shape[dim];
        if (at.operands.size() == 1 || wanted < start + length.value) {
          Point inner = point;
          inner.dims[dim] = fixed(wanted - start);
          return evaluate(part, inner);
        }
        start += length.value;
      }
    }
  llvm::Value* result = nullptr;
  for (NodeId part : at.operands) {
    const Extent& length = type(part).shape[dim];
    if (length == Extent::known(0))
      continue;
    Point inner = point;
    const Coordinate moved = add(place, fixed(-start));
    inner.dims[dim] = at.operands.size() == 1 ? moved : clamp(moved, length);
    llvm::Value* value = evaluate(part, inner);
    if (result) {
      llvm::Value* own = moved.varies() ? as_vector(moved) : moved.base;
      llvm::Value* from_here = builder_.CreateICmpSGE(own, llvm::Constant::getNullValue(own->getType()));
      if (own->getType()->isVectorTy() || value->getType()->isVectorTy() || result->getType()->isVectorTy()) {
        value = splat(value);
        result = splat(result);
      }
      result = builder_.CreateSelect(from_here, coerce(value, result->getType()), result);
    } else {
      result = value;
    }
    start += length.value;
  }
  if (!result)
    return llvm::Constant::getNullValue(scalar_type(at.type.element, false));
  return result;
}

// ---- Indices ----

Coordinate Lowering::coordinate_of(NodeId id, const Point& point) {
  const Node& at = node(id);
  if (placement(id).place == Place::inlined) {
    switch (at.kind) {
    case Kind::axis_index:
      return point.axis(at.axes[0]);
    case Kind::plate_row:
      return row_coordinate(at.axes[0], point);
    case Kind::loop_index:
      return {loop_indices_.at(id), false, nullptr};
    case Kind::broadcast:
      return coordinate_of(at.operands[0], operand_point(at.operands[0], point));
    default:
      break;
    }
  }
  return as_coordinate(evaluate(id, point));
}

/** Whether an index needs no check: made by the language itself, or checked when data was bound. */
bool Lowering::is_safe_index(NodeId id) const {
  const Node& at = node(id);
  switch (at.kind) {
  case Kind::constant:
  case Kind::axis_index:
  case Kind::plate_row:
  case Kind::loop_index:
    return true;
  case Kind::broadcast:
    return is_safe_index(at.operands[0]);
  default:
    return false;
  }
}

Coordinate Lowering::clamp(const Coordinate& coordinate, const Extent& length) {
  const bool in_lanes = coordinate.varies();
  llvm::Value* value = in_lanes ? as_vector(coordinate) : coordinate.base ? coordinate.base : i64(0);
  llvm::Value* last = builder_.CreateSub(extent(length), i64(1));
  if (in_lanes)
    last = splat(last);
  value = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, value, last);
  value = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, value,
                                         llvm::Constant::getNullValue(value->getType()));
  return in_lanes ? Coordinate{nullptr, false, value} : Coordinate{value, false, nullptr};
}

} // namespace plait::codegen
