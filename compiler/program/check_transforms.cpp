#include "compiler/program/checker.hpp"
#include "compiler/program/describe.hpp"

#include <algorithm>
#include <cmath>

namespace plait::program {

namespace {

std::string usage_of(const catalog::Transform& row) {
  return std::string(row.usage.get());
}

std::string text_of(const std::vector<Dim>& dims) {
  return dims.empty() ? "a single number" : "of shape " + to_string(dims);
}

} // namespace

/// Takes the transforms off the call, the outermost first, and checks the distribution inside. What the
/// transforms make of it is known once its shape is: apply_transforms.
bool Checker::peel_transforms(const ast::Sample& sample, Sample& typed) {
  peeled_.clear();
  const ast::Call* call = &sample.call();
  std::vector<ast::ExprPtr> copies = sample.copies;
  while (!catalog::find_distribution(call->callee.name)) {
    const catalog::Transform* row = catalog::find_transform(call->callee.name);
    const ast::Call* inner = nullptr;
    std::vector<ast::ExprPtr> inner_copies;
    if (!call->arguments.empty()) {
      const ast::ExprPtr& first = call->arguments.front();
      inner = ast::get_if<ast::Call>(first);
      if (const auto* index = ast::get_if<ast::Index>(first)) {
        inner = ast::get_if<ast::Call>(index->base);
        for (const ast::Subscript& subscript : index->subscripts)
          inner_copies.push_back(subscript.kind == ast::Subscript::Kind::element ? subscript.element
                                                                                 : nullptr);
      }
      const bool whole = std::all_of(inner_copies.begin(), inner_copies.end(),
                                     [](const ast::ExprPtr& size) { return size != nullptr; });
      if (!whole || (inner && !catalog::find_distribution(inner->callee.name) &&
                     !catalog::find_transform(inner->callee.name)))
        inner = nullptr;
    }
    if (!row && inner) {
      std::vector<std::string> names;
      std::string known;
      for (const catalog::Transform* other : catalog::transforms()) {
        names.emplace_back(other->name);
        known += (known.empty() ? "`" : ", `") + names.back() + "`";
      }
      errors::transform_unknown(out_, call->callee.span, call->callee.name, similar(call->callee.name, names),
                                known);
      return false;
    }
    if (!row)
      break; // no distribution either: reported below
    if (!inner) {
      errors::transform_of_nothing(out_, typed.call_span, call->callee.name, usage_of(*row));
      return false;
    }
    if (!copies.empty() || !call->sizes.empty()) {
      errors::transform_copies(out_, call->callee.span, call->callee.name);
      return false;
    }
    peeled_.push_back(call);
    copies = inner_copies;
    call = inner;
  }
  return check_distribution_call(*call, copies, typed);
}

/// Checks the transforms from the inside out; `dims` and `support` become those of the last image.
bool Checker::apply_transforms(Sample& typed, std::vector<Dim>& dims, catalog::Support& support) {
  for (auto call = peeled_.rbegin(); call != peeled_.rend(); ++call) {
    const catalog::Transform& row = *catalog::find_transform((*call)->callee.name);
    const std::string name(row.name);
    const Span span = (*call)->callee.span;
    const auto image = row.support.get()(support);
    if (!image || (dims.empty() && row.event_rank.get() > 0 && catalog::event_rank(support.kind) > 0)) {
      errors::transform_support(out_, span, name, distribution_text(typed), catalog::to_string(support));
      return false;
    }
    Transform transform;
    transform.row = &row;
    transform.span = span;
    transform.image_dims = dims;
    if (row.event_rank.get() == 1) {
      const auto size = dims.size() == 1 ? dims[0].value() : std::nullopt;
      if (!size || *size < 1) {
        errors::transform_shape(out_, span, name, text_of(dims));
        return false;
      }
      std::string reason;
      if (row.image_size) {
        const auto event = row.image_size({*size}, reason);
        if (!event) {
          errors::transform_size(out_, span, name, reason);
          return false;
        }
        transform.image_dims.clear();
        for (std::int64_t extent : *event)
          transform.image_dims.push_back(Dim::known(extent));
      }
    }
    const bool alike =
        typed.transforms.empty() && std::all_of(typed.arguments.begin(), typed.arguments.end(),
                                                [](const ExprPtr& part) { return part->type.is_scalar(); });
    if (row.exchangeable && !alike) {
      errors::transform_not_exchangeable(out_, span, name);
      return false;
    }
    if (now_.block == BlockKind::model && !catalog::has_density_everywhere(row)) {
      errors::transform_without_density(out_, span, name);
      return false;
    }
    if (!check_transform(**call, transform, dims))
      return false;
    dims = transform.image_dims;
    support = *image;
    typed.transforms.push_back(std::move(transform));
  }
  return true;
}

bool Checker::check_transform(const ast::Call& call, Transform& typed, const std::vector<Dim>& dims) {
  const catalog::Transform& row = *typed.row;
  if (row.flow != catalog::FlowKind::none)
    return check_flow(call, typed, *dims.at(0).value());
  const std::vector<catalog::DistributionParameter> parameters = row.parameters.get()();
  std::vector<ast::ExprPtr> ordered(parameters.size());
  bool ok = call.arguments.size() <= parameters.size() + 1;
  for (std::size_t k = 1; ok && k < call.arguments.size(); ++k)
    ordered[k - 1] = call.arguments[k];
  for (const ast::NamedArgument& named : call.named) {
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [&](const auto& parameter) { return parameter.name == named.name.name; });
    ok = ok && found != parameters.end() && !ordered[static_cast<std::size_t>(found - parameters.begin())];
    if (ok)
      ordered[static_cast<std::size_t>(found - parameters.begin())] = named.value;
  }
  ok = ok && std::all_of(ordered.begin(), ordered.end(), [](const ast::ExprPtr& part) { return part; });
  if (!ok) {
    errors::transform_arguments(out_, typed.span, std::string(row.name), usage_of(row));
    return false;
  }
  typed.arguments = check_arguments(ordered, ok);
  for (std::size_t k = 0; ok && k < parameters.size(); ++k) {
    ExprPtr& argument = typed.arguments[k];
    const std::string what = "`" + std::string(parameters[k].name) + "` of " + std::string(row.name);
    argument = to_real(argument);
    Type constraint;
    constraint.support.kind = parameters[k].constraint;
    ok = check_constant_inside(argument, constraint, what);
    if (ok && !argument->type.is_scalar() && !(argument->type.dims == dims)) {
      errors::transform_size(out_, argument->span, std::string(row.name),
                             "`" + std::string(parameters[k].name) + "` is " + text_of(argument->type.dims) +
                                 ", the values are " + text_of(dims));
      ok = false;
    }
  }
  return ok;
}

