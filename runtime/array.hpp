// A typed block of numbers, owned or memory-mapped: what data files are read into and what the step reads
// from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plait::runtime {

/// Machine type of one stored number. Booleans are stored as u8 (0 or 1); half floats are widened when read.
enum class Element { f64, f32, i64, i32, i16, i8, u32, u16, u8 };

std::size_t element_size(Element element);
std::string_view element_name(Element element);
bool is_float(Element element);

/// Calls `use` with a typed null pointer of the element's C++ type, so that one generic body serves every
/// element.
template <class Use>
decltype(auto) with_element(Element element, Use&& use) {
  switch (element) {
  case Element::f64:
    return use(static_cast<const double*>(nullptr));
  case Element::f32:
    return use(static_cast<const float*>(nullptr));
  case Element::i64:
    return use(static_cast<const std::int64_t*>(nullptr));
  case Element::i32:
    return use(static_cast<const std::int32_t*>(nullptr));
  case Element::i16:
    return use(static_cast<const std::int16_t*>(nullptr));
  case Element::i8:
    return use(static_cast<const std::int8_t*>(nullptr));
  case Element::u32:
    return use(static_cast<const std::uint32_t*>(nullptr));
  case Element::u16:
    return use(static_cast<const std::uint16_t*>(nullptr));
  case Element::u8:
    break;
  }
  return use(static_cast<const std::uint8_t*>(nullptr));
}

/// Where an array came from: a file, and the key, member or column(s) inside it (empty if the file is the
/// array).
struct Origin {
  enum class Format { none, npy, npz, json, csv };
  Format format = Format::none;
  std::string file;
  std::string key;
};

/// Row-major block of numbers. Copying an Array shares the storage, which nothing writes after it was read.
/// `data` is aligned to the element's size.
struct Array {
  Element element = Element::f64;
  std::vector<std::int64_t> shape;
  const void* data = nullptr;
  std::shared_ptr<const void> owner; ///< keeps the buffer or the mapping alive
  bool mapped = false;               ///< `data` points into a mapped file: pages are read on demand
  Origin origin;

  std::int64_t rank() const { return static_cast<std::int64_t>(shape.size()); }
  /// Number of elements; 1 for a scalar.
  std::int64_t size() const;
  /// Elements of one row, the product of all dimensions but the first; 1 for a scalar or a vector.
  std::int64_t row_size() const;
  /// Element at the row-major position `flat`, converted. Positions outside the array are the caller's error.
  double real_at(std::int64_t flat) const;
  std::int64_t integer_at(std::int64_t flat) const;
  /// Address of row `row`, in the array's own element type.
  const void* row(std::int64_t row) const;
  /// Copies `count` elements from `begin` into `out`, converted.
  void read(std::int64_t begin, std::int64_t count, double* out) const;
  void read(std::int64_t begin, std::int64_t count, float* out) const;
  void read(std::int64_t begin, std::int64_t count, std::int64_t* out) const;
  void read(std::int64_t begin, std::int64_t count, std::int32_t* out) const;
};

/// An array that owns its values; `T` is the C++ type of `element`, and the sizes must agree with `shape`.
template <class T>
Array own_array(Element element, std::vector<std::int64_t> shape, std::vector<T> values) {
  auto storage = std::make_shared<const std::vector<T>>(std::move(values));
  Array array;
  array.element = element;
  array.shape = std::move(shape);
  array.data = storage->data();
  array.owner = std::move(storage);
  return array;
}

/// Arrays that own their values.
Array make_array(std::vector<std::int64_t> shape, std::vector<double> values);
Array make_array(std::vector<std::int64_t> shape, std::vector<float> values);
Array make_array(std::vector<std::int64_t> shape, std::vector<std::int64_t> values);
Array make_array(std::vector<std::int64_t> shape, std::vector<std::int32_t> values);
Array make_array(std::vector<std::int64_t> shape, std::vector<std::uint8_t> values);

} // namespace plait::runtime
