// A whole file as read-only memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace plait::runtime {

/// The bytes of a regular file, mapped: pages are read when first touched. Share it to keep the mapping
/// alive.
class MappedFile {
public:
  /// Throws DataFailure: no such file, not readable, a directory, or empty.
  static std::shared_ptr<const MappedFile> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  std::string_view bytes() const { return {static_cast<const char*>(address_), size_}; }

private:
  MappedFile(std::string path, void* address, std::size_t size)
      : path_(std::move(path)), address_(address), size_(size) {}
  std::string path_;
  void* address_;
  std::size_t size_;
};

} // namespace plait::runtime
