#include "compiler/codegen/lower.hpp"

#include <algorithm>

namespace plait::codegen {

Lowering::Lowering(const Graph& graph, const Schedule& schedule, const CodegenOptions& options,
                   const Target& target, llvm::Module& module)
    : graph_(graph), schedule_(schedule), options_(options), target_(target), module_(module),
      context_(module.getContext()), builder_(context_),
      real_(options.single_precision ? llvm::Type::getFloatTy(context_) : llvm::Type::getDoubleTy(context_)) {
  for (const Node& at : graph.nodes)
    if (at.kind == Kind::slot)
      slots_per_parameter_ = std::max(slots_per_parameter_, at.slot + 1);
  for (const ir::Output& output : graph.outputs)
    if (output.kind == ir::OutputKind::store_slot)
      slots_per_parameter_ = std::max(slots_per_parameter_, output.slot + 1);
}

void Lowering::run() {
  std::vector<llvm::Function*> functions(schedule_.phases.size(), nullptr);
  for (std::size_t p = 0; p < schedule_.phases.size(); ++p)
    if (schedule_.phases[p].home != passes::no_axis)
      functions[p] = lower_plate_phase(p);
  begin_function(make_function(step_name, false));
  for (std::size_t p = 0; p < schedule_.phases.size(); ++p) {
    const Phase& phase = schedule_.phases[p];
    phase_ = &phase;
    if (functions[p])
      call_phase(phase, functions[p]);
    else
      lower_root_phase(phase);
  }
  end_function();
}

llvm::Function* Lowering::make_function(const std::string& name, bool with_chunk) {
  std::vector<llvm::Type*> parameters{builder_.getPtrTy()};
  if (with_chunk)
    parameters.push_back(builder_.getInt64Ty());
  auto* signature = llvm::FunctionType::get(builder_.getVoidTy(), parameters, false);
  auto* function = llvm::Function::Create(
      signature, with_chunk ? llvm::GlobalValue::InternalLinkage : llvm::GlobalValue::ExternalLinkage, name,
      module_);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->getArg(0)->setName("arguments");
  return function;
}

void Lowering::begin_function(llvm::Function* function) {
  function_ = function;
  llvm::BasicBlock* entry = llvm::BasicBlock::Create(context_, "entry", function);
  body_ = llvm::BasicBlock::Create(context_, "start", function);
  prologue_.emplace(entry);
  builder_.SetInsertPoint(body_);
  chunk_ = function->arg_size() > 1 ? function->getArg(1) : nullptr;
  extents_.clear();
  offsets_.clear();
  pointers_.clear();
  externals_.clear();
  fields_.clear();
  loop_indices_.clear();
  register_sums_.clear();
  memo_.assign(1, {});
  mask_ = nullptr;
  home_ = {};
  tile_offset_ = active_rows_ = nullptr;
}

void Lowering::end_function() {
  prologue_->CreateBr(body_);
  builder_.CreateRetVoid();
  prologue_.reset();
}

/** A field of StepArguments; every field takes eight bytes. */
llvm::Value* Lowering::argument_field(unsigned field, llvm::Type* type) {
  llvm::Value*& value = fields_[field];
  if (!value)
    value = prologue_->CreateLoad(type,
                                  prologue_->CreateConstGEP1_64(prologue_->getInt8Ty(), function_->getArg(0),
                                                                std::uint64_t{field} * 8));
  return value;
}

llvm::Value* Lowering::chunk_count(const Phase& phase) {
  llvm::Value* rows = axis_extent(phase.home);
  llvm::Value* tiles =
      prologue_->CreateSDiv(prologue_->CreateAdd(rows, i64(phase.tile_rows - 1)), i64(phase.tile_rows));
  tiles = prologue_->CreateBinaryIntrinsic(llvm::Intrinsic::smin, tiles, i64(phase.maximum_chunks));
  return prologue_->CreateBinaryIntrinsic(llvm::Intrinsic::smax, tiles, i64(1));
}

llvm::Function* Lowering::lower_plate_phase(std::size_t index) {
  const Phase& phase = schedule_.phases[index];
  phase_ = &phase;
  llvm::Function* function = make_function("phase_" + std::to_string(index), true);
  begin_function(function);
  llvm::Value* rows = axis_extent(phase.home);
  llvm::Value* tiles =
      prologue_->CreateSDiv(prologue_->CreateAdd(rows, i64(phase.tile_rows - 1)), i64(phase.tile_rows));
  llvm::Value* chunks = chunk_count(phase);
  llvm::Value* first = prologue_->CreateSDiv(prologue_->CreateMul(chunk_, tiles), chunks);
  llvm::Value* last =
      prologue_->CreateSDiv(prologue_->CreateMul(prologue_->CreateAdd(chunk_, i64(1)), tiles), chunks);
  chunk_start_ = prologue_->CreateMul(first, i64(phase.tile_rows));
  chunk_empty_ = prologue_->CreateICmpEQ(first, last);
  if (std::any_of(phase.statements.begin(), phase.statements.end(),
                  [](const Statement& statement) { return needs_tile(statement); }))
    builder_.CreateCall(module_.getOrInsertFunction("plait_gemm_begin", builder_.getVoidTy()));
  for (const Statement& statement : phase.statements)
    prepare_sums(statement);
  loop(first, last, i64(1), [&](llvm::Value* tile) {
    llvm::Value* start = builder_.CreateMul(tile, i64(phase.tile_rows));
    llvm::Value* count = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, i64(phase.tile_rows),
                                                        builder_.CreateSub(rows, start));
    for (const Statement& statement : phase.statements)
      start_tile_sums(statement);
    tile_start_ = start;
    tile_count_ = count;
    lower_segments(phase.statements, phase.segments, true);
    for (const Statement& statement : phase.statements)
      finish_tile_sums(statement);
  });
  for (const Statement& statement : phase.statements)
    finish_sums(statement);
  end_function();
  return function;
}

