// Files a run writes: whole or not at all.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace plait::runtime {

/// A file of a run cannot be written, read, or believed. `what()` begins with the file's name.
class StorageError : public std::runtime_error {
public:
  StorageError(const std::string& file, const std::string& message)
      : std::runtime_error(file + ": " + message) {}
};

/// Writes the pieces one after another to a file beside `path` and renames it, so that a reader, or a crash,
/// sees the old file or the new one. Throws StorageError.
void write_atomically(const std::string& path, std::span<const std::string_view> pieces);
void write_atomically(const std::string& path, std::string_view text);

/// The bytes of a file. Throws StorageError.
std::string read_text(const std::string& path);

/// Creates the folder and those above it, if they do not exist. Throws StorageError.
void make_folder(const std::string& path);

} // namespace plait::runtime
