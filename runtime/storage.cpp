#include "runtime/storage.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace plait::runtime {

namespace {

std::string reason(int code) {
  return std::generic_category().message(code);
}

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR)
        continue;
      throw StorageError(path, "cannot write the file: " + reason(errno));
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Removes the half-written file unless it was put in place.
struct Temporary {
  std::string path;
  int descriptor = -1;
  bool kept = false;
  ~Temporary() {
    if (descriptor >= 0)
      ::close(descriptor);
    if (!kept)
      ::unlink(path.c_str());
  }
};

} // namespace

void write_atomically(const std::string& path, std::span<const std::string_view> pieces) {
  Temporary temporary{path + ".partial." + std::to_string(::getpid())};
  temporary.descriptor = ::open(temporary.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (temporary.descriptor < 0)
    throw StorageError(path, "cannot write the file: " + reason(errno));
  for (std::string_view piece : pieces)
    write_all(temporary.descriptor, piece, path);
  // The new name must not reach the disk before the content does.
  if (::fsync(temporary.descriptor) != 0)
    throw StorageError(path, "cannot write the file: " + reason(errno));
  int closed = ::close(temporary.descriptor);
  temporary.descriptor = -1;
  if (closed != 0 || ::rename(temporary.path.c_str(), path.c_str()) != 0)
    throw StorageError(path, "cannot write the file: " + reason(errno));
  temporary.kept = true;
}

void write_atomically(const std::string& path, std::string_view text) {
  write_atomically(path, std::span<const std::string_view>(&text, 1));
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw StorageError(path, "cannot open the file: " + reason(errno));
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad())
    throw StorageError(path, "cannot read the file: " + reason(errno));
  return text.str();
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    throw StorageError(path, "cannot make the folder: " + error.message());
  if (!std::filesystem::is_directory(path))
    throw StorageError(path, "this is a file, not a folder");
}

} // namespace plait::runtime
