/** \file
 * Walks a block of the typed program and makes the tensor IR that it means. Functions and nets are inlined; a
 * plate is an axis of the values made inside it; `for` is a loop region; `if` is a select with masked density
 * terms.
 */
#pragma once

#include "compiler/elbo/chain.hpp"
#include "compiler/elbo/handed_over.hpp"
#include "compiler/elbo/hold.hpp"
#include "compiler/elbo/jumps.hpp"
#include "compiler/elbo/loop_plan.hpp"
#include "compiler/elbo/site_draws.hpp"
#include "compiler/elbo/sizes.hpp"
#include "compiler/elbo/terms.hpp"
#include "compiler/guide/family.hpp"
#include "compiler/guide/parameters.hpp"
#include "compiler/plates/conditions.hpp"
#include "compiler/program/program.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace plait::elbo {

/** Something a correct program asks for that cannot be compiled (yet): a message for the user, with its
 * place. */
struct Unsupported : std::runtime_error {
  Unsupported(Span where, const std::string& message) : std::runtime_error(message), span(where) {}
  Unsupported& note(Span where, const std::string& text) {
    notes.emplace_back(where, text);
    return *this;
  }
  Unsupported& with_hint(const std::string& text) {
    hint = text;
    return *this;
  }
  Span span;
  std::vector<std::pair<Span, std::string>> notes;
  std::string hint;
};

enum class Role : std::uint8_t {
  guide,   ///< sampling draws latents and leaves log q terms
  model,   ///< latents are looked up, everything leaves log p terms
  predict, ///< latents are looked up, all other sampling draws; no terms
};

struct Contribution;

/** One map of a chain of transforms: execute_transforms.cpp. */
struct MapStep;

class Executor {
public:
  Executor(const program::Program& program, ir::Builder& builder, Sizes& sizes, guide::Parameters& parameters,
           std::optional<ir::AxisId> particles);

  /** Latents of sites without a written guide come from this family. */
  void use_family(std::unique_ptr<guide::Family> family, bool reads_data) {
    family_ = std::move(family);
    family_reads_data_ = reads_data;
  }
  /** Latents for which the automatic guide was given data to read. */
  std::size_t amortized_sites = 0;
  guide::Family* family() const { return family_.get(); }

  void run(const program::Block& block, Role role);

  /** After a walk of the model for draws: draws what it has summed out from its exact distribution given the
   * other latents and the data. What cannot be drawn stays without a latent. */
  void draw_summed_out();

  /** The value of an expression outside every block; it must read neither data nor locals. */
  ir::Value evaluate_constant(const program::ExprPtr& expr) { return evaluate(expr); }

  /** Draws for a site outside every plate. */
  catalog::Draws& joint_draws(const std::string& name);

  /** Importance weights teach the guide: draws are held, log q keeps the derivative of its parameters. */
  bool learns_by_weights = false;

  /** Draws by score function keep the derivative of their parameters in log q: for objectives that are not
   * the mean of log w, where it is not 0 on average. */
  bool keeps_score_density = false;

  /** Stop derivatives at the parameters inside log q (not inside the draw). */
  bool detach_density = false;
  /** How it does that. */
  const Hold& hold() const { return hold_; }
  /** What loops of the guide carry and log q keeps its derivative in, because draws are in it. */
  std::vector<ir::NodeId> carried_draws;

  std::vector<Jump> jumps;

  /** What the program's parameters start at, over their plates, and which elements exist (empty: all). Filled
   * where the walk meets a parameter, with `wants_starts`. */
  struct Start {
    ir::Value value;
    std::optional<ir::Value> exists;
  };
  bool wants_starts = false;
  std::map<std::string, Start> starts;

  /** Set for a walk at the start of a fit: an automatic guide has no noise, every latent is at its location.
   * The location of these sites, and the number behind these parameters, is their value, whatever their
   * support; the bounds of the support are left as latents of the name and a suffix. */
  std::optional<std::set<std::string>> given_values;
  static constexpr const char* lower_suffix = " lower";
  static constexpr const char* upper_suffix = " upper";

