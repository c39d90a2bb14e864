#include "compiler/program/checker.hpp"

#include <algorithm>
#include <stdexcept>

/// Latents: a name that a `~` introduces, in one statement or in one of each branch of an `if`.
namespace plait::program {

using catalog::SupportKind;

Checker::Branches Checker::open_branches() const {
  Branches branches;
  for (const Region& region : now_.regions)
    if (region.kind == Region::Kind::branch)
      branches.push_back(region.branch);
  return branches;
}

/// Whether the latent may be sampled here: every other statement that samples it is in another branch of one
/// `if`.
bool Checker::check_place(const ast::LValue& target, const std::vector<Frame>& frames) {
  const std::string& name = target.name.name;
  const Branches here = open_branches();
  const auto known = now_.sites.find(name);
  const auto earlier = known == now_.sites.end() ? Places{} : known->second.places;
  for (const auto& [place, branches] : earlier) {
    const bool apart = std::any_of(here.begin(), here.end(), [&](const auto& branch) {
      return std::find(branches.begin(), branches.end(), std::pair(branch.first, !branch.second)) !=
             branches.end();
    });
    if (apart)
      continue;
    errors::site_sampled_twice(out_, target.name.span, name, place);
    return false;
  }
  if (const SymbolId other = find_local(name); other >= 0) {
    std::optional<std::string> loop_index;
    for (const Frame& frame : now_.frames)
      if (frame.kind == Frame::Kind::loop && program_.loop(frame.id).span.begin > symbol(other).span.begin)
        loop_index = symbol(program_.loop(frame.id).index).name;
    errors::site_name_taken(out_, target.name.span, name, loop_index, symbol(other).span);
    return false;
  }
  if (!earlier.empty() && !poisoned(known->second.id) && symbol(known->second.id).frames != frames) {
    errors::site_has_other_frames(out_, target.name.span, name, earlier.front().first);
    return false;
  }
  return true;
}

/// Whether two branches draw the same kind of value. The guide may draw what is in the model's support in any
/// way.
bool Checker::check_same_value(const std::string& name, const SampledSite& first, const Sample& typed) {
  const Type &here = typed.type, &there = first.type;
  const bool alike = here.element == there.element && here.dims == there.dims &&
                     (!here.index_size || !there.index_size || *here.index_size == *there.index_size);
  const bool supports =
      now_.block != BlockKind::model || first.is_point || typed.distribution->point_mass ||
      (catalog::is_inside(here.support, there.support) && catalog::is_inside(there.support, here.support));
  if (alike && supports)
    return true;
  errors::site_branches_differ(out_, typed.call_span, name, to_string(here), first.call_span,
                               to_string(there));
  return false;
}

/// The symbol of a latent: that of the other branch of an `if`, where it is sampled or has a value, if there
/// is one.
SymbolId Checker::declare_site(const ast::LValue& target, const Type& type,
                               const std::vector<Frame>& frames) {
  const std::string& name = target.name.name;
  const auto known = now_.sites.find(name);
  const auto sibling = now_.reusable.find(name);
  const auto is_alike = [&](SymbolId id) {
    return symbol(id).kind == SymbolKind::local && symbol(id).frames == frames &&
           symbol(id).type.dims == type.dims && !poisoned(id);
  };
  SymbolId id = -1;
  if (known != now_.sites.end()) {
    id = known->second.id;
    widen_site(id, type);
  } else if (sibling != now_.reusable.end() && is_alike(sibling->second)) {
    id = sibling->second;
    symbol(id).kind = SymbolKind::site;
    widen_site(id, type);
  } else {
    id = declare(name, SymbolKind::site, type, frames, target.name.span);
    apply_widening(id);
  }
  bind(name, id);
  symbol(id).random = true;
  symbol(id).learnable = true;
  symbol(id).varies = unite(symbol(id).varies, open_plates());
  return id;
}

/// What is known of a latent's values, when it is another kind of value in another branch.
void Checker::leave_support(SymbolId id, const Type& other) {
  Type& type = symbol(id).type;
  if (type.support.kind != other.support.kind && type.is_real())
    type.support = {};
}

/// The latent may also be a draw of this type.
void Checker::widen_site(SymbolId id, const Type& type) {
  Expr draw;
  draw.type = type;
  draw.random = draw.learnable = true;
  draw.varies = open_plates();
  widen(id, draw);
  leave_support(id, type);
}

bool Checker::check_latent(const ast::Sample& sample, Sample& typed) {
  const std::string& name = sample.target.name.name;
  Span name_span = sample.target.name.span;
  bool ok = check_new_name(name, name_span);
  std::vector<Frame> frames;
  ok = target_loops(sample.target, frames) && ok;
  ok = check_place(sample.target, frames) && ok;
  if (ok)
    for (const Frame& frame : now_.frames)
      if (frame.kind == Frame::Kind::loop && std::find(frames.begin(), frames.end(), frame) == frames.end()) {
        const Loop& loop = program_.loop(frame.id);
        errors::site_in_loop_without_index(out_, name_span, name, symbol(loop.index).name, loop.span);
        ok = false;
        break;
      }
  for (const Region& region : now_.regions)
    if (region.kind == Region::Kind::branch && region.by_value) {
      errors::site_under_value_condition(out_, name_span, name, region.span);
      ok = false;
      break;
    }
  bool distribution_ok = check_distribution(sample, typed);
  std::vector<Dim> dims;
  distribution_ok = distribution_ok && check_distribution_shape(*typed.distribution, typed, dims);
  if (sample.strategy)
    ok = check_using(*sample.strategy, typed.strategy) && ok;
  if (distribution_ok)
    distribution_ok = type_latent(name, dims, typed, ok);
  const auto known = now_.sites.find(name);
  if (ok && distribution_ok && known != now_.sites.end() && !poisoned(known->second.id))
    ok = check_same_value(name, known->second, typed);
  const SymbolId id = declare_site(sample.target, typed.type, frames);
  typed.symbol = id;
  SampledSite& site = now_.sites[name];
  if (site.places.empty())
    site = {id, typed.type, typed.call_span, typed.distribution && typed.distribution->point_mass, {}};
  site.places.emplace_back(name_span, open_branches());
  for (Region& region : now_.regions)
    if (region.kind == Region::Kind::loop)
      for (const Frame& frame : frames)
        if (frame == Frame{Frame::Kind::loop, region.id} &&
            std::find(region.filled.begin(), region.filled.end(), id) == region.filled.end())
          region.filled.push_back(id);
  if (!ok || !distribution_ok)
    poisoned_.insert(id);
  settle_type(id);
  return ok && distribution_ok;
}

/// The type of a latent from that of its distribution's draws. `ok` becomes false for an error that leaves
/// the type known.
bool Checker::type_latent(const std::string& name, std::vector<Dim> dims, Sample& typed, bool& ok) {
  catalog::Support support = typed.distribution->support;
  bool known = true;
  if (dims.size() < static_cast<std::size_t>(typed.distribution->event_rank.get())) {
    errors::site_shape_unknown(out_, typed.call_span, name, std::string(typed.distribution->name));
    known = false;
  }
  typed.source_dims = dims;
  known = known && apply_transforms(typed, dims, support);
  if (known && !typed.transforms.empty() && typed.strategy.strategy == Strategy::score) {
    errors::transform_by_score(out_, typed.strategy.span, distribution_text(typed));
    ok = false;
  }
  typed.type.dims = dims;
  typed.type.support = support;
  if (support.kind == SupportKind::bit)
    typed.type.element = Element::bit;
  else if (support.kind == SupportKind::category) {
    typed.type.element = Element::index;
    typed.type.index_size = support_size(*typed.distribution, typed.arguments);
    if (!typed.type.index_size)
      typed.type.element = Element::integer;
  } else if (catalog::is_discrete(support.kind))
    typed.type.element = Element::integer;
  else if (typed.distribution->bounds && typed.transforms.empty())
    set_support_bounds(typed);
  return known;
}

/// The bounds of an interval-like support when the parameters that set them are constants.
void Checker::set_support_bounds(Sample& typed) const {
  ir::Graph graph;
  ir::Builder builder(graph);
  std::vector<ir::Value> values;
  for (const ExprPtr& argument : typed.arguments) {
    auto number = constant_value(argument);
    if (!argument->type.is_scalar())
      return;
    // An unknown parameter becomes an input: whatever is computed from it is not a constant node.
    values.push_back(number ? builder.real(*number) : builder.input("parameter"));
  }
  auto number_of = [&](const std::optional<ir::Value>& value) -> std::optional<double> {
    if (!value)
      return std::nullopt;
    const ir::Node& node = graph.node(value->id());
    if (node.kind != ir::Kind::constant || node.literal.size() != 1)
      return std::nullopt;
    return node.literal[0];
  };
  try {
    catalog::SupportBounds bounds = typed.distribution->bounds(values);
    typed.type.support.lower = number_of(bounds.lower);
    typed.type.support.upper = number_of(bounds.upper);
  } catch (const std::logic_error&) {
    return;
  }
}

} // namespace plait::program
