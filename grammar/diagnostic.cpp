#include "grammar/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>

namespace plait {

Diagnostic& Diagnostic::note(std::string text) {
  notes.push_back({std::nullopt, std::move(text)});
  return *this;
}

Diagnostic& Diagnostic::note(Span place, std::string text) {
  notes.push_back({place, std::move(text)});
  return *this;
}

Diagnostic& Diagnostic::with_hint(std::string text) {
  hint = std::move(text);
  return *this;
}

Diagnostic& Diagnostics::error(std::string code, Span span, std::string message) {
  return add({Severity::error, std::move(code), span, std::move(message), {}, {}});
}

Diagnostic& Diagnostics::warning(std::string code, Span span, std::string message) {
  return add({Severity::warning, std::move(code), span, std::move(message), {}, {}});
}

Diagnostic& Diagnostics::add(Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::error)
    ++error_count_;
  entries_.push_back(std::move(diagnostic));
  return entries_.back();
}

void Diagnostics::sort_by_place() {
  std::stable_sort(entries_.begin(), entries_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return a.span.value_or(Span{}).begin < b.span.value_or(Span{}).begin;
  });
}

namespace {

// A terminal must survive any file: control bytes and broken UTF-8 are shown as '?', a tab as one space, so
// that one code point takes one column and the underline stays below its text.
std::string printable(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    auto lead = static_cast<unsigned char>(text[i]);
    std::size_t length = lead < 0x80                   ? 1
                         : lead >= 0xF0 && lead < 0xF5 ? 4
                         : lead >= 0xE0                ? 3
                         : lead >= 0xC2                ? 2
                                                       : 0;
    bool whole = length > 0 && lead < 0xF5 && i + length <= text.size();
    for (std::size_t k = 1; whole && k < length; ++k)
      whole = (static_cast<unsigned char>(text[i + k]) & 0xC0) == 0x80;
    if (!whole) {
      if ((lead & 0xC0) != 0x80 || i == 0)
        result += '?';
      ++i;
      continue;
    }
    if (length == 1 && lead == '\t')
      result += ' ';
    else if (length == 1 && (lead < 0x20 || lead == 0x7F))
      result += '?';
    else
      result.append(text.substr(i, length));
    i += length;
  }
  return result;
}

constexpr std::size_t widest_excerpt = 160;

void render_place(std::string& out, const Source& source, std::optional<Span> span, std::string_view label,
                  const std::string& message) {
  if (!span) {
    fmt::format_to(std::back_inserter(out), "{}: {}: {}\n", source.name, label, message);
    return;
  }
  std::size_t begin = std::min(span->begin, source.text.size());
  Position from = source.position(begin);
  fmt::format_to(std::back_inserter(out), "{}:{}:{}: {}: {}\n", source.name, from.line, from.column, label,
                 message);

  std::string_view line = source.line(from.line);
  std::size_t line_start = begin;
  while (line_start > 0 && source.text[line_start - 1] != '\n')
    --line_start;
  std::size_t line_end = line_start + line.size();
  Position to = source.position(std::clamp(span->end, begin, std::max(begin, line_end)));

  // A long line is shown through a window around the place.
  std::size_t skipped = 0;
  if (line.size() > widest_excerpt) {
    std::size_t offset = begin - line_start;
    std::size_t start = offset > widest_excerpt / 2 ? offset - widest_excerpt / 2 : 0;
    while (start > 0 && start < line.size() && (static_cast<unsigned char>(line[start]) & 0xC0) == 0x80)
      --start;
    skipped = source.position(line_start + start).column - 1;
    line = line.substr(std::min(start, line.size()), widest_excerpt);
  }
  std::size_t column = from.column - 1 - skipped;
  std::size_t width = to.line == from.line && to.column > from.column ? to.column - from.column : 1;
  std::size_t shown = Source{{}, std::string(line)}.position(line.size()).column - 1;
  width = std::max<std::size_t>(1, std::min(width, shown > column ? shown - column : 1));
  fmt::format_to(std::back_inserter(out), "{:>5} | {}\n      | {}^{}\n", from.line, printable(line),
                 std::string(column, ' '), std::string(width - 1, '~'));
}

std::string_view label_of(Severity severity) {
  switch (severity) {
  case Severity::note:
    return "note";
  case Severity::warning:
    return "warning";
  case Severity::error:
    return "error";
  }
  return "error";
}

// Insertions, deletions, changes and swaps of neighbours, each at cost 1 (the restricted Damerau-Levenshtein
// distance).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

} // namespace

std::string render(const Source& source, const Diagnostic& diagnostic) {
  std::string out;
  render_place(out, source, diagnostic.span, label_of(diagnostic.severity), diagnostic.message);
  for (const Note& note : diagnostic.notes)
    render_place(out, source, note.span, "note", note.message);
  if (!diagnostic.hint.empty())
    fmt::format_to(std::back_inserter(out), "hint: {}\n", diagnostic.hint);
  return out;
}

std::string render(const Source& source, const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!out.empty())
      out += '\n';
    out += render(source, diagnostic);
  }
  return out;
}

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates) {
  if (name.size() > 64)
    return std::nullopt;
  std::size_t best = std::numeric_limits<std::size_t>::max();
  const std::string* choice = nullptr;
  for (const std::string& candidate : candidates) {
    std::size_t distance = edit_distance(name, candidate);
    if (distance < best) {
      best = distance;
      choice = &candidate;
    }
  }
  if (!choice || best > std::max<std::size_t>(1, std::min(name.size(), choice->size()) / 3))
    return std::nullopt;
  return *choice;
}

} // namespace plait