  /** How a walk for draws differs from one for the objective. */
  struct Drawing {
    bool draws = false;       ///< sites enumerated in the guide are drawn; those of the model are kept for it
    bool redraws_data = true; ///< the predict walk draws the data anew; else they stay as given
    std::set<program::SymbolId> absent;  ///< data that were not given: observing them leaves no term
    std::set<program::SymbolId> partial; ///< latents of the model that do not exist everywhere
    /** The predict walk is the first and goes through the model: it draws latents and data from the model
     * itself and holds them. In a walk of the guide after it latents and data are those. */
    bool simulates = false;
  };
  Drawing drawing;

  /** Latents and data drawn from the model, the guide's log density of those latents as terms: for a fresh
   * executor. \throws Unsupported when the data that the model draws do not make up those that are read. */
  void dream();

  /** After a walk of the model for draws: by latent of `drawing.partial`, 1 where it exists and 0 elsewhere.
   */
  std::map<std::string, ir::Value> take_existence() { return std::exchange(results, {}); }
  /** After a walk of the model for draws: a latent has the value that the model gives it where it is not
   * sampled. */
  void take_given_values();

  /** All latent sites of the model in the order the walk reaches them, without making any node. */
  std::vector<guide::LatentSite> latent_sites();

  std::vector<Term> terms;
  std::vector<ScoreSite> scores;
  std::vector<EnumeratedSite> enumerated;
  std::map<std::string, Latent> latents;
  /** Expectations that may stand in for terms, see exact_closed_forms; only with `wants_closed_forms`. */
  std::vector<ClosedForm> closed_forms;
  /** Latents for which some branch of the guide has no divergence to a prior that holds where it does. */
  std::set<std::string> without_divergence;
  bool wants_closed_forms = false;
  /** What the predict walk makes: values of the predict block. By name, plates as axes. */
  std::map<std::string, ir::Value> results;
  /** Data drawn anew. */
  struct RedrawnData {
    ir::Value value; ///< real, shaped as the data are declared; as given where no statement draws them
    std::optional<ir::Value> exists; ///< 1 where drawn, of data that were not given; empty: everywhere
  };
  /** After the predict walk, by the data; taken out of `results`. */
  std::map<program::SymbolId, RedrawnData> take_redrawn();
  /** The factor of a term of one element of the ragged subsets among `plates`, over their rows; null without
   * one. Terms do not carry it yet. */
  ir::Value element_scale(const std::vector<ir::AxisId>& plates);
  /** Densities of joint guide draws, outside every plate. */
  std::vector<std::pair<ir::Value, std::optional<ir::Value>>> joint_terms;

private:
  using Values = std::vector<ir::Value>;

  struct OpenLoop {
    program::LoopId id = -1;
    ir::NodeId node = ir::no_node;
    ir::Value index;
    std::optional<ir::Value> mask; ///< iterations that exist for this row
    ir::Extent extent;
    std::size_t conditions = 0; ///< number of conditions outside the loop
    /** What `z[t - k]` reads, k = 1, 2, …: the values of the iterations before, 0 where there was none. */
    std::map<program::SymbolId, Values> lagged;
    /** What the predict walk makes in one iteration, by name. */
    std::map<std::string, ir::Value> produced;
  };
  struct OpenPlate {
    program::PlateId id = -1;
    ir::AxisId axis = -1;
    ir::Value row;                 ///< of the whole plate
    std::optional<ir::Value> mask; ///< elements of a ragged plate that exist
  };

