#include "compiler/passes/schedule.hpp"

namespace plait::passes {
namespace {

using ir::Comparison;
using ir::Lane;

/** Counts what it is asked to build. */
class CountingLanes final : public ir::LaneBuilder {
public:
  int count = 0;

  bool is_single_precision() const override { return true; }
  Lane real(double) override { return {}; }
  Lane add(Lane, Lane) override { return counted(1); }
  Lane subtract(Lane, Lane) override { return counted(1); }
  Lane multiply(Lane, Lane) override { return counted(1); }
  Lane divide(Lane, Lane) override { return counted(8); }
  Lane negate(Lane) override { return counted(1); }
  Lane fused_multiply_add(Lane, Lane, Lane) override { return counted(1); }
  Lane square_root(Lane) override { return counted(8); }
  Lane absolute(Lane) override { return counted(1); }
  Lane floor(Lane) override { return counted(1); }
  Lane round_to_even(Lane) override { return counted(1); }
  Lane minimum(Lane, Lane) override { return counted(1); }
  Lane maximum(Lane, Lane) override { return counted(1); }
  Lane compare(Comparison, Lane, Lane) override { return counted(1); }
  Lane scale_by_power_of_two(Lane, Lane) override { return counted(2); }
  Lane exponent_of(Lane) override { return counted(2); }
  Lane mantissa_of(Lane) override { return counted(2); }
  Lane integer(std::int32_t) override { return {}; }
  Lane integer_add(Lane, Lane) override { return counted(1); }
  Lane integer_subtract(Lane, Lane) override { return counted(1); }
  Lane integer_multiply(Lane, Lane) override { return counted(1); }
  Lane integer_divide(Lane, Lane) override { return counted(32); }
  Lane integer_remainder(Lane, Lane) override { return counted(32); }
  Lane integer_compare(Comparison, Lane, Lane) override { return counted(1); }
  Lane to_real(Lane) override { return counted(1); }
  Lane to_integer(Lane) override { return counted(1); }
  Lane mask(bool) override { return {}; }
  Lane mask_and(Lane, Lane) override { return counted(1); }
  Lane mask_or(Lane, Lane) override { return counted(1); }
  Lane mask_not(Lane) override { return counted(1); }
  Lane select(Lane, Lane, Lane) override { return counted(1); }
  Lane select_integer(Lane, Lane, Lane) override { return counted(1); }
  Lane mask_to_real(Lane) override { return counted(1); }
  Lane mask_to_integer(Lane) override { return counted(1); }
  Lane call_per_lane(std::string_view, std::span<const Lane>) override { return counted(200); }

private:
  Lane counted(int operations) {
    count += operations;
    return {};
  }
};

} // namespace

int operation_count(const ir::Op& op) {
  CountingLanes lanes;
  const std::vector<Lane> inputs(static_cast<std::size_t>(op.arity.get()));
  op.lower.get()(lanes, inputs);
  return lanes.count;
}

} // namespace plait::passes
