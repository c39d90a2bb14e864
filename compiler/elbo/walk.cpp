#include "compiler/elbo/walk.hpp"

#include <fmt/format.h>

#include <set>

namespace plait::elbo {

using ir::AxisId;

namespace {

void declare_data(const program::Program& program, const Sizes& sizes, ir::Graph& graph) {
  for (program::SymbolId id : program.data) {
    const program::Symbol& symbol = program.symbol(id);
    if (symbol.implicit)
      continue;
    ir::DataArray array;
    array.name = symbol.name;
    array.element = symbol.type.is_real() ? ir::Element::real : ir::Element::integer;
    array.shape = sizes.shape(symbol.type.dims);
    array.ragged = symbol.type.dims.size() > 1 && symbol.type.dims[1].is_ragged();
    graph.data.push_back(std::move(array));
  }
}

/** Whether the family must see numbers where the size of a plate would stay a run-time extent. */
bool needs_known_sizes(const program::Program& program, const guide::FamilyRow& row) {
  if (row.known_sizes.get() != guide::KnownSizes::sites)
    return row.known_sizes.get() == guide::KnownSizes::all;
  // Some latent is itself as long as a plate.
  std::set<std::string> plate_sizes;
  for (const program::Plate& plate : program.plates)
    if (const program::SizeTerm* size = plate.size.single())
      plate_sizes.insert(size->name);
  bool found = false;
  program::for_each_statement(program.model, [&](const program::Statement& statement) {
    const auto* sample = program::get_if<program::Sample>(statement);
    if (!sample || sample->observed)
      return;
    const auto look_at = [&](const program::Dim& dim) {
      const program::SizeTerm* size = dim.single();
      found = found || (size && plate_sizes.contains(size->name));
    };
    for (const program::Dim& dim : sample->type.dims)
      look_at(dim);
    for (const program::Frame& frame : sample->frames)
      if (frame.kind == program::Frame::Kind::loop)
        look_at(program.loop(frame.id).extent);
  });
  return found;
}

} // namespace

Walk::Walk(const program::Program& program, const ElboOptions& options, bool detach_density,
           const std::optional<std::set<std::string>>& given_values) {
  elbo.graph = std::make_unique<ir::Graph>();
  elbo.builder = std::make_unique<ir::Builder>(*elbo.graph);
  elbo.parameters = std::make_unique<guide::Parameters>(*elbo.builder);
  const guide::FamilyRow* row = program.family ? guide::find_family(program.family->family) : nullptr;
  if (program.family && !row)
    throw Unsupported(program.family->span,
                      fmt::format("there is no automatic guide named {}", program.family->family));
  const bool keep = options.keep_runtime_sizes && !(row && needs_known_sizes(program, *row));
  sizes = std::make_unique<Sizes>(program, *elbo.graph, keep, options.subsample);
  declare_data(program, *sizes, *elbo.graph);
  // Axis order is nesting order: plates first, in the order of the text, then particles.
  for (const program::Plate& plate : program.plates)
    sizes->axis(plate.id);
  if (options.particles > 1) {
    particles = static_cast<AxisId>(elbo.graph->axes.size());
    const auto count = ir::Extent::known(options.particles);
    elbo.graph->axes.push_back({"particle", ir::AxisKind::particle, count, count, false, -1});
  }
  executor = std::make_unique<Executor>(program, *elbo.builder, *sizes, *elbo.parameters, particles);
  executor->detach_density = detach_density;
  executor->given_values = given_values;
  if (row)
    use_family(program, *row);
}

void Walk::use_family(const program::Program& program, const guide::FamilyRow& row) {
  sites = executor->latent_sites();
  reads_data = row.reads_data;
  guide::FamilyContext context;
  context.builder = elbo.builder.get();
  context.parameters = elbo.parameters.get();
  context.sites = sites;
  context.detach_density = executor->detach_density;
  const std::vector<catalog::Option> options = row.options.get()();
  if (const auto unknown = catalog::unknown_option(options, program.family->options))
    throw Unsupported(program.family->span,
                      fmt::format("auto({}) has no option named {}", row.name, *unknown));
  context.options = catalog::option_values(options, program.family->options);
  context.joint_draws = [this](const std::string& name) -> catalog::Draws& {
    return executor->joint_draws(name);
  };
  try {
    executor->use_family(row.make.get()(context), row.reads_data);
  } catch (const std::invalid_argument& fault) {
    throw Unsupported(program.family->span, fmt::format("auto({}): {}", row.name, fault.what()));
  }
}

} // namespace plait::elbo
