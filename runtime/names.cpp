#include "runtime/names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace plait::runtime {

namespace {

// Levenshtein distance, letters compared without case: a wrong capital is the commonest slip of all.
std::size_t edit_distance(const std::string& left, const std::string& right) {
  auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  std::vector<std::size_t> row(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      std::size_t change = diagonal + (lower(left[i - 1]) != lower(right[j - 1]) ? 1 : 0);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

} // namespace

std::string nearest_name(const std::string& wanted, const std::vector<std::string>& candidates) {
  constexpr std::size_t longest = 64;
  if (wanted.size() > longest)
    return {};
  std::size_t best = wanted.size() / 3 + 1;
  std::string choice;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > longest)
      continue;
    std::size_t distance = edit_distance(wanted, candidate);
    // One slip in a one-letter name leaves nothing in common.
    if (distance < best || (distance == best && choice.empty() && distance < wanted.size())) {
      best = distance;
      choice = candidate;
    }
  }
  return choice;
}

std::string suggestion(const std::string& wanted, const std::vector<std::string>& candidates) {
  const std::string near = nearest_name(wanted, candidates);
  return near.empty() ? "" : fmt::format("did you mean {}? ", near);
}

std::string listed_names(const std::vector<std::string>& names, std::size_t most) {
  if (names.size() <= most)
    return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{}, and {} more",
                     fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(most), ", "),
                     names.size() - most);
}

} // namespace plait::runtime
