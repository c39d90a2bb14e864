#include "compiler/program/check.hpp"
#include "compiler/program/describe.hpp"
#include "compiler/program/print.hpp"
#include "grammar/parse.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

using namespace plait;
using program::CheckOptions;
using program::Program;

namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Checked {
  std::optional<Program> program;
  std::string report;
  Diagnostics diagnostics;
};

Checked check_text(const std::string& text, const CheckOptions& options = {}) {
  Source source{"test.ppl", text};
  Checked result;
  ast::Program file = parse(source, result.diagnostics);
  if (!result.diagnostics.has_errors())
    result.program = program::check(file, options, result.diagnostics);
  result.report = render(source, result.diagnostics);
  return result;
}

Program accept(const std::string& text, const CheckOptions& options = {}) {
  Checked checked = check_text(text, options);
  INFO(checked.report);
  REQUIRE(checked.program);
  return std::move(*checked.program);
}

const program::Symbol& find(const Program& program, const std::string& name) {
  for (const program::Symbol& symbol : program.symbols)
    if (symbol.name == name)
      return symbol;
  FAIL("no symbol " << name);
  return program.symbols.front();
}

std::string type_of(const Program& program, const std::string& name) {
  return to_string(find(program, name).type);
}

std::vector<std::string> codes(const Checked& checked) {
  std::vector<std::string> codes;
  for (const Diagnostic& entry : checked.diagnostics)
    codes.push_back(entry.code);
  return codes;
}

} // namespace

TEST_CASE("types of expressions follow from their parts") {
  Program program = accept(R"(
    const K = 3;
    data x : real[N, D];
    data flag : bit[N];
    data group : index<J>[N];
    param w : positive[D] = 1;
    param m : real[K, D] = 0;
    param p : real[J, 2] = 0;
    model {
      integer = 2 * 3 + 1;
      ratio = 1 / 2;
      power = 2 ^ 3;
      halved = 2 ^ -1;
      bits = flag == 1;
      a = m @ w;
      b = x[0, :] * 2 + 1;
      c = x[0];
      d = p[group];
      e = flag[0] + 1;
      f = flag[0] == 1 ? 1 : 0.5;
      g = [1, 2.5];
      h = concat(w, 1);
      i = w[0..2];
      j = size(x);
      k = softmax(w);
      l = counts(group, J);
      mu ~ normal(0, 1);
    }
  )");
  auto type = [&](const std::string& name) { return type_of(program, name); };
  CHECK(type("integer") == "int");
  CHECK(type("ratio") == "real");
  CHECK(type("power") == "int");
  CHECK(type("halved") == "real");
  CHECK(type("bits") == "bit[N]");
  CHECK(type("a") == "real[3]");
  CHECK(type("b") == "real[D]");
  CHECK(type("c") == "real[D]");
  CHECK(type("d") == "real[N, 2]");
  CHECK(type("e") == "int");
  CHECK(type("f") == "real");
  CHECK(type("g") == "real[2]");
  CHECK(type("h") == "real[D + 1]");
  CHECK(type("i") == "real[2]");
  CHECK(type("j") == "int");
  CHECK(type("k") == "real[D]");
  CHECK(type("l") == "real[J]");
}

TEST_CASE("constants are folded and can be replaced from outside") {
  const std::string text =
      "const K = 8; const H = 2 * K + 1; param w : real[H] = 0; model { mu ~ normal(0, 1)[K]; }";
  CHECK(type_of(accept(text), "w") == "real[17]");
  CHECK(type_of(accept(text, {{{"K", 3}}, {}}), "w") == "real[7]");
  CHECK(type_of(accept(text, {{{"K", 3}}, {}}), "mu") == "real[3]");
  Checked wrong = check_text(text, {{{"K", 2.5}}, {}});
  CHECK(codes(wrong) == std::vector<std::string>{"bad-set"});
  Checked unknown = check_text(text, {{{"KK", 2}}, {}});
  CHECK(codes(unknown) == std::vector<std::string>{"unknown-set"});
}

