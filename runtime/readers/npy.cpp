#include "runtime/readers/npy.hpp"

#include "runtime/data_error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cctype>
#include <charconv>
#include <cstring>
#include <limits>

static_assert(std::endian::native == std::endian::little, "arrays are used as they lie in the file");

namespace plait::runtime {

namespace {

struct Header {
  std::string type; ///< NumPy's descr, such as "<f8"
  bool column_major = false;
  std::vector<std::int64_t> shape;
  std::size_t values = 0; ///< where the values begin
};

class HeaderReader {
public:
  HeaderReader(std::string_view bytes, const Origin& origin) : bytes_(bytes), origin_(origin) {}

  [[noreturn]] void fail(std::string message, std::string hint = {}) const {
    DataError error;
    error.file = origin_.file;
    error.key = origin_.key;
    error.message =
        origin_.key.empty() ? std::move(message) : fmt::format("member {}: {}", origin_.key, message);
    error.hint = std::move(hint);
    throw DataFailure(std::move(error));
  }

  Header read() {
    if (bytes_.size() < 10 || bytes_.substr(0, 6) != "\x93NUMPY")
      fail("this is not a .npy file: it does not begin with the mark of one");
    int version = static_cast<unsigned char>(bytes_[6]);
    if (version < 1 || version > 3)
      fail(fmt::format("unknown .npy format version {}", version));
    std::size_t width = version == 1 ? 2 : 4;
    if (bytes_.size() < 8 + width)
      fail("the file is truncated inside its header");
    std::size_t length = 0;
    for (std::size_t i = width; i-- > 0;)
      length = length * 256 + static_cast<unsigned char>(bytes_[8 + i]);
    if (length > bytes_.size() - 8 - width)
      fail("the file is truncated inside its header");
    text_ = bytes_.substr(8 + width, length);
    Header header;
    header.values = 8 + width + length;
    header.type = read_type();
    header.column_major = read_order();
    header.shape = read_shape();
    return header;
  }

private:
  std::string_view after(std::string_view key) const {
    for (char quote : {'\'', '"'}) {
      std::size_t at = text_.find(fmt::format("{}{}{}", quote, key, quote));
      if (at == std::string_view::npos)
        continue;
      std::string_view rest = text_.substr(at + key.size() + 2);
      std::size_t colon = rest.find(':');
      if (colon == std::string_view::npos)
        break;
      rest.remove_prefix(colon + 1);
      while (!rest.empty() && rest.front() == ' ')
        rest.remove_prefix(1);
      return rest;
    }
    fail(fmt::format("the header does not say {}", key));
  }

  std::string read_type() const {
    std::string_view rest = after("descr");
    if (rest.starts_with('['))
      fail("the array has named fields, not plain numbers", "save each field as an array of its own");
    char quote = rest.empty() ? ' ' : rest.front();
    std::size_t end = quote == '\'' || quote == '"' ? rest.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos)
      fail("the header's element type cannot be read");
    return std::string(rest.substr(1, end - 1));
  }

  bool read_order() const {
    std::string_view rest = after("fortran_order");
    if (rest.starts_with("True"))
      return true;
    if (!rest.starts_with("False"))
      fail("the header's fortran_order is neither True nor False");
    return false;
  }

  std::vector<std::int64_t> read_shape() const {
    std::string_view rest = after("shape");
    std::size_t end = rest.find(')');
    if (!rest.starts_with('(') || end == std::string_view::npos)
      fail("the header's shape cannot be read");
    std::vector<std::int64_t> shape;
    std::int64_t product = 1;
    const char* at = rest.data() + 1;
    const char* stop = rest.data() + end;
    while (at != stop) {
      if (*at == ' ' || *at == ',') {
        ++at;
        continue;
      }
      std::int64_t extent = 0;
      auto [next, status] = std::from_chars(at, stop, extent);
      if (status != std::errc{} || extent < 0)
        fail("the header's shape cannot be read");
      if (extent > 0 && product > std::numeric_limits<std::int64_t>::max() / 16 / extent)
        fail("the header's shape is impossibly large");
      product *= extent > 0 ? extent : 1;
      shape.push_back(extent);
      at = next;
    }
    return shape;
  }

