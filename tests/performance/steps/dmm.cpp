#include "runtime/gemm.hpp"
#include "runtime/minibatch.hpp"
#include "tests/performance/steps/lanes.hpp"
#include "tests/performance/steps/models.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

namespace plait::performance {
namespace {

using namespace plait::runtime;

// Matrices are [width, columns]: one column for each (time, row), times one after another, the rows of a time
// longest first, so that time t is the columns [begin(t), begin(t) + active(t)) and row r of time t + 1 is a
// row of time t as well. What does not wait for another time, the whole model and the weight gradients, is
// one product over all columns.
template <class Scalar>
class Matrix {
public:
  void resize(std::int64_t width, std::int64_t columns) {
    columns_ = columns;
    numbers_.resize(std::max(numbers_.size(), static_cast<std::size_t>(width * columns)));
  }
  std::int64_t columns() const { return columns_; }
  Scalar* at(std::int64_t row, std::int64_t column = 0) { return numbers_.data() + row * columns_ + column; }

private:
  std::int64_t columns_ = 0;
  std::vector<Scalar> numbers_;
};

// The columns [begin, begin + count) of the rows from `row` on.
template <class Scalar>
struct Columns {
  Matrix<Scalar>& matrix;
  std::int64_t row = 0, begin = 0, count = 0;
  Scalar* data() const { return matrix.at(row, begin); }
};

template <class Scalar>
Columns<Scalar> all(Matrix<Scalar>& matrix, std::int64_t row = 0) {
  return {matrix, row, 0, matrix.columns()};
}

// A weight matrix [outputs, inputs] and its bias, by their places in the flat parameters.
struct Layer {
  std::int64_t weight = 0, bias = 0, outputs = 0, inputs = 0;
};

// y <- W x + b.
template <class Scalar>
void apply(const Scalar* parameters, const Layer& layer, Columns<Scalar> x, Columns<Scalar> y,
           bool accumulate = false) {
  for (std::int64_t k = 0; k < layer.outputs; ++k) {
    const Scalar bias = parameters[layer.bias + k];
    Scalar* const out = y.data() + k * y.matrix.columns();
    if (accumulate)
      for (std::int64_t c = 0; c < y.count; ++c)
        out[c] += bias;
    else
      std::fill_n(out, y.count, bias);
  }
  gemm(GemmCall<Scalar>{.m = layer.outputs,
                        .n = y.count,
                        .k = layer.inputs,
                        .a = parameters + layer.weight,
                        .a_leading = layer.inputs,
                        .b = x.data(),
                        .b_leading = x.matrix.columns(),
                        .c = y.data(),
                        .c_leading = y.matrix.columns(),
                        .accumulate = true,
                        .a_is_constant = true});
}

// dx (+)= W' dy.
template <class Scalar>
void apply_transposed(const Scalar* parameters, const Layer& layer, Columns<Scalar> dy, Columns<Scalar> dx,
                      bool accumulate = false) {
  gemm(GemmCall<Scalar>{.m = layer.inputs,
                        .n = dx.count,
                        .k = layer.outputs,
                        .a = parameters + layer.weight,
                        .a_leading = layer.inputs,
                        .transpose_a = true,
                        .b = dy.data(),
                        .b_leading = dy.matrix.columns(),
                        .c = dx.data(),
                        .c_leading = dx.matrix.columns(),
                        .accumulate = accumulate,
                        .a_is_constant = true});
}

// dW <- dy x', db <- sums of dy.
template <class Scalar>
void differentiate_weights(const Layer& layer, Columns<Scalar> dy, Columns<Scalar> x, Scalar* gradients) {
  gemm(GemmCall<Scalar>{.m = layer.outputs,
                        .n = layer.inputs,
                        .k = dy.count,
                        .a = dy.data(),
                        .a_leading = dy.matrix.columns(),
                        .b = x.data(),
                        .b_leading = x.matrix.columns(),
                        .transpose_b = true,
                        .c = gradients + layer.weight,
                        .c_leading = layer.inputs});
  for (std::int64_t k = 0; k < layer.outputs; ++k) {
    const Scalar* const from = dy.data() + k * dy.matrix.columns();
    gradients[layer.bias + k] = std::accumulate(from, from + dy.count, Scalar(0));
  }
}

// f(place of the first column, number of columns, width index) for each of `width` rows.
template <class Scalar, class Function>
void for_rows(Columns<Scalar> x, std::int64_t width, Function function) {
  for (std::int64_t k = 0; k < width; ++k)
    function(x.data() + k * x.matrix.columns(), k);
}

template <class Scalar>
void rectify(Columns<Scalar> x, std::int64_t width) {
  for_rows(x, width, [&](Scalar* value, std::int64_t) {
    for (std::int64_t c = 0; c < x.count; ++c)
      value[c] = std::max(value[c], Scalar(0));
  });
}

// d <- d where the rectified value is above 0, else 0.
template <class Scalar>
void through_rectifier(Columns<Scalar> value, Columns<Scalar> d, std::int64_t width) {
  for_rows(d, width, [&](Scalar* slope, std::int64_t k) {
    const Scalar* const y = value.data() + k * value.matrix.columns();
#pragma GCC ivdep
    for (std::int64_t c = 0; c < d.count; ++c)
      slope[c] = y[c] > 0 ? slope[c] : Scalar(0);
  });
}

template <class Scalar>
Scalar softplus(Scalar x) {
  return std::max(x, Scalar(0)) + std::log1p(std::exp(-std::fabs(x)));
}

// Guide: h_t = tanh(Wh h_{t+1} + Wx x_t), c_t = (tanh(Wc z_{t-1}) + h_t) / 2, q = N(m, s), m and s from c_t.
// Model: gate g, proposal p and scale of the transition from z_{t-1}; emission from z_t. KL in closed form
// given z_{t-1}. d… are derivatives of the loss -ELBO.
template <class Scalar>
class DeepMarkov final : public Baseline<Scalar> {
  using Baseline<Scalar>::parameters_;
  using Baseline<Scalar>::gradients_;

