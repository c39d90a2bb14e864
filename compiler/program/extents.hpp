#pragma once

#include "compiler/program/dim.hpp"
#include "compiler/tensor_ir/type.hpp"

#include <map>
#include <string>
#include <vector>

namespace plait::program {

/// Translates sizes to the extents that catalog rows speak, and the extents they answer with back to sizes.
class ExtentNames {
public:
  /// With `as_numbers`, a symbolic size goes out as a number that stands for it: some rows compute with
  /// lengths.
  explicit ExtentNames(bool as_numbers = false) : as_numbers_(as_numbers) {}

  ir::Extent extent(const Dim& dim) {
    if (dim.is_known())
      return ir::Extent::known(dim.constant);
    std::string name = to_string(dim);
    auto [entry, fresh] = dims_.emplace(name, dim);
    if (!as_numbers_)
      return ir::Extent::runtime(name);
    for (const auto& [number, known] : numbers_)
      if (known == entry->second)
        return ir::Extent::known(number);
    std::int64_t number = next_number_;
    next_number_ += 1'000'003;
    numbers_.emplace(number, dim);
    return ir::Extent::known(number);
  }

  std::vector<ir::Extent> extents(const std::vector<Dim>& dims) {
    std::vector<ir::Extent> result;
    for (const Dim& dim : dims)
      result.push_back(extent(dim));
    return result;
  }

  /// An extent the row made up itself becomes a size of that name.
  Dim dim(const ir::Extent& extent) const {
    if (extent.is_known()) {
      for (const auto& [number, known] : numbers_)
        for (std::int64_t factor = 1; factor <= 4; ++factor)
          if (extent.value == factor * number)
            return scale(known, factor);
      return Dim::known(extent.value);
    }
    auto found = dims_.find(extent.name);
    return found == dims_.end() ? Dim::named(extent.name) : found->second;
  }

  std::vector<Dim> dims(const std::vector<ir::Extent>& extents) const {
    std::vector<Dim> result;
    for (const ir::Extent& extent : extents)
      result.push_back(dim(extent));
    return result;
  }

  /// A row's message with the sizes in place of the numbers that stood for them.
  std::string message(std::string text) const {
    for (const auto& [number, known] : numbers_) {
      std::string digits = std::to_string(number);
      for (auto at = text.find(digits); at != std::string::npos; at = text.find(digits))
        text.replace(at, digits.size(), to_string(known));
    }
    return text;
  }

private:
  bool as_numbers_ = false;
  std::int64_t next_number_ = 100'000'007;
  std::map<std::string, Dim> dims_;
  std::map<std::int64_t, Dim> numbers_;
};

} // namespace plait::program