  // Statements. A value means: a `return` was reached.
  std::optional<Values> walk(const program::Block& block);
  std::optional<Values> walk_from(const std::vector<program::Statement>& statements, std::size_t first);
  void walk_assign(const program::Assign& assign);
  void walk_plate(const program::PlateStatement& plate);
  void walk_for(const program::ForStatement& statement);
  // The steps of walk_for, in order.
  struct LoopWalk;
  /** Begins the loop region and says which of its iterations exist. */
  void open_loop(LoopWalk& walk);
  /** What the body reads of earlier iterations is what the iteration is handed. */
  void bind_arguments(LoopWalk& walk);
  /** Walks the body; sums out of its terms what a later iteration does not read. */
  void walk_iteration(LoopWalk& walk);
  /** What the next iteration is handed; an iteration that does not exist hands on what it was handed. */
  Values next_values(LoopWalk& walk);
  /** Hands over the locals that the loop fills. Hands back those that nothing can read after the loop,
   * because what they depend on is summed out. */
  std::vector<program::SymbolId> hand_over_symbols(const LoopWalk& walk, HandedOver& stacked);
  /** Hands over the latents drawn in the body, with what a divergence reads of them, and what the predict
   * walk makes. */
  void hand_over_latents(const LoopWalk& walk, HandedOver& stacked);
  /** The marginal of a chain that the loop has summed out; `weights`: those after the last iteration. */
  void leave_chain_term(const Chain& chain, ir::Value weights);
  /** Factors that were summed out within an iteration become terms. */
  void leave_factors(std::vector<Contribution>& factors);
  std::vector<ir::AxisId> axes_read(const LoopPlan& plan) const;
  Values first_values(const program::ForStatement& statement, const LoopPlan& plan, const Chain& chain);

  // Finite variables along a `for`.
  /** Whether the site is an axis in this walk rather than a draw. */
  bool sums_out(const program::Sample& sample) const;
  /** How many past values of a site the loops of the model read. */
  std::int64_t depth_in_model(const std::string& site) const;
  Chain begin_chain(const program::ForStatement& statement, const LoopPlan& plan);
  /** The chains of the guide to which the samples of a loop of the model belong. */
  void follow_guide(const program::ForStatement& statement, const LoopPlan& plan,
                    const std::vector<const program::Sample*>& samples, Chain& chain) const;
  ir::Value first_weights(const Chain& chain, const std::vector<ir::AxisId>& read) const;
  void take_conditions(Chain& chain, const EnumeratedSite& site) const;
  void sum_out_iteration(std::size_t first_term, std::size_t first_site, Chain& chain,
                         std::vector<Contribution>& factors);
  /** Replaces the terms of an iteration by their expectation over what the guide sums out. Hands back the log
   * weights over all axes of the chain; null when the guide sums nothing out here. */
  ir::Value expect_iteration(std::size_t first_term, std::size_t first_site, Chain& chain,
                             const Values& arguments, ir::Value index);
  /** Log weights of past and present values: those of the past, with the factors of this iteration. */
  ir::Value weights_with(const Chain& chain, std::vector<Contribution>& factors, ir::Value weights) const;
  ir::Value next_weights(const Chain& chain, ir::Value total, ir::Value weights) const;
  ir::Value next_table(const Chain& chain, const std::set<LoopPlan::Past>& feeds, program::SymbolId carried,
                       std::size_t number, ir::Value argument);
  ir::Value fitted(ir::Value next, ir::Value argument, const program::Symbol& symbol) const;
  std::optional<Values> walk_if(const program::IfStatement& statement,
                                const std::vector<program::Statement>& rest, std::size_t next);
  void walk_sample(const program::Sample& sample, const program::Statement& statement);
  void walk_param(const program::ParamStatement& statement);