  struct Layout {
    explicit Layout(const MarkovSizes& s) {
      const auto layer = [this](std::int64_t outputs, std::int64_t inputs) {
        const Layer made{end, end + outputs * inputs, outputs, inputs};
        end += outputs * inputs + outputs;
        return made;
      };
      from_z = layer(2 * s.gate + s.latent, s.latent);
      gate = layer(s.latent, s.gate);
      proposal = layer(s.latent, s.gate);
      width = layer(s.latent, s.latent);
      emit1 = layer(s.emitter, s.latent);
      emit2 = layer(s.emitter, s.emitter);
      emit3 = layer(s.keys, s.emitter);
      state = layer(s.state, s.state);
      input = layer(s.state, s.keys);
      combine = layer(s.state, s.latent);
      code = layer(2 * s.latent, s.state);
      for (auto& [at, size] : {std::pair{&z0, s.latent}, {&q0, s.latent}, {&h0, s.state}}) {
        *at = end;
        end += size;
      }
    }
    Layer from_z; ///< hidden units of the gate, of the proposal, and the straight path, stacked
    Layer gate, proposal, width, emit1, emit2, emit3, state, input, combine;
    Layer code; ///< location and scale, stacked
    std::int64_t z0 = 0, q0 = 0, h0 = 0, end = 0;
  };

public:
  DeepMarkov(Chorales data, const MarkovSizes& sizes, std::uint64_t seed)
      : Baseline<Scalar>(static_cast<std::size_t>(Layout(sizes).end)), sizes_(sizes), at_(sizes),
        data_(std::move(data)), seed_(seed), minibatch_("N", static_cast<std::int64_t>(data_.lengths.size()),
                                                        sizes.batch, seed, MinibatchPolicy::uniform) {
    const MarkovSizes& s = sizes_;
    start("transition.linear_1", at_.from_z, 0, s.gate);
    start("transition.linear_2", at_.gate, 0, s.latent);
    start("transition.linear_3", at_.from_z, s.gate, s.gate);
    start("transition.linear_4", at_.proposal, 0, s.latent);
    start("transition.linear_5", at_.from_z, 2 * s.gate, s.latent);
    start("transition.linear_6", at_.width, 0, s.latent);
    start("emit.linear_1", at_.emit1, 0, s.emitter);
    start("emit.linear_2", at_.emit2, 0, s.emitter);
    start("emit.linear_3", at_.emit3, 0, s.keys);
    start("step.linear_1", at_.state, 0, s.state);
    start("step.linear_2", at_.input, 0, s.state);
    start("combine.linear_1", at_.combine, 0, s.state);
    start("combine.linear_2", at_.code, 0, s.latent);
    start("combine.linear_3", at_.code, s.latent, s.latent);
  }

