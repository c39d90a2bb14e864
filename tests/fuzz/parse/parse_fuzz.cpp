// Any bytes are parsed; what parses must format to text that parses to the same tree. Built as a program of
// its own it mutates the example programs:
//
//   g++ -std=c++20 -O1 -g -fsanitize=address,undefined -I. tests/fuzz/parse/parse_fuzz.cpp grammar/*.cpp
//     grammar/rules/*.cpp grammar/format/*.cpp -lfmt -o parse_fuzz
//   ./parse_fuzz ROUNDS SEED tests/support/programs/*.ppl
//
// and with -DPLAIT_LIBFUZZER and clang++ -fsanitize=fuzzer,address as a libFuzzer target, with plait.dict.

#include "grammar/ast_print.hpp"
#include "grammar/format/format.hpp"
#include "grammar/parse.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <vector>

namespace {

void require(bool holds, const char* what, const std::string& text) {
  if (holds)
    return;
  std::cerr << what << "\n" << text << "\n";
  std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plait;
  Source source{"fuzz.ppl", std::string(size, '\0')};
  if (size > 0)
    std::memcpy(source.text.data(), data, size);
  Diagnostics diagnostics;
  ast::Program program = parse(source, diagnostics);
  std::string rendered = render(source, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics)
    require(diagnostic.span && diagnostic.span->end <= size, "a diagnostic outside the file", rendered);
  if (diagnostics.has_errors())
    return 0;
  std::string once = format(program, source);
  Source again{"again.ppl", once};
  Diagnostics none;
  ast::Program second = parse(again, none);
  require(none.empty(), "the formatted text does not parse", once + render(again, none));
  require(equal(program, second), "the formatted text means something else", once);
  require(format(second, again) == once, "formatting twice changes the text", once);
  require(!print(program).empty(), "nothing printed", once);
  return 0;
}

#ifndef PLAIT_LIBFUZZER

int main(int count, char** values) {
  if (count < 4) {
    std::cerr << "usage: parse_fuzz ROUNDS SEED FILE...\n";
    return 2;
  }
  std::vector<std::string> corpus;
  for (int i = 3; i < count; ++i) {
    std::ifstream file(values[i], std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  std::mt19937_64 random(std::strtoull(values[2], nullptr, 10));
  auto below = [&](std::size_t bound) { return bound == 0 ? 0 : static_cast<std::size_t>(random() % bound); };
  // A stretch of some file, cut where a token may end.
  auto stretch = [&] {
    const std::string& text = corpus[below(corpus.size())];
    std::size_t begin = below(text.size());
    begin = std::min(text.size(), text.find_first_of(" \n;,()[]{}", begin));
    std::size_t end = std::min(text.size(), text.find_first_of(" \n;,()[]{}", begin + 1 + below(30)));
    return text.substr(begin, end - begin);
  };
  for (std::uint64_t round = std::strtoull(values[1], nullptr, 10); round > 0; --round) {
    std::string text = corpus[below(corpus.size())];
    for (std::size_t edits = 1 + below(5); edits > 0; --edits) {
      std::size_t at = below(text.size());
      switch (below(5)) {
      case 0:
        text.erase(at, 1 + below(20));
        break;
      case 1:
        text.insert(at, 1, static_cast<char>(random()));
        break;
      case 2:
        text.insert(at, "#");
        break;
      default:
        text.insert(std::min(text.size(), text.find_first_of(" \n;,()[]{}", at)), stretch());
      }
    }
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  }
  return 0;
}

#endif
