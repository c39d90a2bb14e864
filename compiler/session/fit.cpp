#include "compiler/session/average.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace plait {

Fit::Fit(std::unique_ptr<State> state) : state_(std::move(state)) {}
Fit::Fit(Fit&&) noexcept = default;
Fit& Fit::operator=(Fit&&) noexcept = default;
Fit::~Fit() = default;

std::int64_t Fit::step() const {
  return state_->step;
}
std::int64_t Fit::steps() const {
  return state_->steps;
}
const FitOptions& Fit::options() const {
  return state_->options;
}
const std::string& Fit::model_text() const {
  return state_->parsed->source.text;
}
bool Fit::finished() const {
  return state_->step >= state_->steps;
}
const std::vector<Progress>& Fit::trace() const {
  return state_->trace;
}
std::string Fit::bound_name() const {
  const auto& family = state_->bound.checked.program.family;
  const guide::FamilyRow* row = family ? guide::find_family(family->family) : nullptr;
  return std::string(row ? row->bound_name : "elbo");
}
std::vector<std::string> session::data_notes(const runtime::Dataset& dataset) {
  std::vector<std::string> notes;
  for (const runtime::DataFile& file : dataset.files)
    if (file.rows_left_out > 0)
      notes.push_back(fmt::format("{}: {} row{} with a missing value left out", file.file, file.rows_left_out,
                                  file.rows_left_out == 1 ? "" : "s"));
  return notes;
}

std::vector<std::string> Fit::data_notes() const {
  return session::data_notes(state_->bound.dataset);
}

const std::vector<std::string>& Fit::new_data_notes() const {
  return state_->new_data_notes;
}

const CompileReport& Fit::compile_report() const {
  return state_->report;
}

const StartChoice& Fit::start_choice() const {
  return state_->start;
}

const std::optional<WarmStart>& Fit::warm_start() const {
  return state_->warm_start;
}