  double differentiate(std::uint32_t step) override {
    begin_constant_matrices();
    choose_rows(step);
    read_states();
    draw_latents(step);
    std::fill(gradients_.begin() + at_.z0, gradients_.end(), Scalar(0));
    const double elbo = emit() + move();
    back_through_latents();
    back_through_states();
    return weight_ * elbo;
  }

private:
  // Weights and biases uniform in +-1/sqrt(inputs), as the layer of this name starts.
  void start(const std::string& name, const Layer& layer, std::int64_t first, std::int64_t outputs) {
    const double bound = 1 / std::sqrt(static_cast<double>(layer.inputs));
    const auto fill = [&](const std::string& part, std::int64_t at, std::int64_t count) {
      const std::uint32_t stream = site_stream("start " + name + part, 0);
      for (std::int64_t k = 0; k < count; ++k)
        parameters_[static_cast<std::size_t>(at + k)] = static_cast<Scalar>(
            bound *
            (2 * uniform01_32(draw_block({seed_, 0, stream, 0, static_cast<std::uint32_t>(k)})[0]) - 1));
    };
    fill(".weight", layer.weight + first * layer.inputs, outputs * layer.inputs);
    fill(".bias", layer.bias + first, outputs);
  }

  std::int64_t length(std::uint32_t row) const { return data_.lengths[row]; }
  std::int64_t times() const { return static_cast<std::int64_t>(active_.size()); }
  std::int64_t active(std::int64_t t) const { return t < times() ? active_[static_cast<std::size_t>(t)] : 0; }
  std::int64_t begin(std::int64_t t) const { return begin_[static_cast<std::size_t>(t)]; }
  Columns<Scalar> time(Matrix<Scalar>& matrix, std::int64_t t) const {
    return {matrix, 0, begin(t), active(t)};
  }

  void choose_rows(std::uint32_t step) {
    minibatch_.rows(step, rows_);
    std::stable_sort(rows_.begin(), rows_.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return length(a) > length(b); });
    weight_ = static_cast<double>(data_.lengths.size()) / static_cast<double>(rows_.size());
    active_.assign(static_cast<std::size_t>(length(rows_.front())), 0);
    for (const std::uint32_t row : rows_)
      for (std::int64_t t = 0; t < length(row); ++t)
        ++active_[static_cast<std::size_t>(t)];
    begin_.resize(active_.size());
    std::exclusive_scan(active_.begin(), active_.end(), begin_.begin(), std::int64_t{0});
    const std::int64_t columns = begin_.back() + active_.back();

