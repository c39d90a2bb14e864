// NumPy's .npy and .npz files.
#pragma once

#include "runtime/array.hpp"
#include "runtime/readers/mapped_file.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace plait::runtime {

/// The array of one .npy image (NEP 1, format versions 1 to 3). It points into `bytes`, kept alive by
/// `owner`, when the values can be used in place: row-major and aligned. Column-major values are transposed
/// into a copy, f16 widened to f32, u64 narrowed to i64, bool read as u8. Throws DataFailure: not an .npy
/// file, broken header, truncated or overlong values, big-endian, or an element type that holds no numbers.
Array parse_npy(std::string_view bytes, std::shared_ptr<const void> owner, bool mapped, Origin origin);

/// The array of a file, memory-mapped where possible.
Array read_npy(const std::shared_ptr<const MappedFile>& file);

/// An .npz archive: a zip file (stored or deflated members, 64-bit extensions) of .npy files.
class NpzFile {
public:
  /// Reads the directory only. Throws DataFailure when this is no zip archive or its directory is broken.
  explicit NpzFile(std::shared_ptr<const MappedFile> file);
  /// Names without ".npy".
  const std::vector<std::string>& names() const { return names_; }
  bool has(std::string_view name) const;
  /// Reads one member and verifies its checksum. Throws DataFailure: missing, damaged, or as parse_npy.
  Array read(const std::string& name) const;

private:
  struct Member {
    std::uint64_t header = 0, packed = 0, unpacked = 0;
    std::uint32_t checksum = 0;
    std::uint16_t method = 0, flags = 0;
  };
  std::shared_ptr<const MappedFile> file_;
  std::vector<std::string> names_;
  std::vector<Member> members_;
};

} // namespace plait::runtime
