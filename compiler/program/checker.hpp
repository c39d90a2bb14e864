#pragma once

#include "compiler/program/builtins.hpp"
#include "compiler/program/check.hpp"
#include "compiler/program/program.hpp"
#include "compiler/program/program_errors.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// The machine behind `check`. One object checks one file; its methods are spread over the check_*.cpp files
/// by what they check. An expression that fails is null: the error is already reported, and whatever depends
/// on it stays silent.
namespace plait::program {

/// What a local must be able to hold beyond what its first assignment says, learned from later assignments.
struct Widening {
  bool real = false;
  bool integer = false;
  bool random = false;
  bool learnable = false;
  PlateSet varies;
  std::optional<Type> type; ///< of an element that a `for` reads before the statement that sets it
  int rounds = 0;           ///< how often that type has changed
};

/// Keyed by the function instance a local belongs to (empty: none) and where the local is first set.
using Widenings = std::map<std::pair<std::string, std::size_t>, Widening>;

class Checker {
public:
  /// `widenings` is read and extended. When it grew, the whole check must run again: `grew()`.
  Checker(const ast::Program& file, const CheckOptions& options, Widenings& widenings,
          Diagnostics& diagnostics)
      : file_(file), options_(options), widenings_(widenings), out_(diagnostics) {}

  void run();
  bool grew() const { return grew_; }
  Program take() { return std::move(program_); }

private:
  using Names = std::map<std::string, SymbolId>;

  /// An array that an open `for` fills, at a place where the statement that does so is still to come.
  struct Pending {
    const ast::LValue* target = nullptr;
    const ast::Sample* sample = nullptr; ///< null: an assignment
    SymbolId id = -1;                    ///< once it was read
  };

  /// A statement that opens a block: what was assigned inside it to symbols from outside it.
  struct Region {
    enum class Kind { plate, loop, branch };
    Kind kind = Kind::plate;
    std::int32_t id = -1;  ///< plate or loop
    std::size_t depth = 0; ///< number of scopes outside it
    std::vector<SymbolId> assigned;
    std::vector<SymbolId> filled;
    std::map<std::string, Pending> pending; ///< loop
    bool by_value = false;                  ///< branch on a value
    std::pair<int, bool> branch;            ///< which `if`, and whether the branch is the first one
    Span span;
  };

  /// The branches around a statement, outermost first.
  using Branches = std::vector<std::pair<int, bool>>;

  using Places = std::vector<std::pair<Span, Branches>>;

  /// A latent with the statements that have sampled it so far.
  struct SampledSite {
    SymbolId id = -1;
    Type type; ///< of what the first one draws
    Span call_span;
    bool is_point = false; ///< the first one draws a point mass
    Places places;
  };

  /// Everything that changes when the checker steps into another block of the file or a function's body.
  struct Context {
    BlockKind block = BlockKind::file;
    std::vector<Names> scopes;
    std::vector<Frame> frames;
    std::vector<Region> regions;
    std::map<std::string, std::pair<Span, std::string>>
        gone; ///< names out of scope: where set, and why not here
    std::map<std::string, SampledSite> sites;
    Names reusable;           ///< names of the `then` branch, which the `else` branch sets again
    std::set<SymbolId> given; ///< latents that the branches open here give a value instead
    int branches = 0;         ///< number of `if`s so far
    // Functions only.
    const ast::Function* function = nullptr;
    FunctionId function_id = -1;
    bool generic = false; ///< checking the declaration by itself
    std::map<std::string, Dim> dims;
    std::vector<Type> results;
    std::string key;
  };

  // check_items.cpp
  void declare_names();
  void declare_data(const ast::Data& data, Span span);
  void declare_lengths(const ast::Data& data, const std::vector<Dim>& dims);
  void declare_sizes_in(const ast::ExprPtr& expr);
  void resolve_constant(const std::string& name);
  void order_data();
  void apply_sets();
  void apply_sizes();
  void check_guide_family(const ast::Choice& choice);
  Block check_item_block(const ast::Block& block, BlockKind kind, Names names);