    const MarkovSizes& s = sizes_;
    for (const auto& [matrix, width] : {std::pair{&x_, s.keys},
                                        {&h_, s.state},
                                        {&next_h_, s.state},
                                        {&d_h_, s.state},
                                        {&tanh_, s.state},
                                        {&c_, s.state},
                                        {&d_c_, s.state},
                                        {&previous_q_, s.latent},
                                        {&previous_z_, s.latent},
                                        {&z_, s.latent},
                                        {&noise_, s.latent},
                                        {&code_, 2 * s.latent},
                                        {&d_code_, 2 * s.latent},
                                        {&d_z_, s.latent},
                                        {&from_z_, 2 * s.gate + s.latent},
                                        {&d_from_z_, 2 * s.gate + s.latent},
                                        {&gate_, s.latent},
                                        {&proposal_, s.latent},
                                        {&d_proposal_, s.latent},
                                        {&rectified_, s.latent},
                                        {&width_, s.latent},
                                        {&d_width_, s.latent},
                                        {&e1_, s.emitter},
                                        {&e2_, s.emitter},
                                        {&d_e1_, s.emitter},
                                        {&d_e2_, s.emitter},
                                        {&logits_, s.keys},
                                        {&d_previous_z_, s.latent}})
      matrix->resize(width, columns);
    for (std::int64_t t = 0; t < times(); ++t)
      for (std::int64_t r = 0; r < active(t); ++r) {
        const std::uint8_t* const keys =
            data_.notes.data() +
            (std::int64_t{rows_[static_cast<std::size_t>(r)]} * data_.longest + t) * s.keys;
        for (std::int64_t k = 0; k < s.keys; ++k)
          *x_.at(k, begin(t) + r) = static_cast<Scalar>(keys[k]);
      }
  }

  // Time t of `to` gets time `from_time` of `from` where that has the row, else the parameter at `start`.
  void shift(Matrix<Scalar>& from, std::int64_t from_time, std::int64_t start, std::int64_t width,
             Matrix<Scalar>& to, std::int64_t t) {
    const std::int64_t there = from_time < 0 ? 0 : std::min(active(from_time), active(t));
    for (std::int64_t k = 0; k < width; ++k) {
      Scalar* const out = to.at(k, begin(t));
      if (there > 0)
        std::copy_n(from.at(k, begin(from_time)), there, out);
      std::fill(out + there, out + active(t), parameters_[static_cast<std::size_t>(start + k)]);
    }
  }

  // d of a shifted value goes where the value came from.
  void shift_back(Matrix<Scalar>& d, std::int64_t t, std::int64_t start, std::int64_t width,
                  Matrix<Scalar>& to, std::int64_t to_time) {
    const std::int64_t there = to_time < 0 ? 0 : std::min(active(to_time), active(t));
    for (std::int64_t k = 0; k < width; ++k) {
      const Scalar* const in = d.at(k, begin(t));
      if (there > 0) {
        Scalar* const out = to.at(k, begin(to_time));
#pragma GCC ivdep
        for (std::int64_t c = 0; c < there; ++c)
          out[c] += in[c];
      }
      gradients_[static_cast<std::size_t>(start + k)] +=
          std::accumulate(in + there, in + active(t), Scalar(0));
    }
  }

  void read_states() {
    const Scalar* const p = parameters_.data();
    apply(p, at_.input, all(x_), all(h_));
    for (std::int64_t t = times() - 1; t >= 0; --t) {
      shift(h_, t + 1 < times() ? t + 1 : -1, at_.h0, sizes_.state, next_h_, t);
      const Columns<Scalar> h = time(h_, t);
      apply(p, at_.state, time(next_h_, t), h, true);
      for_rows(h, sizes_.state, [&](Scalar* value, std::int64_t) {
#pragma GCC ivdep
        for (std::int64_t c = 0; c < h.count; ++c)
          value[c] = std::tanh(value[c]);
      });
    }
  }

  void draw_latents(std::uint32_t step) {
    const Scalar* const p = parameters_.data();
    const std::int64_t Z = sizes_.latent;
    for (std::int64_t t = 0; t < times(); ++t) {
      const std::int64_t count = active(t);
      shift(z_, t - 1, at_.q0, Z, previous_q_, t);
      shift(z_, t - 1, at_.z0, Z, previous_z_, t);
      apply(p, at_.combine, time(previous_q_, t), time(tanh_, t));
      for (std::int64_t k = 0; k < sizes_.state; ++k) {
        Scalar* const value = tanh_.at(k, begin(t));
        const Scalar* const h = h_.at(k, begin(t));
        Scalar* const c = c_.at(k, begin(t));
#pragma GCC ivdep
        for (std::int64_t n = 0; n < count; ++n) {
          value[n] = std::tanh(value[n]);
          c[n] = Scalar(0.5) * (value[n] + h[n]);
        }
      }
      apply(p, at_.code, time(c_, t), time(code_, t));
      draw_noise(step, t);
      for (std::int64_t k = 0; k < Z; ++k) {
        const Scalar* const m = code_.at(k, begin(t));
        Scalar* const s = code_.at(Z + k, begin(t));
        const Scalar* const e = noise_.at(k, begin(t));
        Scalar* const z = z_.at(k, begin(t));
#pragma GCC ivdep
        for (std::int64_t n = 0; n < count; ++n) {
          s[n] = softplus(s[n]);
          z[n] = m[n] + s[n] * e[n];
        }
      }
    }
  }

