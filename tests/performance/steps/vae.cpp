#include "runtime/gemm.hpp"
#include "runtime/minibatch.hpp"
#include "runtime/threads.hpp"
#include "tests/performance/steps/lanes.hpp"
#include "tests/performance/steps/models.hpp"

#include <cmath>
#include <string>

namespace plait::performance {
namespace {

using namespace plait::runtime;

// c[m, n] (+)= op(a) op(b), dense row-major operands.
template <class Scalar>
void product(std::int64_t m, std::int64_t n, std::int64_t k, const Scalar* a, bool transpose_a,
             const Scalar* b, bool transpose_b, Scalar* c, bool accumulate = false) {
  gemm(GemmCall<Scalar>{.m = m,
                        .n = n,
                        .k = k,
                        .a = a,
                        .a_leading = transpose_a ? m : k,
                        .transpose_a = transpose_a,
                        .b = b,
                        .b_leading = transpose_b ? k : n,
                        .transpose_b = transpose_b,
                        .c = c,
                        .c_leading = n,
                        .accumulate = accumulate});
}

// x[r, k] + bias[k] through softplus, and its derivative, in one pass.
template <class Scalar>
void softplus_layer(std::int64_t rows, std::int64_t width, const Scalar* bias, Scalar* x,
                    Scalar* derivative) {
  for (std::int64_t r = 0; r < rows; ++r) {
    Scalar* const value = x + r * width;
    Scalar* const slope = derivative + r * width;
#pragma GCC ivdep
    for (std::int64_t k = 0; k < width; ++k) {
      const Scalar t = value[k] + bias[k];
      const Scalar e = std::exp(-std::fabs(t));
      value[k] = std::max(t, Scalar(0)) + std::log1p(e);
      slope[k] = (t >= 0 ? Scalar(1) : e) / (1 + e);
    }
  }
}

template <class Scalar>
void add_columns(std::int64_t rows, std::int64_t width, const Scalar* x, Scalar* sums) {
  for (std::int64_t r = 0; r < rows; ++r)
#pragma GCC ivdep
    for (std::int64_t k = 0; k < width; ++k)
      sums[k] += x[r * width + k];
}

// encode: h = softplus(W1 x + b1), (m, log s) = W2 h + b2 stacked; z = m + s e;
// decode: g = softplus(W4 z + b4), logits = W5 g + b5. Tiles of rows run forward and backward before the
// next. d… are derivatives of the loss -ELBO.
template <class Scalar>
class Vae final : public Baseline<Scalar> {
  using Baseline<Scalar>::parameters_;
  using Baseline<Scalar>::gradients_;

  struct Layout {
    explicit Layout(const VaeSizes& s) {
      w1 = 0;
      b1 = w1 + s.hidden * s.pixels;
      w2 = b1 + s.hidden;
      b2 = w2 + 2 * s.code * s.hidden;
      w4 = b2 + 2 * s.code;
      b4 = w4 + s.hidden * s.code;
      w5 = b4 + s.hidden;
      b5 = w5 + s.pixels * s.hidden;
      end = b5 + s.pixels;
    }
    std::int64_t w1, b1, w2, b2, w4, b4, w5, b5, end;
  };

