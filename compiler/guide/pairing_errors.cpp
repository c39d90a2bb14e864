#include "compiler/guide/pairing_errors.hpp"

#include <fmt/format.h>

namespace plait::guide::errors {

Diagnostic& latent_missing(Diagnostics& out, const Site& model, Span guide_span, bool finite) {
  Diagnostic& made =
      out.error("guide-misses-latent", guide_span,
                fmt::format("the guide does not sample `{}`, a latent of the model", model.name));
  made.note(model.name_span, fmt::format("`{}` is sampled in the model here", model.name));
  if (finite)
    made.with_hint(fmt::format("sample `{}` in the guide, or sum it out: `{} ~ {}(…) using enumerate;`",
                               model.name, model.name, std::string_view(model.distribution->name)));
  else
    made.with_hint(fmt::format("sample `{}` in the guide, or write `guide auto(normal);`", model.name));
  return made;
}

Diagnostic& extra_site(Diagnostics& out, const Site& guide, const std::optional<std::string>& nearest) {
  Diagnostic& made =
      out.error("guide-extra-site", guide.name_span,
                fmt::format("the guide samples `{}`, which is no latent of the model", guide.name));
  if (nearest)
    made.with_hint(fmt::format("did you mean `{}`?", *nearest));
  return made;
}

Diagnostic& shape_mismatch(Diagnostics& out, const Site& model, const std::string& model_shape,
                           const Site& guide, const std::string& guide_shape) {
  return out
      .error(
          "pair-shape", guide.span,
          fmt::format("`{}` is {} in the guide, but {} in the model", guide.name, guide_shape, model_shape))
      .note(model.span, fmt::format("in the model `{}` is {}", model.name, model_shape));
}

Diagnostic& plate_mismatch(Diagnostics& out, const Site& model, const std::string& model_plates,
                           const Site& guide, const std::string& guide_plates) {
  auto under = [](const std::string& plates) {
    return plates == "-" ? "outside every plate" : "under plate " + plates;
  };
  return out
      .error("pair-plates", guide.name_span,
             fmt::format("`{}` is {} in the guide, but {} in the model", guide.name, under(guide_plates),
                         under(model_plates)))
      .note(model.name_span, fmt::format("in the model `{}` is {}", model.name, under(model_plates)))
      .with_hint("a latent has the same plates on both sides; plates are the same when their sizes are");
}

Diagnostic& loop_mismatch(Diagnostics& out, const Site& model, const Site& guide) {
  return out
      .error("pair-loops", guide.name_span,
             fmt::format("the loops around `{}` in the guide are not those of the model", guide.name))
      .note(model.name_span, fmt::format("`{}` is sampled in the model here", model.name))
      .with_hint("sample it in `for` loops over the same ranges on both sides");
}

Diagnostic& condition_mismatch(Diagnostics& out, const std::vector<Site>& model,
                               const std::string& model_condition, const std::vector<Site>& guide,
                               const std::string& guide_condition) {
  auto when = [](const std::string& condition) { return condition.empty() ? "always" : "if " + condition; };
  const Site &in_guide = guide.front(), &in_model = model.front();
  Diagnostic& made = out.error("pair-condition", in_guide.name_span,
                               fmt::format("the guide samples `{}` {}, but the model {}", in_guide.name,
                                           when(guide_condition), when(model_condition)));
  for (std::size_t k = 1; k < guide.size(); ++k)
    made.note(guide[k].name_span, "in the guide also here");
  made.note(in_model.name_span,
            fmt::format("the model samples `{}` {}", in_model.name, when(model_condition)));
  for (std::size_t k = 1; k < model.size(); ++k)
    made.note(model[k].name_span, "in the model also here");
  return made.with_hint("sample it under the same condition on both sides");
}

Diagnostic& support_mismatch(Diagnostics& out, const Site& model, const std::string& model_support,
                             const Site& guide, const std::string& guide_support) {
  return out
      .error("pair-support", guide.call_span,
             fmt::format("the guide draws `{}` from {} ({}), but in the model it is {}", guide.name,
                         guide.distribution_text, guide_support, model_support))
      .note(model.call_span, fmt::format("{} in the model: {}", model.distribution_text, model_support))
      .with_hint("the guide may only draw values that the model allows");
}

Diagnostic& guide_plate_absent(Diagnostics& out, const program::Plate& plate,
                               const std::optional<std::string>& nearest) {
  Diagnostic& made =
      out.error("guide-plate", plate.span, fmt::format("the model has no plate {}", plate.name));
  if (nearest)
    made.with_hint(fmt::format("did you mean `{}`?", *nearest));
  else
    made.with_hint("a plate of the guide has the size, and the alias, of one in the model");
  return made;
}

Diagnostic& enumerated_site_in_guide(Diagnostics& out, const Site& model, const Site& guide) {
  return out
      .error("enumerated-in-guide", guide.name_span,
             fmt::format("`{}` is summed out in the model and cannot be sampled in the guide", guide.name))
      .note(model.strategy.span, "summed out here")
      .with_hint("remove it from the guide, or drop `using enumerate` in the model");
}

Diagnostic& strategy_in_model(Diagnostics& out, const Site& model, const Site* guide) {
  Diagnostic& made = out.error("strategy", model.strategy.span,
                               fmt::format("`using {}` belongs where the guide samples `{}`",
                                           to_string(model.strategy.strategy), model.name));
  if (guide)
    made.note(guide->span, fmt::format("`{}` is sampled in the guide here", guide->name));
  return made.with_hint("in the model only `using enumerate` has a meaning");
}

Diagnostic& pathwise_discrete(Diagnostics& out, const Site& site) {
  return out
      .error(
          "strategy", site.strategy.span,
          fmt::format("a draw from {} has no pathwise derivative", std::string_view(site.distribution->name)))
      .with_hint("use `using score`, or `using enumerate` in the model if it takes few values");
}

Diagnostic& summed_out_in_one_branch(Diagnostics& out, const Site& summed, const Site& drawn) {
  return out
      .error("strategy", drawn.name_span,
             fmt::format("`{}` is drawn here, but summed out in another branch", drawn.name))
      .note(summed.name_span, "summed out here")
      .with_hint("write `using enumerate` in every branch or in none");
}

Diagnostic& enumerate_infinite(Diagnostics& out, const Site& site) {
  return out
      .error("strategy", site.strategy.span,
             fmt::format("{} takes infinitely many values and cannot be summed out",
                         std::string_view(site.distribution->name)))
      .with_hint(
          "`using enumerate` works for bernoulli, categorical and other distributions with few values");
}

Diagnostic& enumerated_over_subsample(Diagnostics& out, const Site& enumerated, const Site& local,
                                      const program::Plate& plate) {
  return out
      .error(
          "enumerated-over-subsample", enumerated.name_span,
          fmt::format("`{}` is summed out over all of plate {}, of which only a subsample is drawn: the sum "
                      "cannot be scaled",
                      enumerated.name, plate.name))
      .note(local.span, fmt::format("`{}` inside the plate depends on it", local.name))
      .note(plate.subsample_span, "the plate draws a subsample here")
      .with_hint(fmt::format("drop the `subsample`, sample `{0}` in the guide, or move `{0}` into the plate",
                             enumerated.name));
}

Diagnostic& discrete_with_automatic_guide(Diagnostics& out, const Site& site) {
  return out
      .error("automatic-guide", site.name_span,
             fmt::format("an automatic guide cannot serve `{}`: {} takes infinitely many values", site.name,
                         std::string_view(site.distribution->name)))
      .with_hint("write a guide that samples it");
}

Diagnostic& unknown_family(Diagnostics& out, Span span, const std::string& family,
                           const std::optional<std::string>& nearest, const std::string& known) {
  Diagnostic& made = out.error("guide-family", span, fmt::format("there is no automatic guide `{}`", family));
  if (nearest)
    return made.with_hint(fmt::format("did you mean `{}`?", *nearest));
  return made.with_hint("known: " + known);
}

Diagnostic& unknown_family_option(Diagnostics& out, Span span, const std::string& family,
                                  const std::string& option, const std::string& known) {
  Diagnostic& made =
      out.error("guide-family", span, fmt::format("auto({}) has no option `{}`", family, option));
  return known.empty() ? made : made.with_hint("it takes " + known);
}

} // namespace plait::guide::errors
