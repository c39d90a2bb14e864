// A folder for the files of one test, and writers for the formats under test.
#pragma once

#include "runtime/dataset.hpp"

#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

namespace scratch {

/// A fresh working folder, so that messages name files without a path; the old one is restored at the end.
class Folder {
public:
  Folder() : before_(std::filesystem::current_path()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "plait-test-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
      throw std::runtime_error("no temporary folder");
    path_ = pattern;
    std::filesystem::current_path(path_);
  }
  ~Folder() {
    std::filesystem::current_path(before_);
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
  }
  std::string read(const std::string& name) const {
    std::ostringstream bytes;
    bytes << std::ifstream(path_ / name, std::ios::binary).rdbuf();
    return bytes.str();
  }

private:
  std::filesystem::path before_, path_;
};

/// The image of an .npy file with the given header dictionary.
inline std::string npy_image(const std::string& dictionary, const std::string& values) {
  std::string header = dictionary;
  while ((10 + header.size() + 1) % 64 != 0)
    header += ' ';
  header += '\n';
  std::string image = "\x93NUMPY";
  image += '\x01';
  image += '\0';
  image += static_cast<char>(header.size() & 255);
  image += static_cast<char>(header.size() >> 8);
  return image + header + values;
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty())
    std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <class T>
std::string npy(const std::vector<T>& values, const std::string& shape, bool fortran = false) {
  char kind = std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u';
  std::string type = (sizeof(T) == 1 ? "|" : "<") + std::string(1, kind) + std::to_string(sizeof(T));
  return npy_image("{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") +
                       ", 'shape': " + shape + ", }",
                   bytes_of(values));
}

/// All numbers of an array, as double.
inline std::vector<double> reals(const plait::runtime::Array& array) {
  std::vector<double> values(static_cast<std::size_t>(array.size()));
  array.read(0, array.size(), values.data());
  return values;
}

} // namespace scratch