  struct Tile { // scratch of one thread
    std::vector<Scalar> x, h, h_slope, code, noise, scale, z, g, g_slope, logits, d_g, d_h, d_code, d_z,
        gradients;
  };

public:
  Vae(std::vector<std::uint8_t> images, const VaeSizes& sizes, std::uint64_t seed, int threads)
      : Baseline<Scalar>(static_cast<std::size_t>(Layout(sizes).end)), sizes_(sizes), at_(sizes),
        images_(std::move(images)), seed_(seed), pool_(static_cast<std::size_t>(threads)),
        minibatch_("N", static_cast<std::int64_t>(images_.size()) / sizes.pixels, sizes.batch, seed,
                   MinibatchPolicy::uniform),
        tiles_(pool_.thread_count()), parts_(tiles_.size()) {
    const VaeSizes& s = sizes_;
    start("encode.linear_1", at_.w1, at_.b1, s.hidden, s.pixels);
    start("encode.linear_2", at_.w2, at_.b2, s.code, s.hidden);
    start("encode.linear_3", at_.w2 + s.code * s.hidden, at_.b2 + s.code, s.code, s.hidden);
    start("decode.linear_1", at_.w4, at_.b4, s.hidden, s.code);
    start("decode.linear_2", at_.w5, at_.b5, s.pixels, s.hidden);
    for (std::size_t k = 0; k < tiles_.size(); ++k) {
      Tile& tile = tiles_[k];
      const auto rows = static_cast<std::size_t>(s.tile);
      const auto pixels = static_cast<std::size_t>(s.pixels), hidden = static_cast<std::size_t>(s.hidden),
                 code = static_cast<std::size_t>(s.code);
      for (std::vector<Scalar>* wide : {&tile.x, &tile.logits})
        wide->resize(rows * pixels);
      for (std::vector<Scalar>* middle :
           {&tile.h, &tile.h_slope, &tile.g, &tile.g_slope, &tile.d_g, &tile.d_h})
        middle->resize(rows * hidden);
      for (std::vector<Scalar>* narrow : {&tile.noise, &tile.scale, &tile.z, &tile.d_z})
        narrow->resize(rows * code);
      tile.code.resize(rows * 2 * code);
      tile.d_code.resize(rows * 2 * code);
      if (k > 0) // the first thread adds to the common gradient
        tile.gradients.resize(gradients_.size());
    }
  }

  double differentiate(std::uint32_t step) override {
    minibatch_.rows(step, rows_);
    const auto batch = static_cast<std::int64_t>(rows_.size());
    const std::int64_t tiles = (batch + sizes_.tile - 1) / sizes_.tile;
    const auto threads = static_cast<std::int64_t>(tiles_.size());
    std::fill(parts_.begin(), parts_.end(), 0.0);
    pool_.run(tiles_.size(), [&](std::size_t thread) {
      bool first = true;
      for (std::int64_t tile = static_cast<std::int64_t>(thread); tile < tiles; tile += threads) {
        const std::int64_t begin = tile * sizes_.tile;
        parts_[thread] +=
            run_tile(tiles_[thread], thread == 0 ? gradients_.data() : tiles_[thread].gradients.data(), step,
                     begin, std::min(sizes_.tile, batch - begin), !first);
        first = false;
      }
    });
    active_ = std::min(threads, tiles);
    double elbo = 0;
    for (const double part : parts_)
      elbo += part;
    return elbo;
  }

protected:
  // The sum over threads and Adam, piece by piece while the piece is in cache.
  void update(double learning_rate) override {
    constexpr std::int64_t piece = 1 << 13;
    const auto count = static_cast<std::int64_t>(gradients_.size());
    const std::int64_t pieces = (count + piece - 1) / piece;
    pool_.run(tiles_.size(), [&](std::size_t thread) {
      const std::int64_t threads = static_cast<std::int64_t>(tiles_.size()),
                         t = static_cast<std::int64_t>(thread);
      for (std::int64_t k = pieces * t / threads; k < pieces * (t + 1) / threads; ++k) {
        const std::int64_t begin = k * piece, end = std::min(count, begin + piece);
        if (active_ > 1)
          reduce(begin, end);
        this->adam(static_cast<std::size_t>(begin), static_cast<std::size_t>(end), learning_rate);
      }
    });
  }

private:
  void start(const std::string& layer, std::int64_t weight, std::int64_t bias, std::int64_t outputs,
             std::int64_t inputs) {
    const double bound = 1 / std::sqrt(static_cast<double>(inputs));
    const auto fill = [&](const std::string& name, std::int64_t at, std::int64_t count) {
      const std::uint32_t stream = site_stream("start " + layer + "." + name, 0);
      for (std::int64_t k = 0; k < count; ++k)
        parameters_[static_cast<std::size_t>(at + k)] = static_cast<Scalar>(
            bound *
            (2 * uniform01_32(draw_block({seed_, 0, stream, 0, static_cast<std::uint32_t>(k)})[0]) - 1));
    };
    fill("weight", weight, outputs * inputs);
    fill("bias", bias, outputs);
  }