  // check_types.cpp
  std::optional<Type> check_type(const ast::Type& type);
  bool refuse_open_length(const ast::ExprPtr& expr);
  std::optional<Dim> check_dim(const ast::ExprPtr& expr);
  std::optional<Dim> dim_of(const ExprPtr& expr) const;
  bool set_bounds(Type& type, const ast::Type& written);
  bool check_constant_inside(const ExprPtr& value, const Type& type, const std::string& what);
  /// Of a vector of numbers where a simplex is wanted, that they sum to 1.
  bool check_constant_sum(const ExprPtr& value, const Type& type, const std::string& what);
  ExprPtr size_value(const Dim& dim, Span span);
  /// `value` as a value of `type`'s element: converts to real, or reports why it does not fit.
  ExprPtr convert(const ExprPtr& value, const Type& type, const std::string& what);

  // check_expressions.cpp
  ExprPtr check_expr(const ast::ExprPtr& expr);
  ExprPtr check_scalar_integer(const ast::ExprPtr& expr, const std::string& what);
  ExprPtr check_number(const ast::Number& number, Span span);
  ExprPtr check_unary(const ast::Unary& unary, Span span);
  ExprPtr check_binary(const ast::Binary& binary, Span span);
  ExprPtr check_matrix_product(const ExprPtr& left, const ExprPtr& right, Span span);
  ExprPtr check_conditional(const ast::Conditional& conditional, Span span);
  ExprPtr check_tuple(const ast::TupleExpr& tuple, Span span);
  ExprPtr check_array(const ast::ArrayLiteral& array, Span span);
  ExprPtr make(Expr::Node node, Type type, Span span, const std::vector<ExprPtr>& parts);
  ExprPtr to_real(const ExprPtr& value);
  bool join_elements(ExprPtr& left, ExprPtr& right);
  bool join_shapes(const ExprPtr& left, const ExprPtr& right, std::vector<Dim>& dims, Span span);

  // check_names.cpp
  ExprPtr check_name(const std::string& name, Span span);
  ExprPtr read_symbol(const Symbol& symbol, const std::vector<Frame>& spread, Span span);
  ExprPtr check_index(const ast::Index& index, Span span);
  ExprPtr check_own_index(const Symbol& symbol, const ast::Index& index, Span span, bool ahead);
  ExprPtr apply_subscripts(const ExprPtr& base, std::vector<Subscript> subscripts, Span span);
  std::optional<Subscript> check_subscript(const ast::Subscript& subscript);
  bool check_element_bounds(const Subscript& subscript, const Dim& dim, std::size_t position,
                            const ExprPtr& base);
  bool leaves_dimension(const ExprPtr& index, const Dim& dim) const;
  std::string shown_size(const Dim& dim) const;
  bool check_index_range(const Subscript& subscript, const Dim& dim);
  bool is_lag(const ExprPtr& element, const Loop& loop) const;
  const Symbol* find_symbol(const std::string& name) const;
  SymbolId find_local(const std::string& name, std::size_t* depth = nullptr) const;
  bool is_open(const Frame& frame) const;
  std::vector<Frame> closed_frames(const Symbol& symbol) const;
  std::vector<std::string> visible_names() const;
  void report_unknown_name(const std::string& name, Span span);

  // check_lags.cpp
  void collect_pending(const ast::Block& block, const std::string& index,
                       std::map<std::string, Pending>& pending) const;
  Type guess_type(const Pending& pending);
  SymbolId declare_ahead(const std::string& name);
  void settle_type(SymbolId id);

