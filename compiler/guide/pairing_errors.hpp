#pragma once

#include "compiler/guide/pairing.hpp"
#include "grammar/diagnostic.hpp"

#include <optional>
#include <string>

/// Every message of the pairing, one function each. `model` and `guide` are the two sites that disagree.
namespace plait::guide::errors {

using plates::Site;

Diagnostic& latent_missing(Diagnostics& out, const Site& model, Span guide_span, bool finite);
Diagnostic& extra_site(Diagnostics& out, const Site& guide, const std::optional<std::string>& nearest);
Diagnostic& shape_mismatch(Diagnostics& out, const Site& model, const std::string& model_shape,
                           const Site& guide, const std::string& guide_shape);
Diagnostic& plate_mismatch(Diagnostics& out, const Site& model, const std::string& model_plates,
                           const Site& guide, const std::string& guide_plates);
Diagnostic& loop_mismatch(Diagnostics& out, const Site& model, const Site& guide);
/// Both with all statements that sample the latent. An empty condition holds always.
Diagnostic& condition_mismatch(Diagnostics& out, const std::vector<Site>& model,
                               const std::string& model_condition, const std::vector<Site>& guide,
                               const std::string& guide_condition);
Diagnostic& support_mismatch(Diagnostics& out, const Site& model, const std::string& model_support,
                             const Site& guide, const std::string& guide_support);
Diagnostic& guide_plate_absent(Diagnostics& out, const program::Plate& plate,
                               const std::optional<std::string>& nearest);
Diagnostic& enumerated_site_in_guide(Diagnostics& out, const Site& model, const Site& guide);
Diagnostic& strategy_in_model(Diagnostics& out, const Site& model, const Site* guide);
Diagnostic& pathwise_discrete(Diagnostics& out, const Site& site);
Diagnostic& summed_out_in_one_branch(Diagnostics& out, const Site& summed, const Site& drawn);
Diagnostic& enumerate_infinite(Diagnostics& out, const Site& site);
Diagnostic& enumerated_over_subsample(Diagnostics& out, const Site& enumerated, const Site& local,
                                      const program::Plate& plate);
Diagnostic& discrete_with_automatic_guide(Diagnostics& out, const Site& site);
Diagnostic& unknown_family(Diagnostics& out, Span span, const std::string& family,
                           const std::optional<std::string>& nearest, const std::string& known);
Diagnostic& unknown_family_option(Diagnostics& out, Span span, const std::string& family,
                                  const std::string& option, const std::string& known);

} // namespace plait::guide::errors
