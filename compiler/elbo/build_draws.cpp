#include "compiler/elbo/build_draws.hpp"

#include "compiler/elbo/walk.hpp"
#include "compiler/plates/sites.hpp"

#include <algorithm>

namespace plait::elbo {

using ir::AxisId;
using ir::Value;
using program::ExprPtr;
using program::Frame;

namespace {

/** Where a drawn name lies: its frames, and the dimensions of its value at one point of them. */
struct Layout {
  std::vector<Frame> frames;
  std::vector<program::Dim> dims;
};

std::optional<Layout> layout_of(const program::Program& program, const std::string& name,
                                program::BlockKind block) {
  for (const program::Symbol& symbol : program.symbols)
    if (symbol.name == name && symbol.block == block && symbol.kind != program::SymbolKind::data)
      return Layout{symbol.frames, symbol.type.dims};
  return std::nullopt;
}

/** The value with all plates that it lies in, in the order of their nesting, outermost first. Axes print in
 * the order in which the program first names their plates; where that differs, they become dimensions. */
DrawnValue arrange(const program::Program& program, Sizes& sizes, ir::Builder& builder, const Layout& layout,
                   Value value) {
  std::vector<AxisId> nested;
  std::map<AxisId, program::PlateId> plates;
  for (const Frame& frame : layout.frames)
    if (frame.kind == Frame::Kind::plate) {
      nested.push_back(sizes.axis(frame.id));
      plates[nested.back()] = frame.id;
    }
  // A value that is the same for all elements of a plate is still one of each.
  std::vector<AxisId> order = value.type().axes;
  for (AxisId axis : nested)
    order = ir::unite(order, {axis});
  value = builder.broadcast(value, order, value.type().shape);
  if (!std::is_sorted(nested.begin(), nested.end())) {
    for (auto axis = nested.rbegin(); axis != nested.rend(); ++axis)
      value = builder.axis_to_dim(value, *axis);
    order = value.type().axes;
    order.insert(order.end(), nested.begin(), nested.end());
  }
  std::vector<program::Dim> extents;
  for (AxisId axis : order)
    extents.push_back(plates.contains(axis) ? program.plate(plates[axis]).size : program::Dim::known(0));
  for (const Frame& frame : layout.frames)
    if (frame.kind == Frame::Kind::loop)
      extents.push_back(program.loop(frame.id).extent);
  extents.insert(extents.end(), layout.dims.begin(), layout.dims.end());

  DrawnValue drawn{value, {}, {}};
  if (extents.size() != value.type().axes.size() + value.type().shape.size())
    return drawn;
  for (std::size_t dim = 0; dim < extents.size(); ++dim) {
    if (extents[dim].terms.size() != 1 || extents[dim].terms[0].row != program::SizeTerm::Row::plate)
      continue;
    const program::SizeTerm& term = extents[dim].terms[0];
    const auto row = std::find(order.begin(), order.end(), sizes.axis(term.plate));
    if (row != order.end())
      drawn.ragged.push_back({dim, static_cast<std::size_t>(row - order.begin()), term.name, term.factor,
                              extents[dim].constant});
  }
  return drawn;
}

/** Latents of the model that no statement samples, or gives a value, where none of their conditions holds. */
std::set<program::SymbolId> partial_latents(const program::Program& program) {
  std::map<program::SymbolId, std::vector<plates::Path>> paths;
  for (const plates::Site& site : plates::find_sites(program, program.model, program::BlockKind::model))
    if (!site.observed)
      paths[site.symbol].push_back(site.conditions);
  plates::for_each_assignment(program.model, [&](const program::Assign& assign, const plates::Path& path) {
    for (program::SymbolId target : assign.targets)
      if (const auto latent = paths.find(target); latent != paths.end())
        latent->second.push_back(path);
  });
  const plates::ConditionLogic logic(program);
  std::set<program::SymbolId> result;
  for (const auto& [symbol, where] : paths)
    if (!logic.cover(where))
      result.insert(symbol);
  return result;
}

/** Collects the data that expressions read. */
class Reads {
public:
  explicit Reads(const program::Program& program) : program_(program) {}

  void look_at(const ExprPtr& expr) {
    if (!expr)
      return;
    if (const auto* name = program::get_if<program::Name>(expr))
      found.insert(name->symbol);
    for (const ExprPtr& part : parts_of(*expr))
      look_at(part);
  }
  void look_at(const program::Dim& dim) {
    for (const program::SizeTerm& term : dim.terms)
      if (const auto size = program_.sizes.find(term.name); size != program_.sizes.end())
        found.insert(size->second.lengths);
  }

  void walk(const program::Block& block) {
    program::for_each_statement(block, [&](const program::Statement& statement) {
      if (const auto* assign = program::get_if<program::Assign>(statement)) {
        look_at(assign->value);
      } else if (const auto* sample = program::get_if<program::Sample>(statement)) {
        for (const ExprPtr& argument : program::reads_of(*sample))
          look_at(argument);
        look_at(sample->strategy.baseline);
        // The data observed are not read here, but their subscripts are.
        if (const auto* index = program::get_if<program::Index>(sample->value))
          for (const program::Subscript& subscript : index->subscripts)
            look_at(subscript.element);
      } else if (const auto* loop = program::get_if<program::ForStatement>(statement)) {
        look_at(program_.loop(loop->loop).lower);
        look_at(program_.loop(loop->loop).upper);
        look_at(program_.loop(loop->loop).extent);
      } else if (const auto* plate = program::get_if<program::PlateStatement>(statement)) {
        look_at(program_.plate(plate->plate).size);
      } else if (const auto* branch = program::get_if<program::IfStatement>(statement)) {
        look_at(branch->condition);
      } else if (const auto* factor = program::get_if<program::FactorStatement>(statement)) {
        look_at(factor->value);
      } else if (const auto* result = program::get_if<program::ReturnStatement>(statement)) {
        look_at(result->value);
      }
    });
  }

