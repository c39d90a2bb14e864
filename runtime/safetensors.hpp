// Named tensors in a file, in the safetensors format.
#pragma once

#include "runtime/array.hpp"
#include "runtime/storage.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace plait::runtime {

struct Tensor {
  std::string name;
  Array values;
};

/// The tensor of that name; null without one.
const Tensor* find_tensor(const std::vector<Tensor>& tensors, std::string_view name);

struct TensorFile {
  std::vector<Tensor> tensors;
  std::map<std::string, std::string> metadata;
  const Tensor* find(std::string_view name) const;
};

/// Writes the file whole or not at all: 8 bytes header length, JSON header padded to 8 bytes, values in the
/// order given. Throws StorageError: two tensors of one name, or a file system error.
void write_safetensors(const std::string& path, const TensorFile& file);

/// Reads a file and believes nothing: lengths, offsets without gaps or overlaps, sizes that agree with the
/// shapes, names that occur once, nothing after the last value. The values stay mapped. Throws StorageError.
TensorFile read_safetensors(const std::string& path);

} // namespace plait::runtime