void Lowering::for_each_lane_group(const std::function<void()>& body, llvm::Value* done) {
  const std::int64_t lanes = schedule_.lanes;
  llvm::Value* first =
      done ? builder_.CreateAnd(builder_.CreateAdd(done, i64(lanes - 1)), i64(-lanes)) : i64(0);
  loop(first, tile_count_, i64(lanes), [&](llvm::Value* offset) {
    tile_offset_ = offset;
    home_ = {builder_.CreateAdd(tile_start_, offset), true, nullptr};
    active_rows_ = builder_.CreateSub(tile_count_, offset);
    mask_ = builder_.CreateICmpSLT(iota(), splat(active_rows_));
    body();
  });
  mask_ = nullptr;
}

void Lowering::lower_segments(const std::vector<Statement>& statements, int segments, bool fetch) {
  for (int segment = 0; segment < segments; ++segment) {
    const auto each = [&](bool whole_tile, const auto& visit) {
      for (const Statement& statement : statements)
        if (statement.segment == segment && needs_tile(statement) == whole_tile)
          visit(statement);
    };
    bool has_lane_work = false;
    each(false, [&](const Statement&) { has_lane_work = true; });
    if (has_lane_work)
      for_each_lane_group([&] {
        if (fetch && segment == 0)
          fetch_rows_ahead();
        each(false, [&](const Statement& statement) { lower(statement); });
      });
    each(true, [&](const Statement& statement) { lower(statement); });
  }
}

void Lowering::lower_root_phase(const Phase& phase) {
  for (const Statement& statement : phase.statements)
    lower(statement);
}