  void reduce(std::int64_t begin, std::int64_t end) {
    Scalar* const target = gradients_.data();
    for (std::int64_t thread = 1; thread < active_; ++thread) {
      const Scalar* const source = tiles_[static_cast<std::size_t>(thread)].gradients.data();
#pragma GCC ivdep
      for (std::int64_t k = begin; k < end; ++k)
        target[k] += source[k];
    }
  }

  double run_tile(Tile& tile, Scalar* gradient, std::uint32_t step, std::int64_t first, std::int64_t rows,
                  bool accumulate) {
    const std::int64_t D = sizes_.pixels, H = sizes_.hidden, Z = sizes_.code;
    const Scalar* const p = parameters_.data();
    const std::uint32_t* const row = rows_.data() + first;
    const double weight =
        static_cast<double>(images_.size()) / static_cast<double>(D) / static_cast<double>(rows_.size());
    const Scalar c = static_cast<Scalar>(weight);
    if (!accumulate)
      for (const auto& [at, width] : {std::pair{at_.b1, H}, {at_.b2, 2 * Z}, {at_.b4, H}, {at_.b5, D}})
        std::fill_n(gradient + at, width, Scalar(0));

    for (std::int64_t r = 0; r < rows; ++r) {
      const std::uint8_t* const image = images_.data() + std::size_t{row[r]} * static_cast<std::size_t>(D);
      Scalar* const x = tile.x.data() + r * D;
      for (std::int64_t k = 0; k < D; ++k)
        x[k] = static_cast<Scalar>(image[k]);
    }
    product(rows, H, D, tile.x.data(), false, p + at_.w1, true, tile.h.data());
    softplus_layer(rows, H, p + at_.b1, tile.h.data(), tile.h_slope.data());
    product(rows, 2 * Z, H, tile.h.data(), false, p + at_.w2, true, tile.code.data());

    for (std::int64_t r = 0; r < rows; ++r)
      standard_normals<Scalar>(
          seed_, step, static_cast<std::size_t>(Z),
          [](std::size_t k) { return static_cast<std::uint32_t>(k); },
          [here = row[r]](std::size_t) { return here; }, [stream = stream_](std::size_t) { return stream; },
          tile.noise.data() + r * Z);
    double elbo = 0;
    const Scalar* const b2 = p + at_.b2;
    for (std::int64_t r = 0; r < rows; ++r) {
      Scalar* const m = tile.code.data() + r * 2 * Z;
      const Scalar* const log_s = m + Z;
      Scalar divergence = 0;
#pragma GCC ivdep
      for (std::int64_t k = 0; k < Z; ++k) {
        m[k] += b2[k];
        const Scalar l = log_s[k] + b2[Z + k];
        const Scalar s = std::exp(l);
        tile.scale[static_cast<std::size_t>(r * Z + k)] = s;
        tile.z[static_cast<std::size_t>(r * Z + k)] =
            m[k] + s * tile.noise[static_cast<std::size_t>(r * Z + k)];
        divergence += Scalar(0.5) * (s * s + m[k] * m[k] - 1) - l;
      }
      elbo -= static_cast<double>(divergence);
    }
    product(rows, H, Z, tile.z.data(), false, p + at_.w4, true, tile.g.data());
    softplus_layer(rows, H, p + at_.b4, tile.g.data(), tile.g_slope.data());
    product(rows, D, H, tile.g.data(), false, p + at_.w5, true, tile.logits.data());

    // log p = log sigmoid((2 x - 1) logit); d loss / d logit = c (sigmoid(logit) - x), in place.
    const Scalar* const b5 = p + at_.b5;
    Scalar* const d_b5 = gradient + at_.b5;
    for (std::int64_t r = 0; r < rows; ++r) {
      Scalar* const logits = tile.logits.data() + r * D;
      const Scalar* const x = tile.x.data() + r * D;
      Scalar sum = 0;
#pragma GCC ivdep
      for (std::int64_t k = 0; k < D; ++k) {
        const Scalar sign = 2 * x[k] - 1;
        const Scalar t = sign * (logits[k] + b5[k]);
        const Scalar e = std::exp(-std::fabs(t));
        sum += std::min(t, Scalar(0)) - std::log1p(e);
        const Scalar d = -c * sign * ((t >= 0 ? e : Scalar(1)) / (1 + e));
        logits[k] = d;
        d_b5[k] += d;
      }
      elbo += static_cast<double>(sum);
    }
    product(D, H, rows, tile.logits.data(), true, tile.g.data(), false, gradient + at_.w5, accumulate);
    product(rows, H, D, tile.logits.data(), false, p + at_.w5, false, tile.d_g.data());
    through_slope(rows, H, tile.g_slope.data(), tile.d_g.data(), gradient + at_.b4);
    product(H, Z, rows, tile.d_g.data(), true, tile.z.data(), false, gradient + at_.w4, accumulate);
    product(rows, Z, H, tile.d_g.data(), false, p + at_.w4, false, tile.d_z.data());
    for (std::int64_t r = 0; r < rows; ++r) {
      const Scalar* const m = tile.code.data() + r * 2 * Z;
      const Scalar* const s = tile.scale.data() + r * Z;
      const Scalar* const e = tile.noise.data() + r * Z;
      const Scalar* const d_z = tile.d_z.data() + r * Z;
      Scalar* const d = tile.d_code.data() + r * 2 * Z;
#pragma GCC ivdep
      for (std::int64_t k = 0; k < Z; ++k) {
        d[k] = d_z[k] + c * m[k];
        d[Z + k] = d_z[k] * s[k] * e[k] + c * (s[k] * s[k] - 1);
      }
    }
    add_columns(rows, 2 * Z, tile.d_code.data(), gradient + at_.b2);
    product(2 * Z, H, rows, tile.d_code.data(), true, tile.h.data(), false, gradient + at_.w2, accumulate);
    product(rows, H, 2 * Z, tile.d_code.data(), false, p + at_.w2, false, tile.d_h.data());
    through_slope(rows, H, tile.h_slope.data(), tile.d_h.data(), gradient + at_.b1);
    product(H, D, rows, tile.d_h.data(), true, tile.x.data(), false, gradient + at_.w1, accumulate);
    return weight * elbo;
  }

