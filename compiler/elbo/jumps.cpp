#include "compiler/elbo/jumps.hpp"

#include "compiler/elbo/dependence.hpp"

#include <fmt/format.h>

#include <set>

namespace plait::elbo {

void warn_of_jumps(const std::vector<Jump>& jumps, const std::map<std::string, ir::NodeId>& draws,
                   const ir::Graph& graph, Diagnostics& diagnostics) {
  if (jumps.empty())
    return;
  std::set<std::size_t> reported;
  for (const auto& [site, draw] : draws) {
    const Dependence dependence(graph, draw);
    for (const Jump& jump : jumps)
      if (dependence.reaches(jump.value) && reported.insert(jump.span.begin).second)
        diagnostics
            .warning(
                "jump", jump.span,
                fmt::format("`{}` is drawn pathwise: its gradient does not see a jump of the density here",
                            site))
            .with_hint(
                fmt::format("where the density jumps and does not only bend, write `{} ~ … using score` "
                            "in the guide",
                            site));
  }
}

} // namespace plait::elbo