  std::set<program::SymbolId> found;

private:
  const program::Program& program_;
};

} // namespace

std::set<std::string> only_observed(const program::Program& program) {
  const guide::FamilyRow* family = program.family ? guide::find_family(program.family->family) : nullptr;
  if (family && family->reads_data)
    return {};
  Reads reads(program);
  reads.walk(program.model);
  if (program.guide)
    reads.walk(*program.guide);
  if (program.predict)
    reads.walk(*program.predict);
  for (const program::Instance& instance : program.instances)
    reads.walk(instance.body);
  // A parameter's start is read before the fit, and never again.
  for (const program::Symbol& symbol : program.symbols)
    if (symbol.kind != program::SymbolKind::param)
      reads.look_at(symbol.value);
  std::set<std::string> result;
  program::for_each_statement(program.model, [&](const program::Statement& statement) {
    if (const auto* sample = program::get_if<program::Sample>(statement))
      if (sample->observed && !reads.found.contains(sample->symbol))
        result.insert(program.symbol(sample->symbol).name);
  });
  return result;
}

std::optional<PosteriorDraws> build_draws(const program::Program& program, const ElboOptions& given,
                                          const DrawOptions& draws, Diagnostics& diagnostics) {
  const auto build = [&](const ElboOptions& options) -> std::optional<PosteriorDraws> {
    Walk walk(program, options, false);
    Executor& executor = *walk.executor;
    executor.drawing.draws = true;
    for (program::SymbolId data : program.data)
      if (draws.absent.contains(program.symbol(data).name))
        executor.drawing.absent.insert(data);
    if (program.guide)
      executor.run(*program.guide, Role::guide);
    // The model is walked in any case: automatic guides draw when it reaches their sites, and the predict
    // block may read its locals.
    executor.drawing.partial = partial_latents(program);
    executor.run(program.model, Role::model);
    const std::map<std::string, Value> existence = executor.take_existence();
    executor.draw_summed_out();
    executor.take_given_values();
    // Without a predict block the data are drawn anew: the posterior predictive of every observed site.
    if (draws.predict)
      executor.run(program.predict ? *program.predict : program.model, Role::predict);

    PosteriorDraws result;
    const auto arranged = [&](const std::string& name, program::BlockKind block, Value value) {
      const auto layout = layout_of(program, name, block);
      return layout ? arrange(program, *walk.sizes, *walk.elbo.builder, *layout, value)
                    : DrawnValue{value, {}, {}};
    };
    for (const auto& [name, latent] : executor.latents) {
      result.latents[name] = arranged(name, program::BlockKind::model, latent.value);
      if (const auto exists = existence.find(name); exists != existence.end())
        result.latents[name].exists = arranged(name, program::BlockKind::model, exists->second).value;
    }
    for (const auto& [data, redrawn] : executor.take_redrawn()) {
      DrawnValue drawn{redrawn.value, {}, redrawn.exists};
      const std::vector<program::Dim>& dims = program.symbol(data).type.dims;
      for (std::size_t dim = 0; dim < dims.size(); ++dim)
        for (const program::SizeTerm& term : dims[dim].terms)
          if (term.row == program::SizeTerm::Row::open)
            drawn.ragged.push_back({dim, 0, term.name, term.factor, dims[dim].constant});
      result.results[program.symbol(data).name] = drawn;
    }
    for (const auto& [name, value] : executor.results)
      result.results[name] = arranged(name, program::BlockKind::predict, value);
    result.graph = std::move(walk.elbo.graph);
    result.builder = std::move(walk.elbo.builder);
    result.parameters = std::move(walk.elbo.parameters);
    return result;
  };
  return guarded<PosteriorDraws>(diagnostics, [&] { return with_sizes_as_needed(given, build); });
}

std::optional<StartBounds> build_start_bounds(const program::Program& program, const ElboOptions& given,
                                              const std::set<std::string>& names, Diagnostics& diagnostics) {
  const auto build = [&](const ElboOptions& options) -> std::optional<StartBounds> {
    Walk walk(program, options, false, names);
    Executor& executor = *walk.executor;
    if (program.guide)
      executor.run(*program.guide, Role::guide);
    executor.run(program.model, Role::model);
    StartBounds result;
    for (const std::string& name : names) {
      const bool is_parameter =
          std::any_of(program.params.begin(), program.params.end(),
                      [&](program::SymbolId id) { return program.symbol(id).name == name; });
      const auto layout = layout_of(program, name, program::BlockKind::model);
      const auto take = [&](const char* suffix, std::map<std::string, Value>& bounds) {
        const auto found = executor.latents.find(name + suffix);
        if (found == executor.latents.end())
          return;
        Value value = found->second.value;
        if (!is_parameter && layout)
          value = arrange(program, *walk.sizes, *walk.elbo.builder, *layout, value).value;
        bounds[name] = value;
      };
      take(Executor::lower_suffix, result.lower);
      take(Executor::upper_suffix, result.upper);
    }
    result.graph = std::move(walk.elbo.graph);
    result.builder = std::move(walk.elbo.builder);
    return result;
  };
  return guarded<StartBounds>(diagnostics, [&] { return with_sizes_as_needed(given, build); });
}

} // namespace plait::elbo