  // d <- d * slope, and its sums over rows.
  static void through_slope(std::int64_t rows, std::int64_t width, const Scalar* slope, Scalar* d,
                            Scalar* sums) {
    for (std::int64_t r = 0; r < rows; ++r)
#pragma GCC ivdep
      for (std::int64_t k = 0; k < width; ++k) {
        d[r * width + k] *= slope[r * width + k];
        sums[k] += d[r * width + k];
      }
  }

  VaeSizes sizes_;
  Layout at_;
  std::vector<std::uint8_t> images_;
  std::uint64_t seed_;
  std::uint32_t stream_ = site_stream("z", 0);
  ThreadPool pool_;
  Minibatch minibatch_;
  std::vector<std::uint32_t> rows_;
  std::vector<Tile> tiles_;
  std::vector<double> parts_;
  std::int64_t active_ = 1;
};

} // namespace

template <class Scalar>
std::unique_ptr<Baseline<Scalar>> make_vae(std::vector<std::uint8_t> images, const VaeSizes& sizes,
                                           std::uint64_t seed, int threads) {
  return std::make_unique<Vae<Scalar>>(std::move(images), sizes, seed, threads);
}

template std::unique_ptr<Baseline<float>> make_vae(std::vector<std::uint8_t>, const VaeSizes&, std::uint64_t,
                                                   int);
template std::unique_ptr<Baseline<double>> make_vae(std::vector<std::uint8_t>, const VaeSizes&, std::uint64_t,
                                                    int);

} // namespace plait::performance
