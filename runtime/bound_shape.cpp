#include "runtime/bound_shape.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace plait::runtime {

std::optional<std::vector<std::int64_t>>
fit_shape(const std::vector<std::int64_t>& shape, std::span<const Size> declared,
          const std::function<std::optional<std::int64_t>(const Size&)>& known) {
  std::vector<std::int64_t> fitted = shape;
  if (fitted.size() == declared.size())
    return fitted;
  while (fitted.size() > declared.size() && fitted.back() == 1)
    fitted.pop_back();
  if (fitted.size() == declared.size())
    return fitted;
  if (declared.empty())
    return std::nullopt;
  std::optional<std::int64_t> last = known(declared.back());
  if (!last)
    return std::nullopt;
  if (fitted.size() + 1 == declared.size() && *last == 1) {
    fitted.push_back(1);
    return fitted;
  }
  std::int64_t product = 1;
  while (fitted.size() >= declared.size()) {
    product *= fitted.back();
    fitted.pop_back();
  }
  if (fitted.size() + 1 != declared.size() || product != *last)
    return std::nullopt;
  fitted.push_back(product);
  return fitted;
}

std::vector<std::int64_t> element_position(const BoundData& bound, std::size_t rank, std::int64_t flat) {
  std::vector<std::int64_t> inner = bound.values.shape;
  std::vector<std::int64_t> index;
  if (bound.ragged) {
    std::int64_t element = flat / bound.inner_size;
    auto row = std::upper_bound(bound.starts.begin(), bound.starts.end(), element) - bound.starts.begin() - 1;
    index = {row, element - bound.starts[static_cast<std::size_t>(row)]};
    flat %= bound.inner_size;
    inner.erase(inner.begin(), inner.end() - static_cast<std::ptrdiff_t>(rank - 2));
  }
  std::vector<std::int64_t> rest(inner.size());
  for (std::size_t axis = inner.size(); axis-- > 0;) {
    rest[axis] = flat % inner[axis];
    flat /= inner[axis];
  }
  index.insert(index.end(), rest.begin(), rest.end());
  return index;
}

std::string shown_shape(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::string declared_shape(const ExpectedData& expected) {
  std::string type = expected.ragged ? "ragged " : "";
  switch (expected.kind) {
  case DataKind::real:
    type += "real";
    break;
  case DataKind::integer:
    type += "int";
    break;
  case DataKind::bit:
    type += "bit";
    break;
  case DataKind::index:
    type +=
        fmt::format("index<{}>", expected.index_size.name.empty() ? std::to_string(expected.index_size.value)
                                                                  : expected.index_size.name);
    break;
  }
  if (expected.sizes.empty())
    return type;
  std::vector<std::string> sizes;
  for (const Size& size : expected.sizes)
    sizes.push_back(size.name.empty() ? std::to_string(size.value) : size.name);
  return fmt::format("{}[{}]", type, fmt::join(sizes, ", "));
}

std::string shown_value(const Array& values, std::int64_t flat) {
  if (!is_float(values.element))
    return std::to_string(values.integer_at(flat));
  double value = values.real_at(flat);
  if (std::isnan(value))
    return "NaN";
  if (std::isinf(value))
    return value > 0 ? "Infinity" : "-Infinity";
  if (value == std::trunc(value) && std::abs(value) < 1e18)
    return fmt::format("{:.0f}", value);
  if (values.element == Element::f32)
    return fmt::format("{}", static_cast<float>(value));
  return fmt::format("{}", value);
}

} // namespace plait::runtime
