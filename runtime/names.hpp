// Lists of names as messages give them: cut when long, and the one that was probably meant.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace plait::runtime {

/// The name in `candidates` that `wanted` is most likely a misspelling of; empty if none is near.
std::string nearest_name(const std::string& wanted, const std::vector<std::string>& candidates);

/// "did you mean NAME? ", the beginning of a hint; empty if no candidate is near.
std::string suggestion(const std::string& wanted, const std::vector<std::string>& candidates);

/// Comma-separated, cut after the first `most`.
std::string listed_names(const std::vector<std::string>& names, std::size_t most = 20);

} // namespace plait::runtime
