#include "tests/performance/steps/synthetic.hpp"

#include "runtime/rng.hpp"

#include <cmath>

namespace plait::performance {
namespace {

using namespace plait::runtime;

PhiloxBlock words(std::uint32_t row, std::uint32_t element, std::uint32_t stream) {
  return draw_block({12345, 0, stream, row, element});
}
double uniform(std::uint32_t row, std::uint32_t element, std::uint32_t stream) {
  return uniform01_32(words(row, element, stream)[0]);
}
double normal(std::uint32_t row, std::uint32_t element, std::uint32_t stream) {
  return standard_normal(words(row, element, stream), DrawPrecision::f64);
}

} // namespace

std::vector<double> school_effects() {
  return {28, 8, -3, 7, -1, 1, 18, 12};
}
std::vector<double> school_errors() {
  return {15, 10, 16, 11, 9, 11, 10, 18};
}

template <class Element>
LogisticData<Element> synthetic_logistic(std::size_t rows, std::size_t columns) {
  LogisticData<Element> data;
  data.columns = columns;
  data.x.resize(rows * columns);
  data.late.resize(rows);
  std::vector<double> slopes(columns);
  for (std::size_t k = 0; k < columns; ++k)
    slopes[k] = normal(0, static_cast<std::uint32_t>(k), 1) / std::sqrt(static_cast<double>(columns));
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = static_cast<std::uint32_t>(i);
    double logit = -1;
    for (std::size_t k = 0; k < columns; ++k) {
      const double x = normal(row, static_cast<std::uint32_t>(k), 2);
      data.x[i * columns + k] = static_cast<Element>(x);
      logit += slopes[k] * x;
    }
    data.late[i] = uniform(row, 0, 3) < 1 / (1 + std::exp(-logit));
  }
  return data;
}

template LogisticData<float> synthetic_logistic(std::size_t, std::size_t);
template LogisticData<double> synthetic_logistic(std::size_t, std::size_t);

RadonData synthetic_radon(std::size_t rows, std::size_t counties) {
  RadonData data;
  data.counties = counties;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = static_cast<std::uint32_t>(i);
    const double u = uniform(row, 0, 4);
    const auto county = static_cast<std::uint32_t>(u * u * static_cast<double>(counties));
    data.county.push_back(static_cast<std::int32_t>(county));
    data.floor.push_back(uniform(row, 0, 5) < 0.7);
    data.y.push_back(1.2 + 0.45 * normal(county, 0, 6) - 0.7 * data.floor.back() + 0.9 * normal(row, 0, 7));
  }
  return data;
}

std::vector<std::uint8_t> synthetic_images(std::size_t rows, std::int64_t pixels) {
  std::vector<std::uint8_t> bits(rows * static_cast<std::size_t>(pixels));
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = static_cast<std::uint32_t>(i);
    const double phase = uniform(row, 0, 8), width = 0.05 + 0.3 * uniform(row, 1, 8);
    for (std::int64_t k = 0; k < pixels; ++k) {
      const double position = static_cast<double>(k) / static_cast<double>(pixels);
      const double distance = std::fabs(position - phase);
      const bool blob = std::min(distance, 1 - distance) < 0.5 * width;
      const double flip = uniform(row, static_cast<std::uint32_t>(k), 9);
      bits[i * static_cast<std::size_t>(pixels) + static_cast<std::size_t>(k)] =
          blob ? flip > 0.1 : flip < 0.05;
    }
  }
  return bits;
}

Chorales synthetic_chorales(std::size_t rows, std::int64_t longest, std::int64_t keys) {
  Chorales data;
  data.longest = longest;
  data.notes.resize(rows * static_cast<std::size_t>(longest * keys));
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = static_cast<std::uint32_t>(i);
    const double u = uniform(row, 0, 10);
    const auto length = 1 + static_cast<std::int64_t>(u * static_cast<double>(longest));
    data.lengths.push_back(static_cast<std::int32_t>(length));
    for (std::int64_t t = 0; t < length; ++t)
      for (std::uint32_t voice = 0; voice < 4; ++voice) {
        const auto beat = static_cast<std::uint32_t>(t / (1 + voice));
        const double key = uniform(row, 4 * beat + voice, 11) * static_cast<double>(keys);
        data.notes[(i * static_cast<std::size_t>(longest) + static_cast<std::size_t>(t)) *
                       static_cast<std::size_t>(keys) +
                   static_cast<std::size_t>(key)] = 1;
      }
  }
  return data;
}

} // namespace plait::performance
