/** \file
 * Compiled objects on disk. Files are written whole and renamed into place, and carry a checksum: a reader
 * sees a good object or none. Every failure is a miss, never an error.
 */
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

namespace llvm {
class MemoryBuffer;
}

namespace plait::codegen {

class ObjectCache {
public:
  /** An empty folder turns the cache off. */
  explicit ObjectCache(std::filesystem::path folder);

  std::unique_ptr<llvm::MemoryBuffer> load(std::string_view key) const;
  void store(std::string_view key, std::string_view object) const;

  /** $XDG_CACHE_HOME/plait, or $HOME/.cache/plait; empty when neither is set. */
  static std::filesystem::path default_folder();

private:
  std::filesystem::path file(std::string_view key) const;
  std::filesystem::path folder_;
};

} // namespace plait::codegen