  std::string_view bytes_;
  const Origin& origin_;
  std::string_view text_;
};

// IEEE 754 binary16 → binary32.
float widen_half(std::uint16_t half) {
  std::uint32_t sign = std::uint32_t{half} >> 15 << 31;
  std::uint32_t exponent = half >> 10 & 31;
  std::uint32_t fraction = half & 1023;
  if (exponent == 0) {
    float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  exponent = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | exponent << 23 | fraction << 13);
}

// Row-major copy of values that lie column-major (first index fastest).
template <class T>
std::vector<T> row_major(const char* from, const std::vector<std::int64_t>& shape, std::int64_t size) {
  std::vector<T> values(static_cast<std::size_t>(size));
  std::vector<std::int64_t> index(shape.size(), 0), stride(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;)
    stride[axis - 1] = stride[axis] * shape[axis];
  std::int64_t target = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    std::memcpy(&values[static_cast<std::size_t>(target)], from + static_cast<std::size_t>(i) * sizeof(T),
                sizeof(T));
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      target += stride[axis];
      if (++index[axis] < shape[axis])
        break;
      target -= stride[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return values;
}

} // namespace

Array parse_npy(std::string_view bytes, std::shared_ptr<const void> owner, bool mapped, Origin origin) {
  HeaderReader reader(bytes, origin);
  Header header = reader.read();
  const std::string& type = header.type;
  std::string kind = type.size() > 1 ? type.substr(1) : std::string();
  char order = type.empty() ? ' ' : type[0];
  if (kind.empty())
    reader.fail(fmt::format("unknown element type '{}'", type));
  if (kind[0] == 'U' || kind[0] == 'S' || kind[0] == 'O')
    reader.fail("the array holds texts or objects, not numbers",
                "save the array as numbers, or give the texts as a CSV column bound to index<J> data");
  if (kind[0] == 'c')
    reader.fail("the array holds complex numbers", "save the real and the imaginary part as two arrays");
  if (order == '>' && kind.size() > 1 && kind != "i1" && kind != "u1" && kind != "b1")
    reader.fail(fmt::format("the values are big-endian ({})", type),
                fmt::format("save them with array.astype('<{}')", kind));

  struct Known {
    const char* kind;
    Element element;
  };
  constexpr Known known[] = {{"f8", Element::f64}, {"f4", Element::f32}, {"i8", Element::i64},
                             {"i4", Element::i32}, {"i2", Element::i16}, {"i1", Element::i8},
                             {"u4", Element::u32}, {"u2", Element::u16}, {"u1", Element::u8},
                             {"b1", Element::u8},  {"f2", Element::u16}, {"u8", Element::i64}};
  const Known* found = nullptr;
  for (const Known& candidate : known)
    if (kind == candidate.kind)
      found = &candidate;
  if (!found)
    reader.fail(fmt::format("unknown element type '{}'", type),
                "the types that can be read are f2, f4, f8, i1 to i8, u1 to u8 and bool");

  Array array;
  array.element = found->element;
  array.shape = header.shape;
  std::int64_t size = array.size();
  std::size_t width = element_size(array.element);
  std::uint64_t needed = static_cast<std::uint64_t>(size) * width;
  std::uint64_t present = bytes.size() - header.values;
  if (present != needed)
    reader.fail(fmt::format("the {} {}: {} values of shape [{}] take {} bytes, but {} are there",
                            origin.key.empty() ? "file" : "member",
                            present < needed ? "is truncated" : "has extra bytes at its end", kind,
                            fmt::join(header.shape, ", "), needed, present));

  const char* values = bytes.data() + header.values;
  bool aligned = reinterpret_cast<std::uintptr_t>(values) % width == 0;
  if (header.column_major && header.shape.size() > 1) {
    array = with_element(array.element, [&](auto* element) {
      using T = std::remove_cvref_t<decltype(*element)>;
      return own_array<T>(found->element, header.shape, row_major<T>(values, header.shape, size));
    });
  } else if (aligned) {
    array.data = values;
    array.owner = std::move(owner);
    array.mapped = mapped;
  } else {
    array = with_element(array.element, [&](auto* element) {
      using T = std::remove_cvref_t<decltype(*element)>;
      std::vector<T> copy(static_cast<std::size_t>(size));
      if (size > 0)
        std::memcpy(copy.data(), values, needed);
      return own_array<T>(found->element, header.shape, std::move(copy));
    });
  }
  if (kind == "f2") {
    std::vector<float> wide(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i)
      wide[static_cast<std::size_t>(i)] = widen_half(static_cast<const std::uint16_t*>(array.data)[i]);
    array = make_array(header.shape, std::move(wide));
  }
  if (kind == "u8")
    for (std::int64_t i = 0; i < size; ++i)
      if (array.integer_at(i) < 0)
        reader.fail(fmt::format("element {} is {}, beyond what 64-bit integers hold here", i,
                                static_cast<std::uint64_t>(array.integer_at(i))));
  array.origin = std::move(origin);
  return array;
}

Array read_npy(const std::shared_ptr<const MappedFile>& file) {
  return parse_npy(file->bytes(), file, true, {Origin::Format::npy, file->path(), ""});
}

} // namespace plait::runtime
