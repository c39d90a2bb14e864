// Divergences and entropies that stand in for density terms.
#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/ops.hpp"

namespace plait::elbo {

using ir::Value;

void Executor::add_entropy(const Latent& latent, Value entropy) {
  if (!wants_closed_forms)
    return;
  ClosedForm form;
  form.site = latent.site;
  form.guide_term = latent.term;
  form.value = per_element(entropy);
  form.draw = latent.draw;
  closed_forms.push_back(std::move(form));
}

void Executor::add_divergence(const program::Sample& sample, const Latent& latent, std::size_t prior_term,
                              const Values& parameters) {
  if (!wants_closed_forms || !latent.has_term || !latent.distribution || !sample.transforms.empty() ||
      !catalog::find_kl_divergence(latent.distribution->name, sample.distribution->name))
    return;
  Values of_guide;
  for (const Looped& parameter : latent.parameters)
    of_guide.push_back(at_open_iterations(parameter.value, parameter.loops, latent.site));
  const auto divergence =
      catalog::kl_divergence(*builder_, *latent.distribution, of_guide, *sample.distribution, parameters,
                             sizes_->shape(sample.type.dims));
  if (!divergence)
    return;
  ClosedForm form;
  form.site = latent.site;
  form.guide_term = latent.term;
  form.prior_term = prior_term;
  form.value = per_element(-*divergence);
  form.draw = latent.draw;
  form.prior_parameters = parameters;
  closed_forms.push_back(std::move(form));
}

std::vector<Looped*> Executor::parameters_in_loops(const std::vector<std::string>& names) {
  std::vector<Looped*> result;
  if (!wants_closed_forms)
    return result;
  for (const std::string& name : names)
    for (Looped& parameter : latents.at(name).parameters)
      if (builder_->graph().node(parameter.value.id()).region != ir::root_region)
        result.push_back(&parameter);
  return result;
}

Executor::Values Executor::sums_of(const Marks& first) const {
  Values values;
  for (std::size_t k = first.term; k < terms.size(); ++k)
    if (!terms[k].absorbed)
      values.push_back(terms[k].log_prob);
  for (std::size_t k = first.form; k < closed_forms.size(); ++k)
    values.push_back(closed_forms[k].value);
  return values;
}

void Executor::take_sums(const Marks& first, const Values& sums) {
  std::size_t place = 0;
  for (std::size_t k = first.term; k < terms.size(); ++k)
    if (!terms[k].absorbed) {
      terms[k].log_prob = sums.at(place++);
      terms[k].in_loop = true;
    }
  for (std::size_t k = first.form; k < closed_forms.size(); ++k)
    closed_forms[k].value = sums.at(place++);
}

} // namespace plait::elbo
