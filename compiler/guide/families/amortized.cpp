#include "compiler/guide/families/rows.hpp"
#include "compiler/guide/families/unconstrained.hpp"

#include "compiler/catalog/ops.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace plait::guide {
namespace {

using Kind = catalog::Initializer::Kind;
using ir::Extent;
using ir::Value;

// Amortized inference (Kingma & Welling 2014, Auto-Encoding Variational Bayes; Gershman & Goodman 2014): the
// parameters of a local latent are a function of the data of its plate element, learned once for all of them.
// With x these data and h = softplus(W_L ... softplus(W_1 x + b_1) ... + b_L),
//   u = loc + scale * e,  loc = A x + B h + c,  log scale = C h + d,  e ~ N(0, 1);
// A, the direct way, holds what is linear. A latent whose element has no data of its own, a global one for
// example, has parameters of its own, as in auto(normal).
class AmortizedFamily final : public Family {
public:
  AmortizedFamily(std::int64_t hidden, std::int64_t layers, const catalog::Initializer& location,
                  double scale)
      : hidden_(hidden), layers_(layers), location_(location), log_scale_(std::log(scale)) {}

  LatentDraw draw(const SiteContext& context) override {
    if (!context.features)
      return normal_draw(context, site_location(context, "loc", location_),
                         site_parameter(context, "log_scale", log_scale_));
    ir::Builder& builder = *context.builder;
    std::int64_t outputs = 1;
    for (const Extent& extent : context.site->unconstrained) {
      if (!extent.is_known())
        throw std::invalid_argument(
            fmt::format("the size {} of site {} must be known before the step is compiled",
                        ir::to_string(extent), context.site->name));
      outputs *= extent.value;
    }
    const Value data = *context.features;
    Value h = data;
    for (std::int64_t layer = 1; layer <= layers_; ++layer)
      h = ir::softplus(linear(context, fmt::format("hidden{}", layer), h, hidden_, true, 0));
    const Value loc =
        linear(context, "direct", data, outputs, false, 0) + linear(context, "loc", h, outputs, true, 0);
    const Value log_scale = linear(context, "log_scale", h, outputs, true, log_scale_);
    return normal_draw(context, builder.reshape(loc, context.site->unconstrained),
                       builder.reshape(log_scale, context.site->unconstrained));
  }

private:
  /** W x + b, with weights that all elements share. */
  static Value linear(const SiteContext& context, const std::string& name, Value x, std::int64_t outputs,
                      bool has_bias, double bias_start) {
    ir::Builder& builder = *context.builder;
    const Extent inputs = x.type().shape.at(0);
    const double bound = 1 / std::sqrt(static_cast<double>(inputs.value));
    const Value weight =
        shared(context, name + ".weight", {Extent::known(outputs), inputs}, {Kind::uniform, bound});
    Value y = builder.matmul(weight, x);
    if (has_bias)
      y = y + shared(context, name + ".bias", {Extent::known(outputs)}, {Kind::constant, bias_start});
    return y;
  }

  static Value shared(const SiteContext& context, const std::string& name, const std::vector<Extent>& shape,
                      const catalog::Initializer& start) {
    RegisteredParameter registration;
    registration.start.initializer = start;
    registration.shape = shape;
    return context.parameters->declare(context.site->name + "." + name, shape, {}, "guide",
                                       std::move(registration));
  }

  std::int64_t hidden_, layers_;
  catalog::Initializer location_; ///< of latents without data of their own
  double log_scale_;
};

} // namespace

const FamilyRow amortized_family{
    .name = "amortized",
    .options =
        +[] {
          return std::vector<catalog::Option>{
              {"hidden", 64, "units of each layer of the net that reads an element's data"},
              {"layers", 1, "its hidden layers"},
              scale_option,
              radius_option};
        },
    .known_sizes = KnownSizes::none,
    .make = +[](const FamilyContext& context) -> std::unique_ptr<Family> {
      return std::make_unique<AmortizedFamily>(whole_option(context, "hidden", 1),
                                               whole_option(context, "layers", 1), location_start(context),
                                               start_scale(context));
    },
    .reads_data = true,
};

} // namespace plait::guide
