// Divergences and entropies that stand in for density terms.
#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/ops.hpp"

namespace plait::elbo {

using ir::Value;

void Executor::add_entropy(const program::Sample& sample, const Latent::Draw& draw, Value entropy) {
  // In a chain log p and -log q of the many draws nearly cancel, draw by draw, once the guide is close to the
  // posterior. An entropy alone would leave the noise of log p, which grows with the number of iterations.
  if (!wants_closed_forms || !loops_.empty())
    return;
  ClosedForm form;
  form.site = program_->symbol(sample.symbol).name;
  form.guide_term = *draw.term;
  form.value = per_element(entropy);
  closed_forms.push_back(std::move(form));
}

std::optional<Value> Executor::divergence(const program::Sample& sample, const Latent& latent,
                                          const Latent::Draw& draw, const Values& parameters) {
  if (!draw.term || !draw.distribution || !sample.transforms.empty() ||
      !catalog::find_kl_divergence(draw.distribution->name, sample.distribution->name))
    return std::nullopt;
  Values of_guide;
  for (const Looped& parameter : draw.parameters)
    of_guide.push_back(at_open_iterations(parameter.value, parameter.loops, latent.site));
  return catalog::kl_divergence(*builder_, *draw.distribution, of_guide, *sample.distribution, parameters,
                                sizes_->shape(sample.type.dims));
}

void Executor::add_divergences(const program::Sample& sample, const Latent& latent, std::size_t prior_term,
                               const Values& parameters) {
  if (!wants_closed_forms)
    return;
  for (const Latent::Draw& draw : latent.draws) {
    const bool conditional = !path_.empty() || !draw.path.empty();
    if (conditional && logic().exclude(path_, draw.path))
      continue;
    const std::optional<Value> divergence = this->divergence(sample, latent, draw, parameters);
    if (!divergence) {
      without_divergence.insert(latent.site);
      continue;
    }
    ClosedForm form;
    form.site = latent.site;
    form.guide_term = *draw.term;
    form.prior_term = prior_term;
    form.value = per_element(-*divergence);
    if (draw.taken && !logic().implies(path_, draw.path)) {
      const Value taken = at_open_iterations(draw.taken->value, draw.taken->loops, latent.site);
      form.value = ir::select(ir::greater(taken, builder_->real(0)), form.value, builder_->real(0));
    }
    form.draw = draw.value;
    form.prior_parameters = parameters;
    closed_forms.push_back(std::move(form));
  }
}

std::vector<Looped*> Executor::parameters_in_loops(const std::vector<std::string>& names) {
  std::vector<Looped*> result;
  if (!wants_closed_forms)
    return result;
  const auto add = [&](Looped& value) {
    if (builder_->graph().node(value.value.id()).region != ir::root_region)
      result.push_back(&value);
  };
  for (const std::string& name : names)
    for (Latent::Draw& draw : latents.at(name).draws) {
      for (Looped& parameter : draw.parameters)
        add(parameter);
      if (draw.taken)
        add(*draw.taken);
    }
  return result;
}

void Executor::hand_over_sums(const Marks& first, HandedOver& sums) {
  for (std::size_t k = first.term; k < terms.size(); ++k)
    if (Term& term = terms[k]; !term.absorbed)
      sums.add(term.log_prob, [&term](Value sum) {
        term.log_prob = sum;
        term.in_loop = true;
      });
  for (std::size_t k = first.form; k < closed_forms.size(); ++k)
    sums.add(closed_forms[k].value, [&form = closed_forms[k]](Value sum) { form.value = sum; });
}

} // namespace plait::elbo