  // Row n draws element t Z + k of its site.
  void draw_noise(std::uint32_t step, std::int64_t t) {
    const auto Z = static_cast<std::size_t>(sizes_.latent), count = static_cast<std::size_t>(active(t));
    scratch_.resize(Z * count);
    if (row_of_.size() != Z * count) {
      row_of_.resize(Z * count);
      element_of_.resize(Z * count);
      for (std::size_t k = 0; k < Z * count; ++k)
        element_of_[k] = static_cast<std::uint32_t>(k / count);
    }
    for (std::size_t k = 0; k < Z * count; ++k)
      row_of_[k] = rows_[k % count];
    const std::uint32_t* const element = element_of_.data();
    const std::uint32_t* const row = row_of_.data();
    standard_normals<Scalar>(
        seed_, step, Z * count,
        [element, first = static_cast<std::uint32_t>(t) * static_cast<std::uint32_t>(Z)](std::size_t k) {
          return first + element[k];
        },
        [row](std::size_t k) { return row[k]; }, [stream = stream_](std::size_t) { return stream; },
        scratch_.data());
    for (std::size_t k = 0; k < Z; ++k)
      std::copy_n(scratch_.data() + k * count, count, noise_.at(static_cast<std::int64_t>(k), begin(t)));
  }

  // log p(x | z) and its derivative by z.
  double emit() {
    const Scalar* const p = parameters_.data();
    Scalar* const g = gradients_.data();
    const Scalar weight = static_cast<Scalar>(weight_);
    apply(p, at_.emit1, all(z_), all(e1_));
    rectify(all(e1_), sizes_.emitter);
    apply(p, at_.emit2, all(e1_), all(e2_));
    rectify(all(e2_), sizes_.emitter);
    apply(p, at_.emit3, all(e2_), all(logits_));
    double elbo = 0;
    const std::int64_t columns = logits_.columns();
    for (std::int64_t k = 0; k < sizes_.keys; ++k) {
      const Scalar* const x = x_.at(k);
      Scalar* const logit = logits_.at(k);
      Scalar sum = 0;
#pragma GCC ivdep
      for (std::int64_t c = 0; c < columns; ++c) {
        const Scalar sign = 2 * x[c] - 1, y = sign * logit[c];
        const Scalar e = std::exp(-std::fabs(y));
        sum += std::min(y, Scalar(0)) - std::log1p(e);
        logit[c] = -weight * sign * ((y >= 0 ? e : Scalar(1)) / (1 + e));
      }
      elbo += static_cast<double>(sum);
    }
    differentiate_weights(at_.emit3, all(logits_), all(e2_), g);
    apply_transposed(p, at_.emit3, all(logits_), all(d_e2_));
    through_rectifier(all(e2_), all(d_e2_), sizes_.emitter);
    differentiate_weights(at_.emit2, all(d_e2_), all(e1_), g);
    apply_transposed(p, at_.emit2, all(d_e2_), all(d_e1_));
    through_rectifier(all(e1_), all(d_e1_), sizes_.emitter);
    differentiate_weights(at_.emit1, all(d_e1_), all(z_), g);
    apply_transposed(p, at_.emit1, all(d_e1_), all(d_z_));
    return elbo;
  }

