#include "compiler/session/laplace.hpp"

#include "compiler/guide/family.hpp"
#include "runtime/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace plait::session {

namespace {

/** Beyond this the Hessian alone takes gigabytes. */
constexpr std::size_t most_latents = 10'000;

/** The negative log joint over all data and its gradient, in f64 whatever the fit's precision. */
class NegativeLogJoint {
public:
  explicit NegativeLogJoint(const Fit::State& state)
      : options_(double_precision(state.options.compile)),
        bound_(bind_program(*state.parsed, state.data, options_)), native_(compile(state)) {
    runtime::RunnerSetup setup = runner_setup(bound_, native_, false);
    const std::vector<void*> fitted = match_parameters(state, bound_, native_.graph);
    for (std::size_t p = 0; p < fitted.size(); ++p) {
      const ir::Parameter& parameter = native_.graph.parameters[p];
      const auto array =
          std::find_if(state.parameters.begin(), state.parameters.end(),
                       [&](const ParameterArray& candidate) { return candidate.name == parameter.name; });
      const bool single = state.bound.single_precision;
      const std::size_t size = array->values.bytes() / bytes_of_real(single);
      values_.emplace_back(size * 8);
      gradients_.emplace_back(size * 8);
      for (std::size_t k = 0; k < size; ++k)
        numbers(values_.back())[k] = read_real(fitted[p], k, single);
      setup.parameters.push_back(values_.back().data());
      setup.gradients.push_back(gradients_.back().data());
      if (parameter.group != "guide" ||
          in_subsampled_plate(native_.graph, parameter.axes, bound_.checked.program))
        continue;
      pieces.push_back({parameter.name, point_.size(), size});
      for (std::size_t k = 0; k < size; ++k) {
        point_.push_back(numbers(values_.back()) + k);
        gradient_.push_back(numbers(gradients_.back()) + k);
      }
    }
    setup.seed = state.options.seed;
    setup.pool = state.pool.get();
    runner_ = std::make_unique<runtime::StepRunner>(std::move(setup));
  }

  std::size_t size() const { return point_.size(); }
  double& coordinate(std::size_t k) { return *point_[k]; }
  double gradient(std::size_t k) const { return *gradient_[k]; }
  double evaluate() {
    for (Buffer& buffer : gradients_)
      std::memset(buffer.data(), 0, buffer.bytes());
    runner_->run(0, {{"step", 1.0}, {"kl_weight", 1.0}});
    return -runner_->scalar(0);
  }

  std::vector<LaplacePosterior::Piece> pieces;

private:
  static double* numbers(const Buffer& buffer) { return static_cast<double*>(buffer.data()); }

  static CompileOptions double_precision(CompileOptions options) {
    options.precision = Precision::f64;
    options.objective = "elbo";
    options.objective_options.clear();
    options.particles = 1;
    return options;
  }

  compiler::NativeProgram compile(const Fit::State& state) const {
    Diagnostics diagnostics;
    auto elbo = elbo::build_elbo(bound_.checked.program, elbo_options(options_, false), diagnostics);
    throw_if_errors(state.parsed->source, diagnostics);
    elbo::add_gradient_outputs(*elbo);
    return compiler::compile_native(std::move(*elbo->graph), native_options(bound_, options_));
  }

