#include "runtime/dataset.hpp"

#include <algorithm>

namespace plait::runtime {

const BoundData* Dataset::find(std::string_view name) const {
  auto found =
      std::find_if(data.begin(), data.end(), [&](const BoundData& bound) { return bound.name == name; });
  return found == data.end() ? nullptr : &*found;
}

std::int64_t BoundData::rows() const {
  if (ragged)
    return static_cast<std::int64_t>(starts.size());
  return values.shape.empty() ? 1 : values.shape[0];
}

namespace {

template <class Out>
void count_from_zero(const BoundData& data, Out* values, std::int64_t count) {
  if (data.index_base != 0)
    for (std::int64_t i = 0; i < count; ++i)
      values[i] -= static_cast<Out>(data.index_base);
}

template <class Out>
void read_dense(const BoundData& data, std::span<const std::int64_t> rows, Out* out) {
  std::int64_t width = data.values.row_size();
  Out* at = out;
  for (std::int64_t row : rows) {
    data.values.read(row * width, width, at);
    at += width;
  }
  count_from_zero(data, out, at - out);
}

template <class Out>
void read_padded(const BoundData& data, std::span<const std::int64_t> rows, std::int64_t stride, Out* out) {
  for (std::int64_t row : rows) {
    auto n = static_cast<std::size_t>(row);
    std::int64_t count = std::min(data.lengths[n], stride) * data.inner_size;
    data.values.read(data.starts[n] * data.inner_size, count, out);
    count_from_zero(data, out, count);
    std::fill(out + count, out + stride * data.inner_size, Out{0});
    out += stride * data.inner_size;
  }
}

} // namespace

void BoundData::read_rows(std::span<const std::int64_t> rows, double* out) const {
  read_dense(*this, rows, out);
}
void BoundData::read_rows(std::span<const std::int64_t> rows, float* out) const {
  read_dense(*this, rows, out);
}
void BoundData::read_rows(std::span<const std::int64_t> rows, std::int64_t* out) const {
  read_dense(*this, rows, out);
}
void BoundData::read_rows(std::span<const std::int64_t> rows, std::int32_t* out) const {
  read_dense(*this, rows, out);
}

void BoundData::read_ragged(std::span<const std::int64_t> rows, std::int64_t stride, double* out) const {
  read_padded(*this, rows, stride, out);
}
void BoundData::read_ragged(std::span<const std::int64_t> rows, std::int64_t stride, float* out) const {
  read_padded(*this, rows, stride, out);
}
void BoundData::read_ragged(std::span<const std::int64_t> rows, std::int64_t stride,
                            std::int64_t* out) const {
  read_padded(*this, rows, stride, out);
}
void BoundData::read_ragged(std::span<const std::int64_t> rows, std::int64_t stride,
                            std::int32_t* out) const {
  read_padded(*this, rows, stride, out);
}

} // namespace plait::runtime
