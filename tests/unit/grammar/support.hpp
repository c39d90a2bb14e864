#pragma once

#include "grammar/ast.hpp"
#include "grammar/diagnostic.hpp"
#include "grammar/parse.hpp"
#include "grammar/source.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace plait::test {

/// All diagnostics of a text, rendered; empty if it parses.
inline std::string errors_of(const std::string& text) {
  Source source{"m.ppl", text};
  Diagnostics diagnostics;
  parse(source, diagnostics);
  return render(source, diagnostics);
}

/// The messages alone, in order.
inline std::vector<std::string> messages_of(const std::string& text) {
  Source source{"m.ppl", text};
  Diagnostics diagnostics;
  parse(source, diagnostics);
  std::vector<std::string> result;
  for (const Diagnostic& diagnostic : diagnostics)
    result.push_back(diagnostic.message);
  return result;
}

inline std::vector<std::string> hints_of(const std::string& text) {
  Source source{"m.ppl", text};
  Diagnostics diagnostics;
  parse(source, diagnostics);
  std::vector<std::string> result;
  for (const Diagnostic& diagnostic : diagnostics)
    result.push_back(diagnostic.hint);
  return result;
}

inline ast::Program parsed(const std::string& text) {
  Source source{"m.ppl", text};
  Diagnostics diagnostics;
  ast::Program program = parse(source, diagnostics);
  if (diagnostics.has_errors())
    throw std::runtime_error(render(source, diagnostics));
  return program;
}

/// The statements of `model { text }`.
inline std::vector<ast::Statement> statements(const std::string& text) {
  ast::Program program = parsed("model {" + text + "\n}");
  return std::get<ast::Model>(program.items.at(0).node).body.statements;
}

/// The node of the only statement of `model { text }`.
template <class T>
T statement(const std::string& text) {
  std::vector<ast::Statement> list = statements(text);
  REQUIRE(list.size() == 1);
  return std::get<T>(list[0].node);
}

inline ast::ExprPtr expression(const std::string& text) {
  return statement<ast::Assign>("x = " + text + ";").value;
}

/// The type in `data x : text;`.
inline ast::Type type(const std::string& text) {
  return std::get<ast::Data>(parsed("data x : " + text + ";").items.at(0).node).type;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The programs under tests/support/programs, in order of name.
inline std::vector<std::filesystem::path> program_files() {
  std::vector<std::filesystem::path> result;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(PLAIT_SOURCE_DIR) + "/tests/support/programs"))
    if (entry.path().extension() == ".ppl")
      result.push_back(entry.path());
  std::sort(result.begin(), result.end());
  return result;
}

} // namespace plait::test
