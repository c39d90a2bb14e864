#include "runtime/readers/mapped_file.hpp"

#include "runtime/data_error.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace plait::runtime {

namespace {

[[noreturn]] void fail(const std::string& path, std::string message, std::string hint = {}) {
  DataError error;
  error.file = path;
  error.message = std::move(message);
  error.hint = std::move(hint);
  throw DataFailure(std::move(error));
}

struct Descriptor {
  int number;
  ~Descriptor() { ::close(number); }
};

} // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path) {
  int number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (number < 0) {
    if (errno == ENOENT)
      fail(path, "there is no such file", "paths are relative to the folder the command runs in");
    fail(path, "cannot open the file: " + std::generic_category().message(errno));
  }
  Descriptor descriptor{number};
  struct stat status{};
  if (::fstat(number, &status) != 0)
    fail(path, "cannot read the file: " + std::generic_category().message(errno));
  if (!S_ISREG(status.st_mode))
    fail(path,
         S_ISDIR(status.st_mode) ? "this is a directory, not a data file" : "this is not a regular file");
  if (status.st_size == 0)
    fail(path, "the file is empty");
  auto size = static_cast<std::size_t>(status.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, number, 0);
  if (address == MAP_FAILED)
    fail(path, "cannot map the file into memory: " + std::generic_category().message(errno));
  return std::shared_ptr<const MappedFile>(new MappedFile(path, address, size));
}

MappedFile::~MappedFile() {
  ::munmap(address_, size_);
}

} // namespace plait::runtime