  // Sites.
  void draw_latent(const program::Sample& sample, const Values& parameters);
  void score_latent(const program::Sample& sample, const Values& parameters);
  void add_score_site(const program::Sample& sample, ir::Value draw, ir::Value log_prob, std::size_t term);
  void add_entropy(const program::Sample& sample, const Latent::Draw& draw, ir::Value entropy);
  /** KL(q || p) for each branch of the guide that can be taken where this statement is, as far as the table
   * has it; `parameters` are those of p. */
  void add_divergences(const program::Sample& sample, const Latent& latent, std::size_t prior_term,
                       const Values& parameters);
  std::optional<ir::Value> divergence(const program::Sample& sample, const Latent& latent,
                                      const Latent::Draw& draw, const Values& parameters);
  /** What a divergence reads of every iteration: parameters of these latents' distributions and conditions
   * that vary with the loop they are drawn in. */
  std::vector<Looped*> parameters_in_loops(const std::vector<std::string>& names);
  /** How much of everything there is when a loop opens: what is made after it belongs to the loop. */
  struct Marks {
    std::size_t term = 0, score = 0, site = 0, form = 0;
  };
  Marks marks() const { return {terms.size(), scores.size(), enumerated.size(), closed_forms.size()}; }
  /** What a loop being closed adds up over its iterations: terms and closed forms. */
  void hand_over_sums(const Marks& first, HandedOver& sums);
  /** What the score function needs of every iteration of a loop that is being closed. */
  void hand_over_scores(const Marks& first, HandedOver& stacked);
  /** Enters a draw of the sample into `latents`, beside what other branches have drawn. */
  void keep_latent(const program::Sample& sample, ir::Value value, Latent::Draw draw);
  /** The latent of that name with `value` where the open branches are taken; elsewhere what other branches
   * have left stays. */
  Latent& set_where_taken(const std::string& name, ir::Value value);
  /** A value as the program reads that symbol. */
  static ir::Value of_symbol(ir::Value value, const program::Symbol& symbol);
  void enumerate_latent(const program::Sample& sample, const Values& parameters, bool in_guide);
  /** The axis of a latent that another branch of this walk has begun to sum out; null when there is none. */
  EnumeratedSite* find_summed(program::SymbolId symbol);
  /** A new axis for a latent that exists nowhere so far. */
  EnumeratedSite& begin_summed(const program::Sample& sample, ir::Extent size, bool in_guide);
  /** The log weights of a latent's values in the branch that is open; `log_q` is what the guide's density
   * term counts for each. */
  void weigh_here(EnumeratedSite& site, ir::Value log_weight, ir::Value log_q);
  /** After an `if`, the value of a latent that is summed out: its axis. In a branch that gives it a value,
   * this one alone has a weight. */
  ir::Value merge_summed(EnumeratedSite& site, ir::Value condition, const plates::Condition& branch,
                         ir::Value yes, ir::Value no);
  /** \throws Unsupported when a branch of the model gives a value to a state that the guide sums out along a
   * `for`: later iterations read the guide's. */
  void check_followed(program::SymbolId symbol, ir::Value yes, ir::Value no, Span span) const;
  ir::Value latent_value(const Latent& latent) const;
  /** An array filled in loops of the guide, at the open iterations of the model. */
  ir::Value at_open_iterations(ir::Value array, int loops, const std::string& site) const;
  /** What the data of the open plates' elements tell about a latent of theirs, as one vector: the data of its
   * own element and iteration, and summaries of what the plates and loops inside hold. Empty when the
   * elements have no data of their own. */
  std::optional<ir::Value> features_of(const program::Sample& site);
  /** The part of it that one array of data gives. False when its subscripts do not lead to the plates. */
  bool add_features(const program::Index& index, program::SymbolId data,
                    const std::vector<program::Frame>& site_frames, Values& parts);
  void add_summary(ir::Value elements, bool is_real, ir::Value count, Values& parts);
  /** With `given_values`: keeps the bounds of a site or parameter over the plates `axes` and its dimensions.
   */
  void leave_bounds(const std::string& name, Span span, const std::vector<ir::AxisId>& axes,
                    const std::vector<ir::Extent>& shape, const catalog::SupportBounds& bounds);
  ir::Value draw_from_family(const program::Sample& sample, const Values& parameters);
  /** A target for coordinates of a joint guide where the sample's elements do not exist. */
  void stand_in_for_absent(const program::Sample& sample, ir::Value coordinates);
  /** A draw of a sample's distribution, sent through its transforms. Of transformed draws of the guide also
   * log q, event dimensions summed, and E[-log q] as far as it is known. */
  struct Drawn {
    ir::Value value;
    ir::Value log_prob;
    std::optional<ir::Value> entropy;
  };
  Drawn draw_from(const program::Sample& sample, const Values& parameters);
  /** log density of a given value. */
  ir::Value density(const program::Sample& sample, ir::Value value, const Values& parameters);
  /** The way of a draw through the transforms: the draw, then every image. */
  struct Way {
    Values passed;
    ir::Value log_det;
  };
  std::vector<MapStep> steps_of(const program::Sample& sample);
  /** A row of the table of transforms that is no flow; `shape`: of the image. */
  MapStep elementary_step(const program::Transform& transform, const std::vector<ir::Extent>& shape);
  /** A flow whose net the program writes, over vectors of `size`. */
  MapStep net_step(const program::Transform& transform, std::int64_t size);
  Way go_forward(const std::vector<MapStep>& steps, ir::Value source);
  /** log density of an image. With `way` it is the end of that way, and what is learned is held. */
  ir::Value density_behind(const program::Sample& sample, const std::vector<MapStep>& steps, ir::Value image,
                           const Values& parameters, const Way* way);
  Values call_net(const program::Transform& transform, ir::Value moved, ir::Value context, bool held);
  ir::Value held_in_guide(ir::Value value);
  void check_autoregressive(const program::Transform& transform);
  std::size_t add_term(TermKind kind, const program::Sample& sample, ir::Value log_prob);
  void add_term(Term term);
  /** A density, entropy or divergence as one number for every element of the open plates: event dimensions
   * summed, 0 where the element or iteration does not exist. */
  ir::Value per_element(ir::Value value) const;
  /** Keeps a value that the predict walk draws: an array over the open loops once they are closed. */
  void produce(const std::string& name, ir::Value value);
  /** The latent exists in the open branch, as far as draws want to know. */
  void note_existence(program::SymbolId latent);
  /** Keeps what a statement draws of the data for take_redrawn. */
  void keep_redrawn(const program::Sample& sample, ir::Value value);
  void scatter_redrawn(const program::Sample& sample, ir::Value value);
  /** What is behind each subscript of the observed data: the axis of a plate, or -1 - l for the loop that is
   * number l of the open ones. Empty when some subscript is anything else, or a frame is behind none. */
  std::optional<std::vector<ir::AxisId>> frames_behind(const program::Sample& sample) const;
  /** A value over plates, closed loops and its own dimensions, the frames of `dims` as leading dimensions. */
  ir::Value turned(ir::Value value, const std::vector<ir::AxisId>& dims);
  /** Data drawn anew are read as drawn from here on, by the same subscripts. */
  void keep_drawn(const program::Sample& sample, ir::Value value);
  /** The drawn data that an expression with these subscripts reads, if there are; drops the subscripts used.
   */
  ir::Value drawn_data(const program::Name& name, std::vector<program::Subscript>& subscripts) const;
  /** The data simulated by the model, as an expression with these subscripts of the guide reads it: at the
   * open plates; drops the subscripts used. Null when the model does not draw this data. */
  ir::Value simulated_data(const program::Name& name, std::vector<program::Subscript>& subscripts, Span span);
  /** Whether a subscript is the index of an open plate. */
  bool is_own_index(const program::Subscript& subscript, ir::AxisId axis) const;
  /** Draws a latent or data from the model itself. */
  void simulate(const program::Sample& sample, const Values& parameters);
  /** Notes where the data that are being simulated lie. */
  void note_simulated(const program::Sample& sample);
  bool of_predict_block(program::SymbolId symbol) const {
    return program_->symbol(symbol).block == program::BlockKind::predict;
  }
  SiteDraws draws_of(const std::string& site);
  std::vector<ir::AxisId> open_axes() const;
  std::vector<ir::Value> open_indices() const;
  std::optional<ir::Value> open_mask() const;
  /** Whether all open branches are taken, from the branch number `first` on; empty for none. */
  std::optional<ir::Value> open_condition(std::size_t first = 0) const;
  const plates::ConditionLogic& logic();
  catalog::SupportBounds bounds_of(const catalog::Distribution& distribution, const Values& parameters) const;