TEST_CASE("sizes of data stay names, with their values when data is bound") {
  const std::string text = "data x : real[N, D]; model { w ~ normal(0, 1)[D - 1]; }";
  Program free = accept(text);
  CHECK(type_of(free, "w") == "real[D - 1]");
  CHECK_FALSE(free.size_value(find(free, "w").type.dims[0]));
  Program bound = accept(text, {{}, {{"N", 10}, {"D", 4}}});
  CHECK(type_of(bound, "w") == "real[D - 1]");
  CHECK(bound.size_value(find(bound, "w").type.dims[0]) == 3);
  Checked both = check_text(text, {{{"D", 5}}, {{"D", 4}}});
  CHECK(codes(both) == std::vector<std::string>{"size-disagrees"});
}

TEST_CASE("a local is mine inside its plate and an array after it") {
  Program program = accept(R"(
    data county : index<J>[N];
    data y : real[N];
    model {
      iarange j in J { a ~ normal(0, 1)[2]; twice = 2 * a; }
      whole = twice;
      iarange i in N { picked = twice[county[i]]; y[i] ~ normal(picked[0], 1); }
    }
  )");
  CHECK(type_of(program, "a") == "real[2]");
  CHECK(type_of(program, "twice") == "real[2]");
  CHECK(type_of(program, "whole") == "real[J, 2]");
  CHECK(type_of(program, "picked") == "real[2]");
  const program::Symbol& picked = find(program, "picked");
  REQUIRE(picked.varies.size() == 1);
  CHECK(program.plate(picked.varies[0]).name == "N");
  CHECK(find(program, "whole").varies.empty());
  CHECK(find(program, "whole").random);
}

TEST_CASE("statements over one index set are one plate, whatever the order of nesting") {
  Program program = accept(R"(
    const A = 2;
    const B = 2;
    data y : real[U, M];
    model {
      iarange u in U { p ~ normal(0, 1); }
      iarange m in M { q ~ normal(0, 1); }
      iarange m in M { irange u in U { y[u, m] ~ normal(p + q, 1); } }
      iarange a in A { r ~ normal(0, 1); iarange b in B { s ~ normal(r, 1); } }
      iarange u in U as other { iarange v in U { t ~ normal(p, 1); } }
    }
  )");
  std::vector<std::string> names;
  for (const program::Plate& plate : program.plates)
    names.push_back(plate.name);
  CHECK(names == std::vector<std::string>{"U", "M", "A", "B", "other"});
  CHECK(program.plates[0].sequential);
  CHECK_FALSE(program.plates[1].sequential);
}

TEST_CASE("a subsample of every row may be repeated where the plate is opened again") {
  for (const std::string count : {"2", "5"}) {
    INFO(count);
    Program program =
        accept("const N = 2;\nmodel { iarange i in N subsample " + count +
               " { a ~ normal(0, 1); }\n  iarange i in N subsample " + count + " { b ~ normal(a, 1); } }");
    CHECK_FALSE(program.plates.at(0).subsampled());
  }
}

TEST_CASE("a loop carries what was set before it and fills what it indexes") {
  Program program = accept(R"(
    data x : ragged real[N, T];
    model {
      iarange n in N {
        total = 0;
        prev = 1;
        for t in 0..T[n] {
          step = total + x[n, t];
          total = step;
          prev = 2;
          z[t] ~ normal(total, 1);
          back = t == 0 ? 0 : z[t - 1];
          h[t] = z[t] + back;
        }
        last = h[0];
      }
      all = h;
    }
  )");
  CHECK(type_of(program, "total") == "real"); // starts as an int, widened by the loop
  CHECK(type_of(program, "prev") == "int");
  CHECK(type_of(program, "h") == "real");
  CHECK(type_of(program, "all") == "real[N, T]");
  const program::ForStatement* loop = nullptr;
  for_each_statement(program.model, [&](const program::Statement& statement) {
    if (auto* found = program::get_if<program::ForStatement>(statement))
      loop = found;
  });
  REQUIRE(loop);
  std::vector<std::string> carried;
  for (program::SymbolId id : loop->carried)
    carried.push_back(program.symbol(id).name);
  CHECK(carried == std::vector<std::string>{"total", "prev"});
  std::vector<std::string> filled;
  for (program::SymbolId id : loop->filled)
    filled.push_back(program.symbol(id).name);
  CHECK(filled == std::vector<std::string>{"z", "h"});
  CHECK(to_string(program.loop(loop->loop).extent) == "T[n]");
  CHECK(find(program, "total").varies == program::PlateSet{0});
}

