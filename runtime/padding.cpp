#include "runtime/padding.hpp"

#include <utility>
#include <vector>

namespace plait::runtime {

template <class T>
Array whole_values(const BoundData& data, std::int64_t base) {
  std::vector<T> whole(static_cast<std::size_t>(data.values.size()), 0);
  auto copy = [&](std::int64_t begin, std::int64_t count) {
    T* out = whole.data() + begin;
    data.values.read(begin, count, out);
    for (std::int64_t i = 0; i < count; ++i)
      out[i] = static_cast<T>(out[i] - static_cast<T>(base));
  };
  if (!data.ragged)
    copy(0, data.values.size());
  for (std::size_t n = 0; n < data.starts.size(); ++n)
    copy(data.starts[n] * data.inner_size, data.lengths[n] * data.inner_size);
  Array result = make_array(data.values.shape, std::move(whole));
  result.origin = data.values.origin;
  return result;
}

template Array whole_values<std::int32_t>(const BoundData&, std::int64_t);
template Array whole_values<std::int64_t>(const BoundData&, std::int64_t);

} // namespace plait::runtime
