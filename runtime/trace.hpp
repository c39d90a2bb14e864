// The course of a fit, one line a step: RUN/trace.csv.
#pragma once

#include "runtime/storage.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace plait::runtime {

/// Appends `step,elbo,seconds` lines. They reach the file at least every second and when the writer ends.
class TraceWriter {
public:
  /// Begins a new file. Throws StorageError.
  static TraceWriter begin(const std::string& path);
  /// Goes on with a file: lines of steps after `last_step`, and a last line cut short, are dropped; a missing
  /// file is begun. Throws StorageError, also when the file is no trace.
  static TraceWriter resume(const std::string& path, std::int64_t last_step);

  TraceWriter(TraceWriter&&) = default;
  TraceWriter& operator=(TraceWriter&&) = default;
  ~TraceWriter();

  /// `seconds`: since the fit began. Numbers are written so that reading gives the same bits.
  void add(std::int64_t step, double elbo, double seconds);
  /// Throws StorageError, for example when the disk is full.
  void flush();

private:
  TraceWriter(std::string path, const char* mode);
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::string pending_;
  std::chrono::steady_clock::time_point flushed_;
};

struct Trace {
  std::vector<std::int64_t> steps;
  std::vector<double> elbo, seconds;
};

/// Reads a trace; a last line cut short is left out. Throws StorageError naming the line that is no trace
/// line.
Trace read_trace(const std::string& path);

} // namespace plait::runtime