  // -KL of q from the transition, its derivatives by the guide's m and s into d_code_, by z_{t-1} into d_z_.
  double move() {
    const Scalar* const p = parameters_.data();
    Scalar* const g = gradients_.data();
    const std::int64_t G = sizes_.gate, Z = sizes_.latent, columns = z_.columns();
    apply(p, at_.from_z, all(previous_z_), all(from_z_));
    rectify(all(from_z_), 2 * G);
    apply(p, at_.gate, all(from_z_), all(gate_));
    apply(p, at_.proposal, all(from_z_, G), all(proposal_));
    for (std::int64_t k = 0; k < Z; ++k)
      for (std::int64_t c = 0; c < columns; ++c)
        *rectified_.at(k, c) = std::max(*proposal_.at(k, c), Scalar(0));
    apply(p, at_.width, all(rectified_), all(width_));
    double divergence = 0;
    const Scalar weight = static_cast<Scalar>(weight_);
    for (std::int64_t k = 0; k < Z; ++k) {
      Scalar* const gate = gate_.at(k);
      Scalar* const proposal = proposal_.at(k);
      const Scalar* const straight = from_z_.at(2 * G + k);
      const Scalar* const width = width_.at(k);
      const Scalar* const m = code_.at(k);
      const Scalar* const s = code_.at(Z + k);
      Scalar* const d_m = d_code_.at(k);
      Scalar* const d_s = d_code_.at(Z + k);
      Scalar* const d_width = d_width_.at(k);
      Scalar* const d_proposal = d_proposal_.at(k);
      Scalar* const d_straight = d_from_z_.at(2 * G + k);
      Scalar sum = 0;
#pragma GCC ivdep
      for (std::int64_t c = 0; c < columns; ++c) {
        const Scalar open = 1 / (1 + std::exp(-gate[c]));
        const Scalar scale = softplus(width[c]), slope = 1 / (1 + std::exp(-width[c]));
        const Scalar away = m[c] - ((1 - open) * straight[c] + open * proposal[c]);
        const Scalar precision = 1 / (scale * scale), spread = (s[c] * s[c] + away * away) * precision;
        sum += std::log(scale / s[c]) + Scalar(0.5) * (spread - 1);
        const Scalar d_loc = -weight * away * precision;
        d_m[c] = -d_loc;
        d_s[c] = weight * (s[c] * precision - 1 / s[c]);
        d_width[c] = weight * (1 - spread) / scale * slope;
        d_proposal[c] = open * d_loc;
        d_straight[c] = (1 - open) * d_loc;
        gate[c] = d_loc * (proposal[c] - straight[c]) * open * (1 - open);
      }
      divergence += static_cast<double>(sum);
    }
    differentiate_weights(at_.width, all(d_width_), all(rectified_), g);
    // The rectified proposal's derivative takes the place of its value.
    apply_transposed(p, at_.width, all(d_width_), all(rectified_));
    through_rectifier(all(proposal_), all(rectified_), Z);
    for (std::int64_t k = 0; k < Z; ++k)
#pragma GCC ivdep
      for (std::int64_t c = 0; c < columns; ++c)
        *d_proposal_.at(k, c) += *rectified_.at(k, c);
    differentiate_weights(at_.gate, all(gate_), all(from_z_), g);
    differentiate_weights(at_.proposal, all(d_proposal_), all(from_z_, G), g);
    apply_transposed(p, at_.gate, all(gate_), all(d_from_z_));
    apply_transposed(p, at_.proposal, all(d_proposal_), all(d_from_z_, G));
    through_rectifier(all(from_z_), all(d_from_z_), 2 * G);
    differentiate_weights(at_.from_z, all(d_from_z_), all(previous_z_), g);
    apply_transposed(p, at_.from_z, all(d_from_z_), all(d_previous_z_));
    for (std::int64_t t = 0; t < times(); ++t)
      shift_back(d_previous_z_, t, at_.z0, Z, d_z_, t - 1);
    return -divergence;
  }