  // check_calls.cpp
  ExprPtr check_call(const ast::Call& call, Span span);
  std::vector<ExprPtr> check_arguments(const std::vector<ast::ExprPtr>& arguments, bool& ok);
  ExprPtr check_op_call(const ir::Op& op, const ast::Call& call, Span span);
  ExprPtr check_builtin_call(const Builtin& builtin, const ast::Call& call, Span span);
  ExprPtr check_layer_call(const catalog::Layer& layer, const ast::Call& call, Span span);
  LayerId declare_layer(const catalog::Layer& layer, Layer wanted, Span span);
  ExprPtr check_function_call(const ast::Function& function, const ast::Call& call, Span span);
  ExprPtr call_function(const ast::Function& function, std::vector<ExprPtr> arguments, Span span);
  void report_unknown_function(const ast::Call& call);

  // check_functions.cpp
  void check_function_alone(const ast::Function& function);
  InstanceId instantiate(const ast::Function& function, std::vector<ExprPtr>& arguments, Span call_span);
  bool bind_parameter(const ast::Parameter& parameter, ExprPtr& argument, std::map<std::string, Dim>& dims);
  void check_function_body(const ast::Function& function, Instance& instance);
  void note_call(std::size_t first, Span call_span, const std::string& function);
  bool ends_in_return(const ast::Block& block) const;
  void check_return(const ast::Return& statement, Span span, Block& into);

  // check_samples.cpp
  void check_sample(const ast::Sample& sample, Span span, Block& into);
  bool check_distribution(const ast::Sample& sample, Sample& typed);
  bool check_distribution_call(const ast::Call& call, const std::vector<ast::ExprPtr>& copies, Sample& typed);
  bool order_arguments(const ast::Call& call, const catalog::Distribution& row,
                       std::vector<ast::ExprPtr>& ordered);
  bool check_distribution_shape(const catalog::Distribution& row, Sample& typed, std::vector<Dim>& dims);
  std::optional<Dim> support_size(const catalog::Distribution& row,
                                  const std::vector<ExprPtr>& arguments) const;
  bool check_observed(const ast::Sample& sample, const Symbol& data, Sample& typed);
  void explain_array(Diagnostic& error, const std::vector<ExprPtr>& arguments);
  std::string open_index_of(PlateId plate);
  bool check_using(const ast::Choice& choice, Using& typed);

  // check_latents.cpp
  bool check_latent(const ast::Sample& sample, Sample& typed);
  bool type_latent(const std::string& name, std::vector<Dim> dims, Sample& typed, bool& ok);
  bool check_place(const ast::LValue& target, const std::vector<Frame>& frames);
  bool check_same_value(const std::string& name, const SampledSite& first, const Sample& typed);
  SymbolId declare_site(const ast::LValue& target, const Type& type, const std::vector<Frame>& frames);
  void widen_site(SymbolId id, const Type& type);
  void leave_support(SymbolId id, const Type& other);
  Branches open_branches() const;
  void set_support_bounds(Sample& typed) const;

  // check_transforms.cpp
  bool peel_transforms(const ast::Sample& sample, Sample& typed);
  bool apply_transforms(Sample& typed, std::vector<Dim>& dims, catalog::Support& support);
  bool check_transform(const ast::Call& call, Transform& typed, const std::vector<Dim>& dims);
  bool check_flow(const ast::Call& call, Transform& typed, std::int64_t size);
  bool check_flow_net(const ast::Function& function, const ast::ExprPtr& context, Transform& typed,
                      std::int64_t size, std::optional<std::int64_t> split);
  std::optional<std::int64_t> whole_option(const ast::NamedArgument& option, const std::string& name,
                                           std::int64_t least, std::int64_t most);

  // check_statements.cpp

