#include "compiler/plates/plate_tree.hpp"

#include "compiler/program/describe.hpp"

#include <algorithm>

namespace plait::plates {

namespace {

using program::Block;
using program::Program;

void collect(const Program& program, const Block& block, PlateNode& node) {
  for (const program::Statement& statement : block.statements) {
    if (auto* sample = program::get_if<program::Sample>(statement)) {
      node.sites.push_back(program.symbol(sample->symbol).name);
    } else if (auto* plate = program::get_if<program::PlateStatement>(statement)) {
      auto known = std::find_if(node.children.begin(), node.children.end(),
                                [&](const PlateNode& child) { return child.plate == plate->plate; });
      if (known == node.children.end()) {
        node.children.push_back({plate->plate, statement.span, {}, {}});
        known = node.children.end() - 1;
      }
      collect(program, plate->body, *known);
    } else if (auto* loop = program::get_if<program::ForStatement>(statement)) {
      collect(program, loop->body, node);
    } else if (auto* branch = program::get_if<program::IfStatement>(statement)) {
      collect(program, branch->then_body, node);
      collect(program, branch->else_body, node);
    }
  }
}

void print(const Program& program, const PlateNode& node, std::size_t depth, std::string& text) {
  std::string line(2 * depth, ' ');
  if (node.plate < 0) {
    line += "outside plates";
  } else {
    const program::Plate& plate = program.plate(node.plate);
    line += (plate.sequential ? "irange " : "iarange ") + plate.index_name + " in " +
            program::to_string(plate.size);
    if (plate.alias)
      line += " as " + *plate.alias;
    if (plate.subsampled())
      line += " subsample " + program::describe(program, plate.subsample);
  }
  std::string sites;
  for (const std::string& site : node.sites)
    sites += (sites.empty() ? ": " : ", ") + site;
  text += line + sites + "\n";
  for (const PlateNode& child : node.children)
    print(program, child, depth + 1, text);
}

} // namespace

PlateNode find_plate_tree(const Program& program, const Block& block) {
  PlateNode root;
  root.span = block.span;
  collect(program, block, root);
  return root;
}

std::string print_plate_tree(const Program& program, const PlateNode& root) {
  std::string text;
  print(program, root, 0, text);
  return text;
}

} // namespace plait::plates
