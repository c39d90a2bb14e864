#pragma once

#include "grammar/source.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plait {

enum class Severity { note, warning, error };

/// A remark that belongs to a diagnostic, with a place of its own when there is one ("declared here").
struct Note {
  std::optional<Span> span;
  std::string message;
};

/// One finding about the source. `code` is a stable kebab-case name such as "syntax" or "unknown-name", used
/// by tests and tools and not printed. A diagnostic without a span is about the file as a whole.
struct Diagnostic {
  Severity severity = Severity::error;
  std::string code;
  std::optional<Span> span;
  std::string message;
  std::vector<Note> notes;
  std::string hint;

  /// Adds a note and returns this diagnostic, so that notes and hints chain.
  Diagnostic& note(std::string text);
  Diagnostic& note(Span place, std::string text);
  Diagnostic& with_hint(std::string text);
};

/// The findings of all stages about one source, in the order they were made.
class Diagnostics {
public:
  /// Adds an error or a warning; the reference stays valid until the next one is added, and takes notes and a
  /// hint:
  ///   diagnostics.error("unknown-name", span, "unknown name 'x'").note(where, "declared
  ///   here").with_hint("…");
  Diagnostic& error(std::string code, Span span, std::string message);
  Diagnostic& warning(std::string code, Span span, std::string message);
  Diagnostic& add(Diagnostic diagnostic);

  bool has_errors() const { return error_count_ > 0; }
  std::size_t error_count() const { return error_count_; }
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  const std::vector<Diagnostic>& entries() const { return entries_; }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

  /// Puts the entries in source order; entries at the same place keep their order.
  void sort_by_place();

private:
  std::vector<Diagnostic> entries_;
  std::size_t error_count_ = 0;
};

/// Prints one diagnostic:
///
///   file.ppl:3:7: error: message
///     3 | the source line
///       |     ~~~^~~
///   file.ppl:1:1: note: declared here
///     …
///   hint: what to do
std::string render(const Source& source, const Diagnostic& diagnostic);

/// Prints all of them, an empty line between two.
std::string render(const Source& source, const Diagnostics& diagnostics);

/// The candidate nearest to `name` in edit distance if it is near enough to be a typing slip, else nothing.
std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates);

} // namespace plait
