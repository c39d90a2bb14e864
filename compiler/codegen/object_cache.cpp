#include "compiler/codegen/object_cache.hpp"

#include <fmt/format.h>
#include <llvm/Support/BLAKE3.h>
#include <llvm/Support/MemoryBuffer.h>

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <system_error>

namespace plait::codegen {

namespace {

using Digest = std::array<std::uint8_t, 32>;

/** In front of every object. */
struct Header {
  std::array<char, 8> magic = {'p', 'l', 'a', 'i', 't', 'o', 'b', '1'};
  std::uint64_t size = 0;
  Digest digest = {};
};

Digest digest_of(std::string_view bytes) {
  return llvm::BLAKE3::hash(
      llvm::ArrayRef<std::uint8_t>(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

std::string hexadecimal(const Digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

} // namespace

ObjectCache::ObjectCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

std::filesystem::path ObjectCache::default_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0')
    return std::filesystem::path(cache) / "plait";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return std::filesystem::path(home) / ".cache" / "plait";
  return {};
}

std::filesystem::path ObjectCache::file(std::string_view key) const {
  return folder_ / (hexadecimal(digest_of(key)) + ".o");
}

std::unique_ptr<llvm::MemoryBuffer> ObjectCache::load(std::string_view key) const {
  if (folder_.empty())
    return nullptr;
  std::ifstream stream(file(key), std::ios::binary);
  Header header;
  const Header expected;
  if (!stream.read(reinterpret_cast<char*>(&header), sizeof header) || header.magic != expected.magic)
    return nullptr;
  constexpr std::uint64_t largest = std::uint64_t{1} << 30;
  if (header.size > largest)
    return nullptr;
  auto buffer = llvm::WritableMemoryBuffer::getNewUninitMemBuffer(header.size);
  if (buffer == nullptr ||
      !stream.read(buffer->getBufferStart(), static_cast<std::streamsize>(header.size)) ||
      stream.peek() != std::ifstream::traits_type::eof())
    return nullptr;
  if (digest_of({buffer->getBufferStart(), header.size}) != header.digest)
    return nullptr;
  return buffer;
}

void ObjectCache::store(std::string_view key, std::string_view object) const {
  if (folder_.empty())
    return;
  static std::atomic<unsigned> counter{0};
  std::error_code problem;
  std::filesystem::create_directories(folder_, problem);
  if (problem)
    return;
  const std::filesystem::path target = file(key);
  std::filesystem::path temporary = target;
  temporary += fmt::format(".{}.{}.part", ::getpid(), counter++);
  Header header;
  header.size = object.size();
  header.digest = digest_of(object);
  bool written = false;
  {
    std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
    stream.write(reinterpret_cast<const char*>(&header), sizeof header);
    stream.write(object.data(), static_cast<std::streamsize>(object.size()));
    stream.close();
    written = !stream.fail();
  }
  if (written)
    std::filesystem::rename(temporary, target, problem);
  if (!written || problem)
    std::filesystem::remove(temporary, problem);
}

} // namespace plait::codegen