  void back_through_latents() {
    const Scalar* const p = parameters_.data();
    const std::int64_t Z = sizes_.latent;
    for (std::int64_t t = times() - 1; t >= 0; --t) {
      const std::int64_t count = active(t);
      for (std::int64_t k = 0; k < Z; ++k) {
        const Scalar* const d_z = d_z_.at(k, begin(t));
        const Scalar* const e = noise_.at(k, begin(t));
        const Scalar* const s = code_.at(Z + k, begin(t));
        Scalar* const d_m = d_code_.at(k, begin(t));
        Scalar* const d_s = d_code_.at(Z + k, begin(t));
#pragma GCC ivdep
        for (std::int64_t n = 0; n < count; ++n) {
          d_m[n] += d_z[n];
          d_s[n] = (d_s[n] + d_z[n] * e[n]) * (1 - std::exp(-s[n])); // softplus' at the scale s
        }
      }
      apply_transposed(p, at_.code, time(d_code_, t), time(d_h_, t));
      for (std::int64_t k = 0; k < sizes_.state; ++k) {
        Scalar* const d_h = d_h_.at(k, begin(t));
        Scalar* const d_c = d_c_.at(k, begin(t));
        const Scalar* const value = tanh_.at(k, begin(t));
#pragma GCC ivdep
        for (std::int64_t n = 0; n < count; ++n) {
          d_h[n] *= Scalar(0.5);
          d_c[n] = d_h[n] * (1 - value[n] * value[n]);
        }
      }
      apply_transposed(p, at_.combine, time(d_c_, t), time(d_previous_z_, t));
      shift_back(d_previous_z_, t, at_.q0, Z, d_z_, t - 1);
    }
    differentiate_weights(at_.code, all(d_code_), all(c_), gradients_.data());
    differentiate_weights(at_.combine, all(d_c_), all(previous_q_), gradients_.data());
  }

  void back_through_states() {
    const Scalar* const p = parameters_.data();
    for (std::int64_t t = 0; t < times(); ++t) {
      const std::int64_t count = active(t);
      for (std::int64_t k = 0; k < sizes_.state; ++k) {
        Scalar* const d_h = d_h_.at(k, begin(t));
        const Scalar* const h = h_.at(k, begin(t));
#pragma GCC ivdep
        for (std::int64_t n = 0; n < count; ++n)
          d_h[n] *= 1 - h[n] * h[n];
      }
      apply_transposed(p, at_.state, time(d_h_, t), time(d_c_, t)); // d_c_ is free again
      shift_back(d_c_, t, at_.h0, sizes_.state, d_h_, t + 1 < times() ? t + 1 : -1);
    }
    differentiate_weights(at_.state, all(d_h_), all(next_h_), gradients_.data());
    differentiate_weights(at_.input, all(d_h_), all(x_), gradients_.data());
  }

  MarkovSizes sizes_;
  Layout at_;
  Chorales data_;
  std::uint64_t seed_;
  std::uint32_t stream_ = site_stream("z", 0);
  Minibatch minibatch_;
  std::vector<std::uint32_t> rows_, row_of_, element_of_;
  std::vector<std::int64_t> active_, begin_;
  std::vector<Scalar> scratch_;
  double weight_ = 1;
  Matrix<Scalar> x_, h_, next_h_, d_h_, tanh_, c_, d_c_, previous_q_, previous_z_, z_, noise_, code_, d_code_,
      d_z_, from_z_, d_from_z_, gate_, proposal_, d_proposal_, rectified_, width_, d_width_, e1_, e2_, d_e1_,
      d_e2_, logits_, d_previous_z_;
};

} // namespace

template <class Scalar>
std::unique_ptr<Baseline<Scalar>> make_dmm(Chorales data, const MarkovSizes& sizes, std::uint64_t seed) {
  return std::make_unique<DeepMarkov<Scalar>>(std::move(data), sizes, seed);
}

template std::unique_ptr<Baseline<float>> make_dmm(Chorales, const MarkovSizes&, std::uint64_t);
template std::unique_ptr<Baseline<double>> make_dmm(Chorales, const MarkovSizes&, std::uint64_t);

} // namespace plait::performance
