#include "runtime/array.hpp"

#include <utility>

namespace plait::runtime {

std::size_t element_size(Element element) {
  return with_element(element, [](auto* type) { return sizeof(*type); });
}

std::string_view element_name(Element element) {
  switch (element) {
  case Element::f64:
    return "f64";
  case Element::f32:
    return "f32";
  case Element::i64:
    return "i64";
  case Element::i32:
    return "i32";
  case Element::i16:
    return "i16";
  case Element::i8:
    return "i8";
  case Element::u32:
    return "u32";
  case Element::u16:
    return "u16";
  case Element::u8:
    break;
  }
  return "u8";
}

bool is_float(Element element) {
  return element == Element::f64 || element == Element::f32;
}

std::int64_t Array::size() const {
  std::int64_t product = 1;
  for (std::int64_t extent : shape)
    product *= extent;
  return product;
}

std::int64_t Array::row_size() const {
  std::int64_t product = 1;
  for (std::size_t axis = 1; axis < shape.size(); ++axis)
    product *= shape[axis];
  return product;
}

double Array::real_at(std::int64_t flat) const {
  return with_element(
      element, [&](auto* type) { return static_cast<double>(static_cast<decltype(type)>(data)[flat]); });
}

std::int64_t Array::integer_at(std::int64_t flat) const {
  return with_element(element, [&](auto* type) {
    return static_cast<std::int64_t>(static_cast<decltype(type)>(data)[flat]);
  });
}

const void* Array::row(std::int64_t row) const {
  return static_cast<const char*>(data) + static_cast<std::size_t>(row * row_size()) * element_size(element);
}

namespace {

template <class Out>
void convert(const Array& array, std::int64_t begin, std::int64_t count, Out* out) {
  with_element(array.element, [&](auto* type) {
    auto* from = static_cast<decltype(type)>(array.data) + begin;
    for (std::int64_t i = 0; i < count; ++i)
      out[i] = static_cast<Out>(from[i]);
  });
}

} // namespace

void Array::read(std::int64_t begin, std::int64_t count, double* out) const {
  convert(*this, begin, count, out);
}
void Array::read(std::int64_t begin, std::int64_t count, float* out) const {
  convert(*this, begin, count, out);
}
void Array::read(std::int64_t begin, std::int64_t count, std::int64_t* out) const {
  convert(*this, begin, count, out);
}
void Array::read(std::int64_t begin, std::int64_t count, std::int32_t* out) const {
  convert(*this, begin, count, out);
}

Array make_array(std::vector<std::int64_t> shape, std::vector<double> values) {
  return own_array(Element::f64, std::move(shape), std::move(values));
}
Array make_array(std::vector<std::int64_t> shape, std::vector<float> values) {
  return own_array(Element::f32, std::move(shape), std::move(values));
}
Array make_array(std::vector<std::int64_t> shape, std::vector<std::int64_t> values) {
  return own_array(Element::i64, std::move(shape), std::move(values));
}
Array make_array(std::vector<std::int64_t> shape, std::vector<std::int32_t> values) {
  return own_array(Element::i32, std::move(shape), std::move(values));
}
Array make_array(std::vector<std::int64_t> shape, std::vector<std::uint8_t> values) {
  return own_array(Element::u8, std::move(shape), std::move(values));
}

} // namespace plait::runtime