  // Expressions.
  Values evaluate_all(const program::ExprPtr& expr);
  ir::Value evaluate(const program::ExprPtr& expr);
  ir::Value real(const program::ExprPtr& expr);
  ir::Value integer(const program::ExprPtr& expr);
  ir::Value boolean(const program::ExprPtr& expr);
  ir::Value evaluate_name(const program::Name& name, const program::Expr& expr);
  ir::Value noting_jump(ir::Value value, Span span);
  ir::Value evaluate_binary(const program::Binary& binary);
  ir::Value evaluate_apply(const program::Apply& apply);
  ir::Value evaluate_builtin(const program::BuiltinCall& call, const program::Expr& expr);
  ir::Value evaluate_index(const program::Index& index);
  /** An integer moved into 0 … last: a computed index such as t - 1 may leave the array in an iteration whose
   * value is discarded by a condition. */
  ir::Value inside(ir::Value position, ir::Value last) const;
  ir::Value evaluate_lag(const program::Index& index, std::vector<program::Subscript>& rest);
  ir::Value spread_value(ir::Value value, const program::Symbol& symbol,
                         const std::vector<program::Frame>& spread, Span span);
  /** \throws Unsupported when the elements of plates, read together, include a variable summed out in each.
   */
  void check_summed_apart(ir::Value value, const program::Symbol& symbol,
                          const std::vector<program::Frame>& spread, Span span) const;
  ir::Value evaluate_layer(const program::LayerCall& call);
  Values evaluate_function(const program::FunctionCall& call);
  ir::Value select(ir::Value condition, ir::Value then_value, ir::Value else_value,
                   const program::Type& type);
  ir::Value dim_value(const program::Dim& dim);
  ir::Value data_value(program::SymbolId symbol);
  ir::Value read_by_baseline(ir::Value value) const;
  ir::Value symbol_value(program::SymbolId symbol, Span span);
  ir::Value constrain_parameter(program::SymbolId symbol);
  Start start_of(const program::Symbol& parameter, const std::vector<ir::AxisId>& axes);
  /** \throws Unsupported for `what`, which is stored by element, in a ragged subset. */
  void refuse_in_ragged_subset(ir::AxisId axis, Span span, const std::string& what) const;
  std::int32_t data_index(program::SymbolId symbol);

