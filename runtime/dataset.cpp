#include "runtime/dataset.hpp"

#include <algorithm>

namespace plait::runtime {

const BoundData* Dataset::find(std::string_view name) const {
  auto found =
      std::find_if(data.begin(), data.end(), [&](const BoundData& bound) { return bound.name == name; });
  return found == data.end() ? nullptr : &*found;
}

Storage storage(Element element) {
  switch (element) {
  case Element::f64:
    return Storage::f64;
  case Element::f32:
    return Storage::f32;
  case Element::i64:
    return Storage::i64;
  case Element::i32:
    return Storage::i32;
  case Element::i16:
    return Storage::i16;
  case Element::i8:
    return Storage::i8;
  case Element::u32:
    return Storage::u32;
  case Element::u16:
    return Storage::u16;
  case Element::u8:
    break;
  }
  return Storage::u8;
}

DataView BoundData::view() const {
  if (!ragged)
    return {values.data, nullptr, nullptr};
  return {values.data, starts.data(), lengths.data()};
}

std::int64_t BoundData::rows() const {
  if (ragged)
    return static_cast<std::int64_t>(starts.size());
  return values.shape.empty() ? 1 : values.shape[0];
}

namespace {

template <class Out>
void read_dense(const BoundData& data, std::span<const std::int64_t> rows, Out* out) {
  std::int64_t width = data.values.row_size();
  for (std::int64_t row : rows) {
    data.values.read(row * width, width, out);
    out += width;
  }
}

template <class Out>
void read_padded(const BoundData& data, std::span<const std::int64_t> rows, std::int64_t stride, Out* out) {
  for (std::int64_t row : rows) {
    auto n = static_cast<std::size_t>(row);
    std::int64_t count = std::min<std::int64_t>(data.lengths[n], stride) * data.inner_size;
    data.values.read(data.starts[n] * data.inner_size, count, out);
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