std::optional<std::int64_t> Checker::whole_option(const ast::NamedArgument& option, const std::string& name,
                                                  std::int64_t least, std::int64_t most) {
  const ExprPtr value = check_expr(option.value);
  if (!value)
    return std::nullopt;
  const auto number = constant_value(value);
  if (number && *number == std::floor(*number) && *number >= static_cast<double>(least) &&
      *number <= static_cast<double>(most))
    return static_cast<std::int64_t>(*number);
  errors::transform_option(out_, value->span, name, option.name.name,
                           "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

/// `iaf(d, f, context = h)` or `iaf(d, flows = 1, hidden = 64, context = h)`.
bool Checker::check_flow(const ast::Call& call, Transform& typed, std::int64_t size) {
  const std::string name(typed.row->name);
  const bool halves = typed.row->flow == catalog::FlowKind::halves;
  const ast::Function* net = nullptr;
  bool ok = call.arguments.size() <= 2;
  if (ok && call.arguments.size() == 2) {
    const auto* written = ast::get_if<ast::Name>(call.arguments[1]);
    const auto found = written ? functions_.find(written->name) : functions_.end();
    ok = found != functions_.end();
    if (ok)
      net = found->second;
  }
  ast::ExprPtr context;
  std::optional<std::int64_t> split;
  typed.flows = halves ? 2 : 1;
  for (const ast::NamedArgument& option : call.named) {
    const std::string& word = option.name.name;
    if (word == "context") {
      context = option.value;
      continue;
    }
    std::optional<std::int64_t> value;
    if (word == "flows" && !net && (value = whole_option(option, name, 1, 100)))
      typed.flows = *value;
    else if (word == "hidden" && !net && (value = whole_option(option, name, 1, 100'000)))
      typed.hidden = *value;
    else if (word == "split" && net && halves && (value = whole_option(option, name, 1, size - 1)))
      split = *value;
    if (value)
      continue;
    if ((word == "flows" || word == "hidden") && !net)
      return false; // reported
    ok = false;
  }
  if (!ok) {
    errors::transform_arguments(out_, typed.span, name, usage_of(*typed.row));
    return false;
  }
  if (halves && size < 2) {
    errors::transform_size(out_, typed.span, name, "a vector of 1 has no two halves");
    return false;
  }
  if (net)
    return check_flow_net(*net, context, typed, size, split);
  if (!context)
    return true;
  typed.context = check_expr(context);
  if (!typed.context)
    return false;
  typed.context = to_real(typed.context);
  if (typed.context->type.dims.size() != 1 || !typed.context->type.dims[0].value()) {
    errors::transform_context(out_, typed.context->span, to_string(typed.context->type));
    return false;
  }
  return true;
}

bool Checker::check_flow_net(const ast::Function& function, const ast::ExprPtr& context, Transform& typed,
                             std::int64_t size, std::optional<std::int64_t> split) {
  const std::string name(typed.row->name);
  const std::string& net = function.name.name;
  const bool halves = typed.row->flow == catalog::FlowKind::halves;
  const std::int64_t read = halves ? split.value_or(size / 2) : size;
  const std::int64_t moved = halves ? size - read : size;
  const std::size_t wanted = context ? 2 : 1;
  if (function.parameters.size() != wanted) {
    errors::wrong_argument_count(out_, typed.span, net, std::to_string(function.parameters.size()), wanted)
        .note(function.name.span, "declared here");
    return false;
  }
  if (broken_.count(function_ids_.at(net)))
    return false;
  Type type;
  type.dims = {Dim::known(read)};
  // No name of a program can be like this one.
  typed.input = declare("(moved by " + net + ")", SymbolKind::local, type, {}, typed.span);
  Symbol& input = symbol(typed.input);
  input.random = input.learnable = true;
  input.varies = open_plates();
  auto argument = std::make_shared<Expr>();
  argument->node = Name{typed.input, {}};
  argument->type = type;
  argument->random = argument->learnable = true;
  argument->varies = open_plates();
  argument->span = typed.span;
  std::vector<ExprPtr> arguments{argument};
  if (context) {
    const ExprPtr value = check_expr(context);
    if (!value)
      return false;
    arguments.push_back(value);
  }
  typed.net = call_function(function, std::move(arguments), typed.span);
  if (!typed.net)
    return false;
  const Type& result = typed.net->type;
  const std::vector<Dim> dims{Dim::known(moved)};
  const bool fits = result.tuple.size() == 2 && result.tuple[0].is_real() && result.tuple[1].is_real() &&
                    result.tuple[0].dims == dims && result.tuple[1].dims == dims;
  if (!fits)
    errors::transform_net(out_, typed.span, name, net, "each real" + to_string(dims), to_string(result));
  return fits;
}

} // namespace plait::program