TEST_CASE("the branches of an if merge what both set") {
  Program program = accept(R"(
    data c : bit[N];
    model {
      mu ~ normal(0, 1);
      iarange i in N {
        s = 0;
        if (c[i] == 1) { a = 1; s = mu; } else if (mu > 0) { a = 2.5; } else { a = 3; }
        b = a + s;
      }
    }
  )");
  CHECK(type_of(program, "a") == "real");
  CHECK(find(program, "a").random); // chosen by mu
  CHECK(find(program, "s").random);
  std::vector<bool> by_value;
  for_each_statement(program.model, [&](const program::Statement& statement) {
    if (auto* branch = program::get_if<program::IfStatement>(statement))
      by_value.push_back(branch->by_value);
  });
  CHECK(by_value == std::vector<bool>{false, true});
}

TEST_CASE("functions are typed for each call, nets share their weights between calls") {
  Program program = accept(R"(
    const Z = 2;
    data x : real[N, 5];
    fun squares(a : real[D]) -> real[D] { return a * a; }
    net f(a : real[D]) -> (real[Z], positive[Z]) { h = tanh(linear[4](a)); return (linear[Z](h), exp(linear[Z](h))); }
    model {
      a = squares([1, 2]);
      b = squares(x[0]);
      (c, d) = f(x[0]);
      (e, g) = f(squares(x[1]));
      mu ~ normal(0, 1);
    }
  )");
  CHECK(type_of(program, "b") == "real[5]");
  CHECK(type_of(program, "d") == "real[2]"); // what is positive is the net's promise, not the local's
  REQUIRE(program.layers.size() == 3);
  CHECK(program.layers[0].name == "f.linear_1");
  CHECK(program.layers[2].name == "f.linear_3");
  CHECK(to_string(program.layers[0].inputs[0]) == "[5]");
  CHECK(to_string(program.layers[0].result) == "[4]");
}

TEST_CASE("a layer over data of a size yet unknown keeps the size's name") {
  Program program = accept(R"(
    data x : real[N, D];
    net f(a : real[D]) -> real[D] { return linear[D](linear[3](a)); }
    model { iarange i in N { x[i] ~ normal(f(x[i]), 1); } }
  )");
  REQUIRE(program.layers.size() == 2);
  CHECK(to_string(program.layers[0].inputs[0]) == "[D]");
  CHECK(to_string(program.layers[1].result) == "[D]");
}

TEST_CASE("a categorical latent is an index into its categories") {
  Program program = accept(R"(
    data w : ragged index<V>[D, W];
    const K = 4;
    model {
      iarange k in K { topic ~ dirichlet(fill(0.1, V)); }
      iarange d in D {
        theta ~ dirichlet(fill(0.1, K));
        iarange n in W[d] { z ~ categorical(theta) using enumerate; w[d, n] ~ categorical(topic[z]); }
      }
    }
  )");
  CHECK(type_of(program, "z") == "index<4>");
  CHECK(type_of(program, "topic") == "simplex[V]");
}

TEST_CASE("supports with constant ends are known") {
  Program program =
      accept("param a : real<lower=1, upper=3> = 2; model { u ~ uniform(0, 2); v ~ uniform(a, 4); }");
  CHECK(find(program, "u").type.support.upper == 2);
  CHECK_FALSE(find(program, "v").type.support.lower);
  CHECK(type_of(program, "a") == "real<lower=1, upper=3>");
}

TEST_CASE("the worked examples check") {
  const std::filesystem::path root = PLAIT_SOURCE_DIR;
  for (const std::string name : {"coin", "dmm", "eight_schools", "lda", "logistic", "radon", "vae"}) {
    INFO(name);
    Program program = accept(read(root / "tests/support/programs" / (name + ".ppl")));
    CHECK_FALSE(program::print(program).empty());
  }
}

