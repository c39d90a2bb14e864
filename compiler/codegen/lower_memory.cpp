#include "compiler/codegen/lower.hpp"

#include <algorithm>
#include <stdexcept>

namespace plait::codegen {

namespace {
constexpr std::int64_t unrolled = 8;

bool is_constant(llvm::Value* value, std::uint64_t number) {
  const auto* constant = llvm::dyn_cast_or_null<llvm::ConstantInt>(value);
  return constant && constant->getZExtValue() == number;
}
} // namespace

const Coordinate& Point::axis(AxisId id) const {
  for (const auto& [axis, coordinate] : axes)
    if (axis == id)
      return coordinate;
  throw std::logic_error("lowering: a point without axis " + std::to_string(id));
}

void Point::set_axis(AxisId id, Coordinate coordinate) {
  for (auto& [axis, old] : axes)
    if (axis == id) {
      old = coordinate;
      return;
    }
  axes.emplace_back(id, coordinate);
}

// ---- Coordinates ----

llvm::Value* Lowering::extent(const Extent& extent) {
  if (extent.is_known())
    return i64(extent.value);
  llvm::Value*& value = extents_[extent.name];
  if (!value) {
    const auto place = std::find(schedule_.extents.begin(), schedule_.extents.end(), extent.name);
    if (place == schedule_.extents.end())
      throw std::logic_error("lowering: extent '" + extent.name + "' has no place in the arguments");
    llvm::Value* list = argument_field(6, builder_.getPtrTy());
    value = prologue_->CreateLoad(
        builder_.getInt64Ty(),
        prologue_->CreateConstGEP1_64(builder_.getInt64Ty(), list,
                                      static_cast<std::uint64_t>(place - schedule_.extents.begin())),
        extent.name);
  }
  return value;
}

Coordinate Lowering::add(const Coordinate& a, const Coordinate& b) {
  Coordinate sum;
  sum.base = !a.base ? b.base : !b.base ? a.base : builder_.CreateAdd(a.base, b.base);
  sum.iota = a.iota || b.iota;
  sum.lanes = !a.lanes ? b.lanes : !b.lanes ? a.lanes : builder_.CreateAdd(a.lanes, b.lanes);
  if (a.iota && b.iota)
    sum.lanes = sum.lanes ? builder_.CreateAdd(sum.lanes, iota()) : iota();
  return sum;
}

Coordinate Lowering::times(const Coordinate& a, llvm::Value* factor) {
  if (is_constant(factor, 1))
    return a;
  Coordinate product;
  if (a.base)
    product.base = builder_.CreateMul(a.base, factor);
  llvm::Value* lanes = a.lanes;
  if (a.iota)
    lanes = lanes ? builder_.CreateAdd(lanes, iota()) : iota();
  if (lanes)
    product.lanes = builder_.CreateMul(lanes, splat(factor));
  return product;
}

llvm::Value* Lowering::as_vector(const Coordinate& coordinate) {
  llvm::Value* value = coordinate.lanes;
  if (coordinate.iota)
    value = value ? builder_.CreateAdd(value, iota()) : iota();
  llvm::Value* base = splat(coordinate.base ? coordinate.base : i64(0));
  return value ? builder_.CreateAdd(base, value) : base;
}

llvm::Value* Lowering::as_integer(const Coordinate& coordinate) {
  if (!coordinate.varies())
    return builder_.CreateTrunc(coordinate.base ? coordinate.base : i64(0), builder_.getInt32Ty());
  return builder_.CreateTrunc(as_vector(coordinate), vector_of(builder_.getInt32Ty()));
}

Coordinate Lowering::as_coordinate(llvm::Value* integer) {
  if (integer->getType()->isVectorTy())
    return {nullptr, false, builder_.CreateSExt(integer, vector_of(builder_.getInt64Ty()))};
  return {builder_.CreateSExt(integer, builder_.getInt64Ty()), false, nullptr};
}

Coordinate Lowering::flatten(const std::vector<Coordinate>& dims, const std::vector<Extent>& shape) {
  Coordinate flat = fixed(0);
  for (std::size_t d = 0; d < dims.size(); ++d)
    flat = add(d == 0 ? fixed(0) : times(flat, extent(shape[d])), dims[d]);
  return flat;
}

Coordinate Lowering::divide(const Coordinate& a, llvm::Value* divisor, bool remainder) {
  const auto apply = [&](llvm::Value* value, llvm::Value* by) {
    return remainder ? builder_.CreateURem(value, by) : builder_.CreateUDiv(value, by);
  };
  if (!a.varies())
    return {apply(a.base ? a.base : i64(0), divisor), false, nullptr};
  return {nullptr, false, apply(as_vector(a), splat(divisor))};
}

std::vector<Coordinate> Lowering::unflatten(const Coordinate& flat, const std::vector<Extent>& shape) {
  std::vector<Coordinate> dims(shape.size());
  Coordinate rest = flat;
  for (std::size_t d = shape.size(); d-- > 1;) {
    dims[d] = divide(rest, extent(shape[d]), true);
    rest = divide(rest, extent(shape[d]), false);
  }
  if (!shape.empty())
    dims[0] = rest;
  return dims;
}

/** Dimensions that both shapes share at the front and at the back keep their coordinates; only the middle is
 * numbered anew. Dimensions of length one cost nothing. */
std::vector<Coordinate> Lowering::reshape(const std::vector<Coordinate>& dims,
                                          const std::vector<Extent>& from, const std::vector<Extent>& to) {
  std::vector<Coordinate> source;
  std::vector<Extent> source_shape, wanted;
  const Extent one = Extent::known(1);
  for (std::size_t d = 0; d < from.size(); ++d)
    if (!(from[d] == one)) {
      source.push_back(dims[d]);
      source_shape.push_back(from[d]);
    }
  for (const Extent& e : to)
    if (!(e == one))
      wanted.push_back(e);
  std::vector<Coordinate> found(wanted.size());
  std::size_t front = 0;
  while (front < wanted.size() && front < source.size() && wanted[front] == source_shape[front]) {
    found[front] = source[front];
    ++front;
  }
  std::size_t back = 0;
  while (front + back < wanted.size() && front + back < source.size() &&
         wanted[wanted.size() - 1 - back] == source_shape[source.size() - 1 - back]) {
    found[wanted.size() - 1 - back] = source[source.size() - 1 - back];
    ++back;
  }
  if (front + back < wanted.size()) {
    const auto first = static_cast<std::ptrdiff_t>(front), last = static_cast<std::ptrdiff_t>(back);
    const Coordinate flat = flatten({source.begin() + first, source.end() - last},
                                    {source_shape.begin() + first, source_shape.end() - last});
    const auto middle = unflatten(flat, {wanted.begin() + first, wanted.end() - last});
    std::copy(middle.begin(), middle.end(), found.begin() + first);
  }
  std::vector<Coordinate> result;
  std::size_t next = 0;
  for (const Extent& e : to)
    result.push_back(e == one ? fixed(0) : found[next++]);
  return result;
}

// ---- Buffers ----

llvm::Type* Lowering::stored_type(const Buffer& buffer) const {
  if (buffer.element == Element::integer)
    return llvm::Type::getInt32Ty(context_);
  if (buffer.element == Element::boolean)
    return llvm::Type::getInt8Ty(context_);
  return buffer.wide ? llvm::Type::getDoubleTy(context_) : real_;
}

/** Mirrors passes::workspace_bytes. */
llvm::Value* Lowering::buffer_bytes(int index) {
  const Buffer& buffer = schedule_.buffers[static_cast<std::size_t>(index)];
  llvm::IRBuilder<>& b = *prologue_;
  llvm::Value* bytes = i64(std::int64_t{buffer.element_bytes} * buffer.width);
  for (AxisId axis : buffer.axes)
    bytes = b.CreateMul(bytes, axis_extent(axis));
  for (const Extent& e : buffer.shape)
    bytes = b.CreateMul(bytes, extent(e));
  const std::int64_t lanes = schedule_.lanes;
  if (buffer.lane_axis != passes::no_axis) {
    llvm::Value* rows = buffer.lane_rows > 0 ? i64(buffer.lane_rows) : axis_extent(buffer.lane_axis);
    rows = b.CreateAnd(b.CreateAdd(rows, i64(lanes - 1)), i64(-lanes));
    bytes = b.CreateMul(bytes, rows);
  }
  bytes = b.CreateAdd(bytes, i64(std::int64_t{buffer.element_bytes} * lanes));
  return b.CreateAnd(b.CreateAdd(bytes, i64(passes::buffer_alignment - 1)), i64(-passes::buffer_alignment));
}

llvm::Value* Lowering::buffer_offset(int index) {
  int previous = index - 1;
  while (previous >= 0 && !passes::in_workspace(schedule_.buffers[static_cast<std::size_t>(previous)]))
    --previous;
  if (previous < 0)
    return i64(0);
  llvm::Value*& known = offsets_[index];
  if (!known) {
    llvm::Value* before = buffer_offset(previous);
    const int chunks = std::max(1, schedule_.buffers[static_cast<std::size_t>(previous)].chunks);
    known = prologue_->CreateAdd(before, prologue_->CreateMul(buffer_bytes(previous), i64(chunks)));
  }
  return known;
}

Memory Lowering::buffer_memory(int index, llvm::Value* chunk) {
  const Buffer& buffer = schedule_.buffers[static_cast<std::size_t>(index)];
  Memory memory;
  memory.stored = stored_type(buffer);
  if (chunk) { // the part of another chunk, in the function that joins them
    llvm::Value* offset =
        builder_.CreateAdd(buffer_offset(index), builder_.CreateMul(buffer_bytes(index), chunk));
    memory.pointer = builder_.CreateGEP(builder_.getInt8Ty(), argument_field(9, builder_.getPtrTy()), offset);
    return memory;
  }
  llvm::Value*& pointer = pointers_[index];
  if (!pointer) {
    if (!passes::in_workspace(buffer)) {
      std::int64_t count =
          std::max<std::int64_t>(1, passes::known_elements(graph_, buffer.axes, buffer.shape));
      if (buffer.lane_axis != passes::no_axis)
        count *= buffer.lane_rows;
      pointer = stack(memory.stored, i64(count));
    } else {
      llvm::Value* offset = buffer_offset(index);
      if (buffer.chunks > 0 && chunk_)
        offset = prologue_->CreateAdd(offset, prologue_->CreateMul(buffer_bytes(index), chunk_));
      pointer = prologue_->CreateGEP(builder_.getInt8Ty(), argument_field(9, builder_.getPtrTy()), offset);
    }
  }
  memory.pointer = pointer;
  return memory;
}

Coordinate Lowering::buffer_index(int index, const Point& point) {
  const Buffer& buffer = schedule_.buffers[static_cast<std::size_t>(index)];
  Coordinate flat = fixed(0);
  bool first = true;
  const auto step = [&](llvm::Value* length, const Coordinate& coordinate) {
    flat = first ? coordinate : add(times(flat, length), coordinate);
    first = false;
  };
  for (AxisId axis : buffer.axes)
    step(axis_extent(axis), point.axis(axis));
  for (std::size_t d = 0; d < buffer.shape.size(); ++d)
    step(extent(buffer.shape[d]), point.dims[d]);
  if (buffer.lane_axis != passes::no_axis) {
    const std::int64_t lanes = schedule_.lanes;
    if (buffer.place == Place::lane) {
      step(i64(buffer.lane_rows), {nullptr, true, nullptr});
    } else if (buffer.place == Place::tile) {
      step(i64(buffer.lane_rows), {tile_offset_, true, nullptr});
    } else {
      llvm::Value* rows = axis_extent(buffer.lane_axis);
      rows = builder_.CreateAnd(builder_.CreateAdd(rows, i64(lanes - 1)), i64(-lanes));
      step(rows, point.axis(buffer.lane_axis));
    }
  }
  return flat;
}

llvm::Value* Lowering::element_pointer(const Memory& memory, llvm::Value* index) {
  return builder_.CreateInBoundsGEP(memory.stored, memory.pointer, index ? index : i64(0));
}

llvm::Value* Lowering::load(const Memory& memory, const Coordinate& index, Element element,
                            llvm::Value* mask) {
  const llvm::Align align(memory.stored->getScalarSizeInBits() / 8);
  llvm::Value* value = nullptr;
  if (!index.varies()) {
    value = builder_.CreateAlignedLoad(memory.stored, element_pointer(memory, index.base), align);
  } else {
    llvm::Type* vector = vector_of(memory.stored);
    if (mask_)
      mask = mask ? builder_.CreateAnd(mask, mask_) : mask_;
    if (index.iota && !index.lanes) {
      llvm::Value* pointer = element_pointer(memory, index.base);
      if (mask && (memory.external || mask != mask_))
        value = builder_.CreateMaskedLoad(vector, pointer, align, mask, llvm::Constant::getNullValue(vector));
      else
        value = builder_.CreateAlignedLoad(vector, pointer, align);
    } else {
      Coordinate rest = index;
      rest.base = nullptr;
      llvm::Value* base = element_pointer(memory, index.base);
      if (memory.stored->getScalarSizeInBits() < 32) {
        // No machine gathers bytes. Lanes without a row read row 0, so that no load hangs on a branch.
        llvm::Value* places = as_vector(rest);
        if (mask)
          places = builder_.CreateSelect(mask, places, llvm::Constant::getNullValue(places->getType()));
        value = llvm::PoisonValue::get(vector);
        for (unsigned lane = 0; lane < width(); ++lane) {
          llvm::Value* place = builder_.CreateExtractElement(places, std::uint64_t{lane});
          llvm::Value* number = builder_.CreateAlignedLoad(
              memory.stored, builder_.CreateInBoundsGEP(memory.stored, base, place), align);
          value = builder_.CreateInsertElement(value, number, std::uint64_t{lane});
        }
        return convert_loaded(memory, value, element);
      }
      llvm::Value* pointers = builder_.CreateGEP(memory.stored, base, as_vector(rest));
      if (!mask)
        mask = llvm::Constant::getAllOnesValue(vector_of(builder_.getInt1Ty()));
      value =
          builder_.CreateMaskedGather(vector, pointers, align, mask, llvm::Constant::getNullValue(vector));
    }
  }
  return convert_loaded(memory, value, element);
}

/** From the type in memory to that in registers. */
llvm::Value* Lowering::convert_loaded(const Memory& memory, llvm::Value* value, Element element) {
  llvm::Type* stored = memory.stored;
  const bool is_vector = value->getType()->isVectorTy();
  const auto shaped = [&](llvm::Type* scalar) { return is_vector ? vector_of(scalar) : scalar; };
  if (element == Element::real) {
    if (stored->isIntegerTy())
      return memory.is_unsigned ? builder_.CreateUIToFP(value, shaped(real_))
                                : builder_.CreateSIToFP(value, shaped(real_));
    if (stored != real_ && memory.external)
      return builder_.CreateFPCast(value, shaped(real_));
    return value;
  }
  if (element == Element::integer) {
    if (stored->isFloatingPointTy())
      return builder_.CreateFPToSI(value, shaped(builder_.getInt32Ty()));
    return builder_.CreateIntCast(value, shaped(builder_.getInt32Ty()), !memory.is_unsigned);
  }
  llvm::Value* zero = llvm::Constant::getNullValue(value->getType());
  return stored->isFloatingPointTy() ? builder_.CreateFCmpUNE(value, zero)
                                     : builder_.CreateICmpNE(value, zero);
}

/** `value` has the element's register type; masks become bytes. */
void Lowering::store(const Memory& memory, const Coordinate& index, llvm::Value* value) {
  const llvm::Align align(memory.stored->getScalarSizeInBits() / 8);
  if (value->getType()->getScalarType()->isIntegerTy(1))
    value = builder_.CreateZExt(value, value->getType()->isVectorTy()
                                           ? vector_of(builder_.getInt8Ty())
                                           : static_cast<llvm::Type*>(builder_.getInt8Ty()));
  if (value->getType()->getScalarType()->isIntegerTy() && memory.stored->isFloatingPointTy())
    value = builder_.CreateSIToFP(value,
                                  value->getType()->isVectorTy() ? vector_of(memory.stored) : memory.stored);
  if (!index.varies()) {
    builder_.CreateAlignedStore(coerce(value, memory.stored), element_pointer(memory, index.base), align);
    return;
  }
  value = coerce(value, vector_of(memory.stored));
  if (index.iota && !index.lanes) {
    llvm::Value* pointer = element_pointer(memory, index.base);
    // Rows of plates have room for whole registers; at the root the next row begins behind the last element.
    if (mask_ && (memory.external || phase_->home == passes::no_axis))
      builder_.CreateMaskedStore(value, pointer, align, mask_);
    else
      builder_.CreateAlignedStore(value, pointer, align);
    return;
  }
  Coordinate rest = index;
  rest.base = nullptr;
  llvm::Value* pointers =
      builder_.CreateGEP(memory.stored, element_pointer(memory, index.base), as_vector(rest));
  builder_.CreateMaskedScatter(value, pointers, align,
                               mask_ ? mask_
                                     : llvm::Constant::getAllOnesValue(vector_of(builder_.getInt1Ty())));
}

llvm::Value* Lowering::load_placed(const Placement& placement, const Point& point, Element element) {
  return load(buffer_memory(placement.buffer), buffer_index(placement.buffer, point), element);
}

void Lowering::store_placed(const Placement& placement, const Point& point, llvm::Value* value) {
  store(buffer_memory(placement.buffer), buffer_index(placement.buffer, point), value);
}

llvm::AllocaInst* Lowering::stack(llvm::Type* type, llvm::Value* count) {
  llvm::Type* whole = type;
  if (count)
    whole = llvm::ArrayType::get(type, llvm::cast<llvm::ConstantInt>(count)->getZExtValue());
  llvm::AllocaInst* place = prologue_->CreateAlloca(whole);
  place->setAlignment(llvm::Align(64));
  return place;
}

llvm::Value* Lowering::external_pointer(unsigned field, std::int64_t index) {
  llvm::Value*& pointer = externals_[{field, index}];
  if (!pointer) {
    llvm::Value* list = argument_field(field, builder_.getPtrTy());
    pointer = prologue_->CreateLoad(
        builder_.getPtrTy(),
        prologue_->CreateConstGEP1_64(builder_.getPtrTy(), list, static_cast<std::uint64_t>(index)));
  }
  return pointer;
}

// ---- Loops ----

void Lowering::loop(llvm::Value* begin, llvm::Value* end, llvm::Value* step,
                    const std::function<void(llvm::Value*)>& body) {
  llvm::BasicBlock* before = builder_.GetInsertBlock();
  llvm::BasicBlock* header = llvm::BasicBlock::Create(context_, "head", function_);
  llvm::BasicBlock* inside = llvm::BasicBlock::Create(context_, "body", function_);
  llvm::BasicBlock* after = llvm::BasicBlock::Create(context_, "next", function_);
  builder_.CreateBr(header);
  builder_.SetInsertPoint(header);
  llvm::PHINode* index = builder_.CreatePHI(builder_.getInt64Ty(), 2);
  index->addIncoming(begin, before);
  builder_.CreateCondBr(builder_.CreateICmpSLT(index, end), inside, after);
  builder_.SetInsertPoint(inside);
  memo_.emplace_back();
  body(index);
  memo_.pop_back();
  llvm::Value* next = builder_.CreateNSWAdd(index, step);
  index->addIncoming(next, builder_.GetInsertBlock());
  builder_.CreateBr(header);
  builder_.SetInsertPoint(after);
}

void Lowering::for_each(const std::vector<Extent>& extents,
                        const std::function<void(std::vector<Coordinate>)>& body) {
  std::int64_t total = 1;
  for (const Extent& e : extents)
    total = e.is_known() && total >= 0 ? total * e.value : -1;
  const bool unroll = total >= 0 && total <= unrolled;
  std::vector<Coordinate> indices(extents.size());
  const auto walk = [&](const auto& self, std::size_t d) -> void {
    if (d == extents.size()) {
      body(indices);
    } else if (unroll || (extents[d].is_known() && extents[d].value == 1)) {
      for (std::int64_t i = 0; i < extents[d].value; ++i) {
        indices[d] = fixed(i);
        self(self, d + 1);
      }
    } else {
      loop(i64(0), extent(extents[d]), i64(1), [&](llvm::Value* i) {
        indices[d] = {i, false, nullptr};
        self(self, d + 1);
      });
    }
  };
  walk(walk, 0);
}

void Lowering::for_each_point(const Type& type, const std::function<void(const Point&)>& body,
                              bool in_lanes) {
  std::vector<AxisId> axes = type.axes;
  const bool has_home = phase_->home != passes::no_axis && type.has_axis(phase_->home);
  if (has_home)
    std::erase(axes, phase_->home);
  std::vector<Extent> extents;
  for (AxisId axis : axes)
    extents.push_back(graph_.axis(axis).extent);
  extents.insert(extents.end(), type.shape.begin(), type.shape.end());
  const auto visit = [&](const std::vector<Coordinate>& indices) {
    Point point;
    if (has_home)
      point.set_axis(phase_->home, home_);
    for (std::size_t k = 0; k < axes.size(); ++k)
      point.set_axis(axes[k], indices[k]);
    point.dims.assign(indices.begin() + static_cast<std::ptrdiff_t>(axes.size()), indices.end());
    body(point);
  };
  in_lanes = in_lanes && phase_->home == passes::no_axis && !extents.empty() && !mask_ &&
             !(extents.back().is_known() && extents.back().value <= 1);
  if (!in_lanes) {
    for_each(extents, visit);
    return;
  }
  const Extent last = extents.back();
  extents.pop_back();
  for_each(extents, [&](std::vector<Coordinate> indices) {
    const std::int64_t step = schedule_.lanes;
    const auto group = [&](llvm::Value* i) {
      const bool whole = last.is_known() && last.value % step == 0;
      if (!whole) {
        llvm::Value* left = builder_.CreateSub(extent(last), i);
        mask_ = builder_.CreateICmpSLT(iota(), splat(left));
      }
      indices.push_back({i, true, nullptr});
      memo_.emplace_back();
      visit(indices);
      memo_.pop_back();
      indices.pop_back();
      mask_ = nullptr;
    };
    if (last.is_known() && last.value <= step)
      group(i64(0));
    else
      loop(i64(0), extent(last), i64(step), group);
  });
}

// ---- Kinds of numbers ----

LlvmLanes Lowering::lanes(llvm::Type* like, bool wide) {
  const int count = like && like->isVectorTy() ? schedule_.lanes : 1;
  return {builder_, target_, count, !wide && options_.single_precision};
}

llvm::Type* Lowering::scalar_type(Element element, bool wide) {
  switch (element) {
  case Element::real:
    return wide ? builder_.getDoubleTy() : real_;
  case Element::integer:
    return builder_.getInt32Ty();
  case Element::boolean:
    break;
  }
  return builder_.getInt1Ty();
}

llvm::Value* Lowering::splat(llvm::Value* value) {
  return value->getType()->isVectorTy() ? value : builder_.CreateVectorSplat(width(), value);
}

llvm::Value* Lowering::coerce(llvm::Value* value, llvm::Type* wanted) {
  llvm::Type* scalar = wanted->getScalarType();
  llvm::Type* own = value->getType();
  if (own->getScalarType() != scalar && scalar->isFloatingPointTy() &&
      own->getScalarType()->isFloatingPointTy())
    value = builder_.CreateFPCast(value, own->isVectorTy() ? vector_of(scalar) : scalar);
  return wanted->isVectorTy() ? splat(value) : value;
}

llvm::Value* Lowering::horizontal(llvm::Value* vector, bool maximum) {
  llvm::Type* type = vector->getType()->getScalarType();
  if (type->isIntegerTy())
    return maximum ? builder_.CreateIntMaxReduce(vector, true) : builder_.CreateAddReduce(vector);
  if (maximum)
    return builder_.CreateFPMaxReduce(vector);
  // Pairwise, so that the sum is a tree and every step fills a register.
  unsigned count = width();
  while (count > 1) {
    count /= 2;
    llvm::SmallVector<int, 64> low, high;
    for (unsigned i = 0; i < count; ++i) {
      low.push_back(static_cast<int>(i));
      high.push_back(static_cast<int>(i + count));
    }
    vector = builder_.CreateFAdd(builder_.CreateShuffleVector(vector, low),
                                 builder_.CreateShuffleVector(vector, high));
  }
  return builder_.CreateExtractElement(vector, std::uint64_t{0});
}

bool Lowering::varies(const Type& type, const Point& point) const {
  for (AxisId axis : type.axes)
    if (point.axis(axis).varies())
      return true;
  return std::any_of(point.dims.begin(), point.dims.end(), [](const Coordinate& c) { return c.varies(); });
}

llvm::Value* Lowering::iota() {
  llvm::SmallVector<llvm::Constant*, 64> numbers;
  for (unsigned i = 0; i < width(); ++i)
    numbers.push_back(builder_.getInt64(i));
  return llvm::ConstantVector::get(numbers);
}

} // namespace plait::codegen