  void check_statements(const ast::Block& block, Block& into);
  void check_statement(const ast::Statement& statement, Block& into);
  void check_assign(const ast::Assign& assign, Span span, Block& into);
  SymbolId assign_target(const ast::LValue& target, const ExprPtr& value);
  bool check_refilled(SymbolId id, const ast::LValue& target, const std::vector<Frame>& frames);
  SymbolId assign_again(SymbolId id, const ast::LValue& target, const ExprPtr& value);
  bool target_loops(const ast::LValue& target, std::vector<Frame>& frames);
  void check_param(const ast::ParamDecl& param, Span span, Block& into);
  void check_for(const ast::For& loop, Span span, Block& into);
  void check_if(const ast::If& branch, Span span, Block& into);
  void leave_branches(const Names& then_names, const Names& else_names);
  void check_factor(const ast::Factor& factor, Span span, Block& into);
  bool refuse_in_function(std::string_view what, Span span);

  // check_plates.cpp
  void check_plate(const ast::Plate& plate, Span span, Block& into);
  std::optional<PlateId> find_plate(const ast::Plate& plate, const Dim& size, Span header);
  bool check_subsample(const ast::Plate& plate, Plate& declared);

  // scope.cpp
  SymbolId declare(std::string name, SymbolKind kind, Type type, std::vector<Frame> frames, Span span);
  SymbolId declare_local(const std::string& name, const ExprPtr& value, std::vector<Frame> frames, Span span);
  void bind(const std::string& name, SymbolId id);
  bool check_new_name(const std::string& name, Span span);
  void widen(SymbolId id, const Expr& value);
  void widen(SymbolId id, bool random, bool learnable, const PlateSet& varies, bool real, bool integer);
  void apply_widening(SymbolId id);
  void note_assigned(SymbolId id, std::size_t depth);
  std::vector<Frame> plate_frames() const;
  PlateSet open_plates() const;
  Symbol& symbol(SymbolId id) { return program_.symbols[static_cast<std::size_t>(id)]; }
  bool poisoned(SymbolId id) const { return poisoned_.count(id) > 0; }

  const ast::Program& file_;
  const CheckOptions& options_;
  Widenings& widenings_;
  Diagnostics& out_;
  Program program_;
  Context now_;
  bool grew_ = false;
  std::map<std::size_t, std::pair<SymbolId, Type>> ahead_; ///< declared ahead, by the place that sets them
  bool guesses_ = false; ///< some type in this round is a first guess: `@` does not judge by it
  std::vector<const ast::Call*> peeled_; ///< the transforms of the sample being checked, the outermost first
  int guards_ = 0;                       ///< open branches of `if` and `? :`

  struct ConstantState {
    const ast::Const* item = nullptr;
    Span span;
    bool busy = false;
    bool done = false;
    SymbolId symbol = -1;
  };
  std::map<std::string, ConstantState> constants_;
  std::map<std::string, const ast::Function*> functions_;
  std::map<std::string, Span> function_spans_;
  std::map<std::string, FunctionId> function_ids_;
  std::map<std::string, InstanceId> instances_;
  std::map<std::string, std::string> layer_counts_;
  std::map<std::pair<FunctionId, std::size_t>, LayerId> layer_places_;
  std::vector<FunctionId> active_;         ///< functions being checked, outermost first
  std::set<FunctionId> broken_;            ///< functions whose declaration has errors
  Names file_names_;                       ///< const, data, param
  std::map<std::string, Span> file_spans_; ///< every file-level name
  Names model_names_;
  std::map<std::string, Span> model_gone_;
  std::map<std::string, Span> param_spans_;
  std::set<SymbolId> poisoned_;
  std::set<std::string> bad_sizes_;
  std::map<SymbolId, std::size_t> depth_; ///< number of scopes around the scope that declares a symbol
  std::map<SymbolId, std::string> key_;
};

/// The candidate that `name` is a slip of, if there is one.
std::optional<std::string> similar(const std::string& name, const std::vector<std::string>& candidates);

/// The union of two plate sets.
PlateSet unite(const PlateSet& a, const PlateSet& b);
bool is_inside(const PlateSet& inner, const PlateSet& outer);

} // namespace plait::program