  const program::Program* program_;
  ir::Builder* builder_;
  Sizes* sizes_;
  guide::Parameters* parameters_;
  std::optional<ir::AxisId> particles_;
  std::unique_ptr<guide::Family> family_;
  bool family_reads_data_ = false;
  Role role_ = Role::model;
  std::vector<ir::Value> bound_; ///< by SymbolId
  std::vector<OpenPlate> plates_;
  std::vector<OpenLoop> loops_;
  std::vector<ir::Value> conditions_; ///< of enclosing `if` branches
  plates::Path path_;                 ///< the same as the program writes them
  std::optional<plates::ConditionLogic> logic_;
  bool in_baseline_ = false; ///< in the text of a baseline: what it reads carries no derivative
  Hold hold_;
  bool holds_weights_ = false; ///< weights of nets carry no derivative
  /** A loop of the model that sums finite variables out, kept for drawing them afterwards. */
  struct SummedLoop {
    /** An array over the iterations of the loop, and before them over those of the loops around it that have
     * been closed; each brings the axes that were summed out in its iterations as dimensions. */
    struct Kept {
      ir::Value value;
      std::vector<std::vector<ir::AxisId>> around; ///< those axes, by loop around, the innermost first
      explicit operator bool() const { return static_cast<bool>(value); }
    };
    /** Summed out within each iteration: `weights` is a table over `axes`, its own among them. */
    struct Site {
      std::string site;
      program::SymbolId symbol = -1;
      ir::AxisId axis = -1;
      std::vector<ir::AxisId> plates, axes;
      Kept weights;
    };
    Chain chain;
    std::vector<ir::AxisId> axes; ///< of the chain: past, then present
    Kept weights;                 ///< log weights over `axes`; null without a chain
    std::vector<Site> sites;      ///< in the order in which they can be drawn
    ir::Extent extent;
    bool reverse = false;
    Kept exists;    ///< 1 where the iteration exists; null: everywhere
    Kept condition; ///< 1 where the chain is sampled; null: everywhere
    std::vector<SummedLoop> inner;