void Lowering::call_phase(const Phase& phase, llvm::Function* function) {
  llvm::Value* chunks = chunk_count(phase);
  llvm::Value* arguments = function_->getArg(0);
  if (phase.maximum_chunks == 1) {
    builder_.CreateCall(function, {arguments, i64(0)});
  } else {
    llvm::BasicBlock* parallel = llvm::BasicBlock::Create(context_, "parallel", function_);
    llvm::BasicBlock* serial = llvm::BasicBlock::Create(context_, "serial", function_);
    llvm::BasicBlock* joined = llvm::BasicBlock::Create(context_, "joined", function_);
    llvm::Type* pointer = builder_.getPtrTy();
    llvm::Value* parallel_for = argument_field(10, pointer);
    llvm::Value* several = builder_.CreateICmpSGT(chunks, i64(1));
    llvm::Value* possible =
        builder_.CreateICmpNE(parallel_for, llvm::ConstantPointerNull::get(builder_.getPtrTy()));
    builder_.CreateCondBr(builder_.CreateAnd(several, possible), parallel, serial);
    builder_.SetInsertPoint(parallel);
    auto* signature = llvm::FunctionType::get(builder_.getVoidTy(),
                                              {pointer, builder_.getInt64Ty(), pointer, pointer}, false);
    builder_.CreateCall(signature, parallel_for, {argument_field(11, pointer), chunks, function, arguments});
    builder_.CreateBr(joined);
    builder_.SetInsertPoint(serial);
    loop(i64(0), chunks, i64(1),
         [&](llvm::Value* chunk) { builder_.CreateCall(function, {arguments, chunk}); });
    builder_.CreateBr(joined);
    builder_.SetInsertPoint(joined);
  }
  for (const Statement& statement : phase.statements)
    combine_sums(phase, statement, chunks);
}

/** Adds up the sums of all chunks, in the order of the chunks. */
void Lowering::combine_sums(const Phase& phase, const Statement& statement, llvm::Value* chunks) {
  for (const Statement& part : statement.body)
    combine_sums(phase, part, chunks);
  if (statement.accumulator < 0 || statement.joins)
    return;
  const Buffer& sums = schedule_.buffers[static_cast<std::size_t>(statement.accumulator)];
  const int result = placement(statement.target).buffer;
  const Buffer& target = schedule_.buffers[static_cast<std::size_t>(result)];
  const Memory to = buffer_memory(result);
  const bool maximum = takes_maximum(statement);
  llvm::Value* elements = i64(1);
  for (AxisId axis : target.axes)
    elements = builder_.CreateMul(elements, axis_extent(axis));
  for (const Extent& e : target.shape)
    elements = builder_.CreateMul(elements, extent(e));
  if (target.lane_axis != passes::no_axis) {
    llvm::Value* padded = builder_.CreateAdd(axis_extent(target.lane_axis), i64(schedule_.lanes - 1));
    elements = builder_.CreateMul(elements, builder_.CreateAnd(padded, i64(-schedule_.lanes)));
  }
  const auto* known = llvm::dyn_cast<llvm::ConstantInt>(elements);
  const bool in_lanes = sums.width > 1 || !known || known->getSExtValue() > 4;
  llvm::Type* kept = in_lanes ? vector_of(to.stored) : to.stored;
  const llvm::Align align(static_cast<std::uint64_t>(sums.element_bytes));
  const auto total = [&](llvm::Value* place) {
    const auto part = [&](llvm::Value* chunk) {
      return builder_.CreateAlignedLoad(
          kept, element_pointer(buffer_memory(statement.accumulator, chunk), place), align);
    };
    if (phase.maximum_chunks == 1)
      return static_cast<llvm::Value*>(part(i64(0)));
    llvm::AllocaInst* sum = stack(kept);
    builder_.CreateStore(part(i64(0)), sum);
    loop(i64(1), chunks, i64(1), [&](llvm::Value* chunk) {
      builder_.CreateStore(combine(builder_.CreateLoad(kept, sum), part(chunk), maximum), sum);
    });
    return static_cast<llvm::Value*>(builder_.CreateLoad(kept, sum));
  };
  const llvm::Align to_align(static_cast<std::uint64_t>(target.element_bytes));
  const auto one = [&](llvm::Value* e) {
    llvm::Value* place = sums.width > 1 ? builder_.CreateMul(e, i64(sums.width)) : e;
    llvm::Value* value = total(place);
    if (sums.width > 1)
      value = horizontal(value, maximum);
    builder_.CreateAlignedStore(value, element_pointer(to, e), to_align);
  };
  if (known && known->getSExtValue() <= 4)
    for (std::int64_t e = 0; e < known->getSExtValue(); ++e)
      one(i64(e));
  else
    loop(i64(0), elements, i64(sums.width > 1 ? 1 : schedule_.lanes), one);
}

} // namespace plait::codegen