TEST_CASE("a typed program prints with every type") {
  Program program = accept(R"(
    data y : real[N];
    fun shift(a : real) -> real { return a + 1; }
    model {
      mu ~ normal(0, 1);
      iarange i in N subsample 10 {
        m = shift(mu);
        y[i] ~ normal(m, 2);
      }
    }
    guide { param loc : real = 0; mu ~ normal(loc, 1); }
  )");
  CHECK(program::print(program) == R"(size N
data y : real[N]
param loc : real = 0
plate N : N subsample 10
fun shift(a : real) -> real {
  return a + 1
}
model {
  mu : real ~ normal(0, 1)
  iarange i in N {
    m : real = shift(mu)
    y[i] : real ~ normal(m, 2)
  }
}
guide {
  param loc
  mu : real ~ normal(loc, 1)
}
)");
}

// Nothing a user can write may crash the checker. Programs are mutated token by token, so that many still
// parse.
TEST_CASE("sums, products and extremes of ints are ints, so that they can count trials") {
  const Program program =
      accept("data y : int[N, K]; data x : real[K];\n"
             "model { a ~ gamma(1, 1)[K]; s = sum(y); p = prod(y); u = max(y); l = min(y);\n"
             "  m = mean(y); r = sum(x);\n"
             "  iarange i in N { y[i] ~ dirichlet_multinomial(sum(y[i]), a); } }\n");
  for (const std::string name : {"s", "p", "u", "l"})
    CHECK(type_of(program, name) == "int");
  CHECK(type_of(program, "m") == "real");
  CHECK(type_of(program, "r") == "real");
}

TEST_CASE("mutated programs are accepted or refused, never more") {
  const std::filesystem::path root = PLAIT_SOURCE_DIR;
  std::vector<std::filesystem::path> paths;
  for (const char* folder : {"tests/support/programs", "tests/errors"})
    for (const auto& entry : std::filesystem::directory_iterator(root / folder))
      if (entry.path().extension() == ".ppl")
        paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> texts;
  for (const std::filesystem::path& path : paths)
    texts.push_back(read(path));
  std::vector<std::vector<std::string>> tokens;
  std::vector<std::string> pool;
  for (const std::string& text : texts) {
    std::vector<std::string> own;
    for (std::size_t i = 0; i < text.size();) {
      std::size_t end = i + 1;
      if (text[i] == '#')
        end = std::min(text.find('\n', i), text.size());
      else if (std::isalnum(static_cast<unsigned char>(text[i])) || text[i] == '_')
        while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_'))
          ++end;
      own.push_back(text.substr(i, end - i));
      i = end;
    }
    for (const std::string& token : own)
      if (token[0] != '#' && !std::isspace(static_cast<unsigned char>(token[0])))
        pool.push_back(token);
    tokens.push_back(std::move(own));
  }
  std::mt19937 random(7);
  auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  int parsed = 0;
  for (int round = 0; round < 4000; ++round) {
    std::vector<std::string> mutated = tokens[below(tokens.size())];
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
      std::size_t at = below(mutated.size());
      switch (below(4)) {
      case 0:
        mutated.erase(mutated.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 1:
        std::swap(mutated[at], mutated[below(mutated.size())]);
        break;
      default:
        mutated[at] = pool[below(pool.size())];
      }
      if (mutated.empty())
        mutated.push_back("model");
    }
    std::string text;
    for (const std::string& token : mutated)
      text += token;
    Source source{"fuzz.ppl", text};
    Diagnostics diagnostics;
    ast::Program file = parse(source, diagnostics);
    if (diagnostics.has_errors())
      continue;
    ++parsed;
    INFO(text);
    std::optional<Program> program = program::check(file, {}, diagnostics);
    CHECK(program.has_value() != diagnostics.has_errors());
    for (const Diagnostic& entry : diagnostics)
      CHECK(entry.code != "internal");
    if (program)
      program::print(*program);
  }
  CHECK(parsed > 200);
}
