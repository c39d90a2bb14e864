/** \file
 * Plait as a library: check, fit, draw, predict. Standard library only; link `plait`.
 *
 *     plait::Model model = plait::Model::load("coin.ppl");
 *     plait::Data data;
 *     data.set("flips", {10}, {1, 1, 1, 1, 1, 1, 0, 0, 0, 0});
 *     plait::Fit fit = plait::fit(model, data, {.steps = 2000});
 *     double mean = fit.summary("fairness").mean.at(0);
 */
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace plait {

/** Why something did not work; the values are the exit codes of the command line. */
enum class Fault : std::uint8_t {
  model = 1,     ///< the program is wrong
  usage = 2,     ///< an option or argument is wrong
  data = 3,      ///< the data is wrong
  inference = 4, ///< fitting failed: a value that is not finite, at a named site and step
};

/** what() is the whole message as the command line prints it: place, source line, caret, hint. */
struct Error : std::runtime_error {
  Error(Fault kind, const std::string& message) : std::runtime_error(message), fault(kind) {}
  Fault fault;
};

enum class Precision : std::uint8_t {
  automatic, ///< f32 when the program has nets, else f64
  f32,
  f64
};

struct CompileOptions {
  std::map<std::string, double> set{}; ///< replaces the value of a `const`, or fixes a size
  Precision precision = Precision::automatic;
  std::string objective = "elbo"; ///< a row of list("objectives")
  std::map<std::string, double> objective_options{};
  int particles = 1;
  bool use_cache = true; ///< compiled steps are kept on disk between runs
};

/** Data for a model: named arrays, or what `--data` takes on the command line. */
class Data {
public:
  Data();
  /** Row-major numbers. */
  void set(const std::string& name, std::vector<std::int64_t> shape, std::vector<double> values);
  /** "file.json", "x=file.npy", "x=file.csv:column" …; read when a model is fitted. */
  void add_argument(const std::string& argument);
  /** A size that no array tells: the number of new rows whose data are to be predicted. */
  void set_size(const std::string& name, std::int64_t size);

  const std::vector<std::string>& arguments() const; ///< those added

  struct Contents;
  const Contents& contents() const { return *contents_; }

private:
  std::shared_ptr<Contents> contents_;
};

struct FitOptions {
  std::int64_t steps = 2000;      ///< 0: none, the fit is its start
  std::int64_t epochs = 0;        ///< > 0: overrides steps; passes over the largest subsampled plate
  std::string optimizer = "adam"; ///< a row of list("optimizers")
  std::map<std::string, double> optimizer_options{};
  double learning_rate = 0.01;
  double decay = 1;     ///< the learning rate is multiplied by this once over the whole run, smoothly
  double clip_norm = 0; ///< > 0: global gradient norm
  /** > 0: the fit ends with an average of all its iterates, in unconstrained space, in which a step counts
   * this times what the step after it does; 0.999 forgets over about a thousand steps. What the fit says of
   * parameters and latents, its bound aside, is then said of the average. */
  double average = 0;
  double kl_start = 1;        ///< weight of latent terms at the first step …
  std::int64_t kl_steps = 0;  ///< … growing linearly to 1 over this many steps
  bool epoch_batches = false; ///< shuffled epochs instead of independent uniform subsamples
  std::uint64_t seed = 0;
  std::int64_t starts =
      1;           ///< > 1: that many random starts are compared, the one with the best objective is fitted
  int threads = 0; ///< 0: all processors; results do not depend on it
  std::int64_t report_every = 0; ///< steps between observer calls and trace rows; 0: about 100 in a run
  /** Where declared parameters and latents of automatic guides start, in the space of their values: a number
   * for all elements, or an array over plates, loops and the value's own dimensions. As arguments, what
   * `--init` takes: "mu=0.5", "theta=file.npy", "starts.json", and the folder of a run, "old.run": every
   * parameter and weight of the run that has its name and shape here too starts where the run ended. What has
   * a start of its own keeps it; the optimizer starts anew. */
  Data init{};
  CompileOptions compile{};
};

class Fit;

/** A program that parsed. Checking against data happens when it is fitted, or by `check`. */
class Model {
public:
  /** \throws Error(Fault::model) with every error found; Error(Fault::usage) when the file cannot be read. */
  static Model load(const std::string& path);
  static Model parse(const std::string& text, const std::string& name = "model.ppl");

  /** What the compiler understood: every site with plates, scale, shape, support, guide and estimator. */
  std::string check(const Data& data = {}, const CompileOptions& options = {}) const;
  /** Canonical source text. */
  std::string format() const;
  /** The value between two stages: "ast", "types", "sites", "elbo", "gradient", "ir", "schedule", "llvm",
   * "asm". */
  std::string emit(const std::string& stage, const Data& data = {}, const FitOptions& options = {}) const;
  static std::vector<std::string> stages();

  const std::string& name() const;
  const std::string& text() const;

  struct Parsed;

private:
  friend Fit start(const Model&, const Data&, const FitOptions&);
  explicit Model(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}
  std::shared_ptr<const Parsed> parsed_;
};

struct Progress {
  std::int64_t step = 0;
  std::int64_t steps = 0;
  double elbo = 0;    ///< mean over the steps since the last report
  double seconds = 0; ///< since the first step
};
/** Which of the random starts of a seed a fit began at. */
struct StartChoice {
  std::int64_t number = 1; ///< from 1 to `of`; start 1 is that of a fit with one start
  std::int64_t of = 1;
  double elbo = 0; ///< the objective there, before any step; 0 with one start, which is not looked at
};
/** What a fit took from the run that it was given as its start, by names of parameters and weights. */
struct WarmStart {
  std::string run;       ///< the folder
  std::int64_t step = 0; ///< steps that the run had taken
  std::vector<std::string> taken;
  std::vector<std::string> fresh;  ///< of this fit, not in the run
  std::vector<std::string> unused; ///< of the run, not in this fit
};
/** Called about every `report_every` steps, and several times a second; false stops the run, which can be
 * resumed later. */
using Observer = std::function<bool(const Progress&)>;

/** Posterior of one latent under the guide, from 100 to 4000 draws, or the value of one parameter; row-major.
 * Quantiles are interpolated between draws. */
struct Summary {
  std::string name;
  bool is_parameter = false;
  std::vector<std::int64_t> shape; ///< plates first
  std::vector<double> mean, sd, q05, q50, q95;
  std::vector<bool> exists; ///< false beyond the end of a ragged row; empty: every element exists
};

/** Draws of named arrays: values[d] are the numbers of draw d, row-major over `shape`. */
struct DrawnArray {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<std::vector<double>> values;
  std::vector<bool> exists; ///< false beyond the end of a ragged row; empty: every element exists
};

/** Derivative of the objective with respect to one unconstrained parameter: mean over draws, and standard
 * error. */
struct Gradient {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<double> mean, error;
};

struct Evaluation {
  double elbo = 0;
  double error = 0; ///< standard error of that mean over the draws; 0 with one draw
  std::vector<Gradient> gradients;
};

/** An objective by name, as in CompileOptions. */
struct ObjectiveChoice {
  std::string name = "elbo";
  std::map<std::string, double> options;
  int particles = 1;
};

struct CompileReport {
  double front_ms = 0;  ///< text to optimized tensor IR, data binding included
  double native_ms = 0; ///< tensor IR to machine code
  bool from_cache = false;
  std::string precision;
};

/** A fit: parameters, optimizer state and the compiled step. Movable, not copyable. */
class Fit {
public:
  Fit(Fit&&) noexcept;
  Fit& operator=(Fit&&) noexcept;
  ~Fit();

  std::int64_t step() const;
  std::int64_t steps() const; ///< asked for so far
  bool finished() const;
  const FitOptions& options() const;
  const std::string& model_text() const;
  /** Goes on for `steps` more steps, or, with 0, to the end of what was asked for.
   * \throws Error(Fault::inference) naming site, step and value; the state before that step is kept. */
  void run(std::int64_t steps = 0, const Observer& observer = {});
  const std::vector<Progress>& trace() const;
  /** What the numbers of the trace are: "elbo", or "log joint" for automatic guides that are points. */
  std::string bound_name() const;
  const CompileReport& compile_report() const;
  const StartChoice& start_choice() const;
  /** Empty when FitOptions::init names no run, and for a run that was opened. */
  const std::optional<WarmStart>& warm_start() const;
  /** What reading the data left out, a line for each file. */
  std::vector<std::string> data_notes() const;
  /** The same of the data that predict or evaluate was last given. */
  const std::vector<std::string>& new_data_notes() const;

  /** The objective at the fitted parameters over all data (every plate whole), from `draws` estimates; on
   * request with its gradient. With `data`, of other data; with `objective`, of another one than the fit's.
   * \throws Error(Fault::model) when there is none of this name or it cannot be made of the program. */
  Evaluation evaluate(int draws = 1, bool with_gradients = false,
                      const std::optional<ObjectiveChoice>& objective = {}) const;
  Evaluation evaluate(const Data& data, int draws = 1, bool with_gradients = false,
                      const std::optional<ObjectiveChoice>& objective = {}) const;

  /** Posterior draws of every latent outside subsampled plates, or of all latents with `local`. A latent that
   * the model sums out is drawn from its exact distribution given the others and the data.
   * \throws Error(Fault::usage) when there is nothing to draw. */
  std::vector<DrawnArray> sample(std::int64_t draws, bool local = false) const;
  /** Draws of the predict block; of each observed site's distribution where there is none. With `data`, for
   * new rows: latents in plates are drawn from the guide given these data. Data that the program only
   * observes may be left out; sizes that the new data leave open are those of the fit. */
  std::vector<DrawnArray> predict(std::int64_t draws) const;
  std::vector<DrawnArray> predict(const Data& data, std::int64_t draws) const;

  std::vector<Summary> summaries() const;
  /** \throws Error(Fault::usage) when there is no latent or parameter of that name. */
  Summary summary(const std::string& name) const;

  /** Writes summary.json, params.safetensors, state.safetensors, trace.csv, manifest.json and the model into
   * a folder. */
  void save(const std::string& folder) const;
  /** Writes what going on needs, and no more: quick enough to be called during a run. A run that was killed
   * is opened where this was called last. */
  void checkpoint(const std::string& folder) const;
  /** Opens a saved run; with its data it can go on bit for bit. \throws Error naming what changed since. */
  static Fit open(const std::string& folder);
  static Fit open(const std::string& folder, const Data& data);

  struct State;

private:
  friend Fit start(const Model&, const Data&, const FitOptions&);
  explicit Fit(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/** Checks, binds, compiles, chooses the start; no step is taken yet.
 * \throws Error(Fault::inference) when none of several starts has a finite objective. */
Fit start(const Model& model, const Data& data, const FitOptions& options = {});
/** start and run. */
Fit fit(const Model& model, const Data& data, const FitOptions& options = {}, const Observer& observer = {});

/** What a program may name: the tables of the compiler. */
struct TableRow {
  std::string name;
  std::string signature;
};
/** "distributions", "transforms", "functions", "layers", "optimizers", "objectives", "guides".
 * \throws Error(Fault::usage) when there is no such table. */
std::vector<TableRow> list(const std::string& table);

std::string version();

} // namespace plait