  CompileOptions options_;
  BoundProgram bound_;
  compiler::NativeProgram native_;
  std::vector<Buffer> values_, gradients_;
  std::vector<double*> point_, gradient_;
  std::unique_ptr<runtime::StepRunner> runner_;
};

/** Column k: the difference of the gradient over a step of h to either side of coordinate k, with the h that
 * balances its error h^2 with rounding / h. Symmetric by the mean of both triangles. */
ir::Matrix hessian(NegativeLogJoint& density) {
  const std::size_t n = density.size();
  const auto order = static_cast<std::int64_t>(n);
  ir::Matrix result(order, order);
  const double relative = std::cbrt(std::numeric_limits<double>::epsilon());
  for (std::size_t k = 0; k < n; ++k) {
    const double here = density.coordinate(k);
    const double h = relative * std::max(1.0, std::abs(here));
    for (const double side : {1.0, -1.0}) {
      density.coordinate(k) = here + side * h;
      density.evaluate();
      for (std::size_t i = 0; i < n; ++i) {
        const double half = side * density.gradient(i) / (4 * h);
        result(static_cast<std::int64_t>(i), static_cast<std::int64_t>(k)) += half;
        result(static_cast<std::int64_t>(k), static_cast<std::int64_t>(i)) += half;
      }
    }
    density.coordinate(k) = here;
  }
  return result;
}

void check_factor(const LaplacePosterior& posterior) {
  for (const LaplacePosterior::Piece& piece : posterior.pieces)
    for (std::size_t k = piece.start; k < piece.start + piece.size; ++k) {
      const auto at = static_cast<std::int64_t>(k);
      if (!std::isfinite(posterior.factor(at, at)))
        throw Error(
            Fault::inference,
            fmt::format(
                "error: auto(laplace) has no Gaussian to lay: where the fit ended, step {}, the log "
                "density is not curved downwards in every direction, seen at {}\n"
                "hint: fit more steps; where the density has no mode, as a hierarchy may have none at "
                "scale 0, use auto(structured) or write the model non-centered",
                posterior.step, piece.parameter));
    }
}

std::shared_ptr<const LaplacePosterior> lay_gaussian(const Fit::State& state) {
  NegativeLogJoint density(state);
  const std::size_t n = density.size();
  if (n > most_latents)
    throw Error(Fault::inference,
                fmt::format("error: auto(laplace) takes the Hessian of at most {} latents outside "
                            "subsampled plates, here are {}\nhint: use auto(structured)",
                            most_latents, n));
  const auto order = static_cast<std::int64_t>(n);
  auto posterior = std::make_shared<LaplacePosterior>(LaplacePosterior{
      state.step, density.pieces, ir::Matrix(order, 1), ir::cholesky_factor(hessian(density))});
  check_factor(*posterior);
  // One Newton step: a fit on subsamples ends near the mode, not at it.
  const double before = density.evaluate();
  ir::Matrix gradient(order, 1);
  for (std::size_t k = 0; k < n; ++k) {
    gradient.numbers[k] = density.gradient(k);
    posterior->mode.numbers[k] = density.coordinate(k);
  }
  const ir::Matrix step =
      ir::solve_lower(posterior->factor, ir::solve_lower(posterior->factor, gradient, false), true);
  for (std::size_t k = 0; k < n; ++k)
    density.coordinate(k) -= step.numbers[k];
  if (density.evaluate() < before)
    for (std::size_t k = 0; k < n; ++k)
      posterior->mode.numbers[k] = density.coordinate(k);
  return posterior;
}

/** Empty unless the program's family asks for it. Made once for each step of the fit. */
std::shared_ptr<const LaplacePosterior> laplace_posterior(const Fit::State& state) {
  const auto& family = state.bound.checked.program.family;
  const guide::FamilyRow* row = family ? guide::find_family(family->family) : nullptr;
  if (!row || row->after_fit != guide::AfterFit::laplace)
    return nullptr;
  if (!state.laplace || state.laplace->step != state.step)
    state.laplace = lay_gaussian(state);
  return state.laplace;
}

} // namespace

PosteriorParameters::PosteriorParameters(const Fit::State& state, const BoundProgram& bound,
                                         const ir::Graph& graph, bool at_points)
    : pointers_(match_parameters(state, bound, graph)), seed_(state.options.seed),
      single_precision_(bound.single_precision) {
  if (!at_points)
    laplace_ = laplace_posterior(state);
  if (!laplace_)
    return;
  for (const LaplacePosterior::Piece& piece : laplace_->pieces)
    for (std::size_t p = 0; p < graph.parameters.size(); ++p)
      if (graph.parameters[p].name == piece.parameter) {
        moving_.push_back({&piece, Buffer(piece.size * bytes_of_real(single_precision_))});
        pointers_[p] = moving_.back().values.data();
      }
}

// u = mode + L^-T e with H = L L': its covariance is H^-1.
void PosteriorParameters::move_to(std::int64_t draw) {
  if (!laplace_)
    return;
  ir::Matrix noise(laplace_->mode.rows, 1);
  for (std::size_t k = 0; k < noise.numbers.size(); ++k) {
    const runtime::DrawPlace place{seed_, static_cast<std::uint32_t>(draw), runtime::site_stream("auto", 0),
                                   static_cast<std::uint32_t>(k >> 32), static_cast<std::uint32_t>(k)};
    noise.numbers[k] = runtime::standard_normal(place, runtime::DrawPrecision::f64);
  }
  const ir::Matrix deviation = ir::solve_lower(laplace_->factor, noise, true);
  for (const Moving& moving : moving_)
    for (std::size_t k = 0; k < moving.piece->size; ++k) {
      const std::size_t at = moving.piece->start + k;
      write_real(moving.values.data(), k, laplace_->mode.numbers[at] + deviation.numbers[at],
                 single_precision_);
    }
}

} // namespace plait::session