    /** Its arrays and those of the loops inside. */
    std::vector<Kept*> arrays();
  };
  /** Values of a summed-out site, drawn: over the iterations of the loops that were open. */
  struct DrawnSite {
    std::string site;
    program::SymbolId symbol = -1;
    ir::Value value;
    int loops = 0;
  };
  /** Random numbers for drawing a summed-out site; `iteration` as in SiteDraws. */
  SiteDraws posterior_draws(const std::string& site, const std::vector<ir::AxisId>& plates,
                            ir::Value iteration) const;
  /** `iteration`: number of the iteration of the loops around, null outside. */
  std::vector<DrawnSite> draw_loop(const SummedLoop& loop, ir::Value iteration);
  /** Fills `loop`, whose `inner` are set, with what draw_loop needs of the iteration just walked; its arrays
   * are values of one iteration until the loop is closed. */
  void keep_for_drawing(SummedLoop& loop, const Chain& chain, ir::Value weights,
                        std::optional<ir::Value> exists);
  std::vector<SummedLoop> summed_loops_;              ///< closed in the block or iteration being walked
  std::vector<SummedLoop::Site> summed_in_iteration_; ///< of the loop being walked
  std::map<program::SymbolId, std::string>
      summed_; ///< values lost when the sites they depend on were summed out
  std::vector<GuideChain> guide_chains_;
  /** What an enumeration axis stands for. */
  struct SummedAxis {
    program::SymbolId symbol = -1;
    std::vector<ir::AxisId> plates; ///< each of their elements has its own sum
  };
  std::map<ir::AxisId, SummedAxis> summed_axes_;
  std::map<std::string, guide::LatentSite> sites_;
  std::map<std::string, std::unique_ptr<SiteDraws>> joint_draws_;
  struct DrawnData {
    program::ExprPtr target;
    ir::Value value;
    std::size_t loops = 0; ///< open where it was drawn
  };
  std::map<program::SymbolId, std::vector<DrawnData>> drawn_;
  /** What one statement draws of the data, where its subscripts are the indices of plates and loops. */
  struct Redrawn {
    program::SymbolId data = -1;
    std::string key; ///< in `results`; with the suffix: 1 where a value was drawn
    std::vector<ir::AxisId> dims;
    bool everywhere = false;
  };
  static constexpr const char* covered_suffix = " covered";
  std::vector<Redrawn> redrawn_;
  /** What other statements draw: shaped as the data, 0 where they draw nothing; and how often they do. */
  struct Scattered {
    ir::Value value, covered;
  };
  std::map<program::SymbolId, Scattered> scattered_;
  void add_scattered(program::SymbolId data, ir::Value Scattered::* part, ir::Value value);
  /** What an iteration of a loop that is being closed draws is added up over its iterations. */
  void hand_over_scattered(const std::map<program::SymbolId, Scattered>& iteration, HandedOver& sums);
  /** By data, what is behind each of the first dimensions: the axis of a plate, or -1 - l for the loop that
   * was number l of the open ones. */
  std::map<program::SymbolId, std::vector<ir::AxisId>> simulated_;
};

/** Real, integer and boolean views of a value. */
ir::Value as_boolean(ir::Value value);

} // namespace plait::elbo