void Fit::run(std::int64_t steps, const Observer& observer) {
  State& state = *state_;
  const FitOptions& options = state.options;
  const std::int64_t last = steps > 0 ? state.step + steps : state.steps;
  if (steps > 0)
    state.steps = std::max(state.steps, last);
  const std::int64_t every =
      options.report_every > 0 ? options.report_every : std::max<std::int64_t>(1, state.steps / 100);
  runtime::StepRunner& runner = *state.runner;
  const int step_input = runner.input_index("step");
  const int rate_input = runner.input_index("learning_rate");
  const int weight_input = runner.input_index("kl_weight");
  const int average_weight = runner.input_index("average_weight");
  const int average_total = runner.input_index("average_total");
  // decay is reached at the end of the run: rate_t = rate * decay^(t / steps).
  const double decay_per_step = std::pow(options.decay, 1.0 / static_cast<double>(state.steps));
  const auto begin = std::chrono::steady_clock::now();
  const double seconds_before = state.seconds;
  const auto seconds_now = [&] {
    return seconds_before + std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  // Between reports the observer is asked a few times a second; the clock is read as rarely as that allows.
  constexpr double between_calls = 0.2;
  double called = seconds_before;
  std::int64_t until_clock = 1, stride = 1;

  while (state.step < last) {
    const auto t = static_cast<double>(state.step);
    runner.set_input(step_input, t + 1);
    runner.set_input(rate_input,
                     options.learning_rate * (options.decay == 1 ? 1.0 : std::pow(decay_per_step, t)));
    if (weight_input >= 0)
      runner.set_input(weight_input, state.step >= options.kl_steps
                                         ? 1.0
                                         : options.kl_start + (1 - options.kl_start) * t /
                                                                  static_cast<double>(options.kl_steps));
    if (average_weight >= 0) {
      runner.set_input(average_weight, session::decayed_total(options.average, 1) /
                                           session::decayed_total(options.average, t + 1));
      runner.set_input(average_total, t > 0 ? session::decayed_total(options.average, t) : 1.0);
    }
    runner.run(static_cast<std::uint32_t>(state.step));
    const double elbo = runner.scalar(0);
    if (!std::isfinite(elbo)) {
      state.seconds = seconds_now();
      throw Error(Fault::inference, session::explain_failure(state, state.step));
    }
    ++state.step;
    state.pending_elbo += elbo;
    ++state.pending_steps;
    if (state.step % every == 0 || state.step == last) {
      state.seconds = called = seconds_now();
      const Progress progress{state.step, state.steps,
                              state.pending_elbo / static_cast<double>(state.pending_steps), state.seconds};
      state.pending_elbo = 0;
      state.pending_steps = 0;
      state.trace.push_back(progress);
      if (observer && !observer(progress))
        break;
    } else if (observer && --until_clock == 0) {
      state.seconds = seconds_now();
      if (state.seconds - called < between_calls / 8)
        stride = std::min<std::int64_t>(2 * stride, 1024);
      else
        stride = std::max<std::int64_t>(stride / 2, 1);
      until_clock = stride;
      if (state.seconds - called < between_calls)
        continue;
      called = state.seconds;
      if (!observer({state.step, state.steps, state.pending_elbo / static_cast<double>(state.pending_steps),
                     state.seconds}))
        break;
    }
  }
}

namespace {

/** Mean and standard error of numbers that come one after the other, without the cancellation of a difference
 * of squares (Welford, "Note on a method for calculating corrected sums of squares and products", 1962). */
struct RunningMean {
  double mean = 0, squares = 0;
  double count = 0;

  void add(double number) {
    ++count;
    const double deviation = number - mean;
    mean += deviation / count;
    squares += deviation * (number - mean);
  }
  double error() const { return count > 1 ? std::sqrt(squares / (count - 1) / count) : 0; }
};

} // namespace

Evaluation Fit::evaluate(int draws, bool with_gradients, const std::optional<ObjectiveChoice>& chosen) const {
  return evaluate(state_->data, draws, with_gradients, chosen);
}

Evaluation Fit::evaluate(const Data& data, int draws, bool with_gradients,
                         const std::optional<ObjectiveChoice>& chosen) const {
  const State& state = *state_;
  const session::BoundProgram bound =
      session::bind_program(*state.parsed, data, state.options.compile, {}, {&state.bound, false});
  state.new_data_notes = session::data_notes(bound.dataset);
  Diagnostics diagnostics;
  elbo::ElboOptions objective = session::elbo_options(state.options.compile, false);
  if (chosen) {
    objective.objective = chosen->name;
    objective.objective_options = chosen->options;
    objective.particles = chosen->particles;
  }
  objective.running_averages = false; // they belong to the rows and the steps of the fit
  auto elbo = elbo::build_elbo(bound.checked.program, objective, diagnostics);
  session::throw_if_errors(state.parsed->source, diagnostics);
  if (with_gradients)
    elbo::add_gradient_outputs(*elbo);
  else
    elbo->builder->output({ir::OutputKind::scalar, "elbo", elbo->objective.reported.id(), -1, -1});
  const compiler::NativeProgram native = compiler::compile_native(
      std::move(*elbo->graph), session::native_options(bound, state.options.compile));
  runtime::RunnerSetup setup = session::runner_setup(bound, native, false);
  setup.parameters = session::match_parameters(state, bound, native.graph);
  setup.seed = state.options.seed ^ 0x65766c7561746500ull; // other noise than the training steps
  setup.pool = state.pool.get();
  const bool single = bound.single_precision;
  Evaluation result;
  std::vector<session::Buffer> buffers;
  std::vector<std::vector<RunningMean>> gradients;
  if (with_gradients)
    for (const ir::Parameter& parameter : native.graph.parameters) {
      const std::vector<std::int64_t> shape = session::stored_shape(native.graph, parameter, bound.sizes);
      gradients.emplace_back(session::element_count(shape));
      buffers.emplace_back(gradients.back().size() * session::bytes_of_real(single));
      setup.gradients.push_back(buffers.back().data());
      result.gradients.push_back({parameter.name, shape, {}, {}});
    }
  runtime::StepRunner runner(std::move(setup));
  RunningMean bounds;
  for (int draw = 0; draw < draws; ++draw) {
    runner.run(static_cast<std::uint32_t>(draw), {{"step", 1.0}, {"kl_weight", 1.0}});
    bounds.add(runner.scalar(0));
    for (std::size_t p = 0; p < gradients.size(); ++p)
      for (std::size_t k = 0; k < gradients[p].size(); ++k) // outputs are gradients of the loss
        gradients[p][k].add(-session::read_real(buffers[p].data(), k, single));
  }
  result.elbo = bounds.mean;
  result.error = bounds.error();
  for (std::size_t p = 0; p < gradients.size(); ++p)
    for (const RunningMean& gradient : gradients[p]) {
      result.gradients[p].mean.push_back(gradient.mean);
      result.gradients[p].error.push_back(gradient.error());
    }
  return result;
}

} // namespace plait
