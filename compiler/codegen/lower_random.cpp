#include "compiler/codegen/lower.hpp"
#include "compiler/codegen/philox_lanes.hpp"
#include "runtime/rng.hpp"

namespace plait::codegen {

llvm::Value* Lowering::random(NodeId id, const Point& point) {
  const Node& at = node(id);
  const Point scalar{point.axes, {}};
  const Coordinate flat = flatten(point.dims, at.type.shape);
  DrawLanes place;
  llvm::Value* seed = argument_field(12, builder_.getInt64Ty());
  place.key_low = builder_.CreateTrunc(seed, builder_.getInt32Ty());
  place.key_high = builder_.CreateTrunc(builder_.CreateLShr(seed, 32), builder_.getInt32Ty());
  place.step = argument_field(13, builder_.getInt32Ty());
  place.stream = builder_.getInt32(runtime::site_stream(at.name, 0));
  place.row = evaluate(at.operands[0], scalar);
  place.element = evaluate(at.operands[1], scalar);
  llvm::Value* offset = as_integer(flat);
  if (offset->getType()->isVectorTy() || place.element->getType()->isVectorTy()) {
    offset = splat(offset);
    place.element = splat(place.element);
  }
  place.element = builder_.CreateAdd(place.element, offset);
  llvm::SmallVector<llvm::Value*, 2> parameters;
  bool in_lanes = place.row->getType()->isVectorTy() || place.element->getType()->isVectorTy();
  for (std::size_t k = 2; k < at.operands.size(); ++k) {
    parameters.push_back(evaluate(at.operands[k], operand_point(at.operands[k], point)));
    in_lanes = in_lanes || parameters.back()->getType()->isVectorTy();
  }
  llvm::Type* real = in_lanes ? vector_of(real_) : real_;
  llvm::Value* result = nullptr;
  if (at.random == ir::RandomKind::uniform || at.random == ir::RandomKind::normal) {
    LlvmLanes builder = lanes(real, false);
    result = at.random == ir::RandomKind::uniform ? standard_uniform(builder, place)
                                                  : standard_normal(builder, place);
  } else {
    const char* name = at.random == ir::RandomKind::log_gamma ? "plait_log_gamma_sample"
                       : at.random == ir::RandomKind::poisson ? "plait_sample_poisson"
                                                              : "plait_sample_binomial";
    llvm::Type* wide = builder_.getDoubleTy();
    llvm::Type* word = builder_.getInt32Ty();
    std::vector<llvm::Type*> types(parameters.size(), wide);
    types.insert(types.end(), {builder_.getInt64Ty(), word, word, word, word});
    llvm::FunctionCallee callee =
        module_.getOrInsertFunction(name, llvm::FunctionType::get(wide, types, false));
    const auto draw = [&](const std::function<llvm::Value*(llvm::Value*)>& lane) {
      std::vector<llvm::Value*> arguments;
      for (llvm::Value* parameter : parameters)
        arguments.push_back(coerce(lane(parameter), wide));
      arguments.insert(arguments.end(),
                       {seed, place.step, place.stream, lane(place.row), lane(place.element)});
      return builder_.CreateCall(callee, arguments);
    };
    if (!in_lanes) {
      result = draw([](llvm::Value* value) { return value; });
    } else {
      // One call per lane, in a loop over registers kept on the stack.
      std::map<llvm::Value*, llvm::AllocaInst*> spilled;
      const auto spill = [&](llvm::Value* value) {
        if (value->getType()->isVectorTy() && !spilled.contains(value)) {
          spilled[value] = stack(value->getType());
          builder_.CreateStore(value, spilled[value]);
        }
      };
      spill(place.row);
      spill(place.element);
      for (llvm::Value* parameter : parameters)
        spill(parameter);
      llvm::AllocaInst* drawn = stack(vector_of(wide));
      loop(i64(0), i64(schedule_.lanes), i64(1), [&](llvm::Value* i) {
        llvm::Value* number = draw([&](llvm::Value* value) -> llvm::Value* {
          if (!value->getType()->isVectorTy())
            return value;
          llvm::Type* scalar_kind = value->getType()->getScalarType();
          return builder_.CreateLoad(scalar_kind, builder_.CreateGEP(scalar_kind, spilled.at(value), i));
        });
        builder_.CreateStore(number, builder_.CreateGEP(wide, drawn, i));
      });
      result = builder_.CreateLoad(vector_of(wide), drawn);
    }
    result = coerce(result, real);
  }
  return !in_lanes && passes::is_root_scalar(at.type) ? coerce(result, builder_.getDoubleTy()) : result;
}

} // namespace plait::codegen
