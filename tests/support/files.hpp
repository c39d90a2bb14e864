/** \file
 * Files of tests: reading, temporary folders, and expectations that live beside their inputs.
 */
#pragma once

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace plait::test {

namespace fs = std::filesystem;

inline fs::path source_folder() {
  return PLAIT_SOURCE_DIR;
}

inline std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw std::runtime_error("cannot read " + path.string());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file)
    throw std::runtime_error("cannot write " + path.string());
}

inline std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

/** An empty folder that vanishes with this object. */
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "plait-test-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
      throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

private:
  fs::path path_;
};

/** PLAIT_ACCEPT=1 rewrites expectations instead of comparing: read the difference before committing it. */
inline bool accepting() {
  const char* text = std::getenv("PLAIT_ACCEPT");
  return text && std::string(text) == "1";
}

inline void check_expectation(const fs::path& expected, const std::string& found) {
  INFO(expected);
  if (accepting())
    write_file(expected, found);
  CHECK(found == read_file(expected));
}

} // namespace plait::test
