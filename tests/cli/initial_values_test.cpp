// Start values given with --init: every support, plates, loops and ragged rows, families and written guides.
#include "tests/support/process.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

using namespace plait::test;
using nlohmann::json;

namespace {

/** A fit whose one step moves nothing. */
Outcome still_fit(const fs::path& folder, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"fit", "m.ppl", "--out", "a.run", "--steps", "1", "--lr", "1e-12"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_plait(arguments, folder);
}

/** The means of a name, by index as the summary writes it. */
std::map<std::vector<int>, double> means(const fs::path& folder, const std::string& name) {
  std::map<std::vector<int>, double> result;
  const json summary = json::parse(read_file(folder / "a.run/summary.json"));
  for (const json& row : summary["latents"])
    if (row["name"] == name)
      result[row["index"].get<std::vector<int>>()] = row["mean"];
  return result;
}

/** The numbers of nested lists, by index. */
void flatten(const json& value, std::vector<int> index, std::map<std::vector<int>, double>& into) {
  if (value.is_number()) {
    into[index] = value;
    return;
  }
  index.push_back(0);
  for (const json& part : value) {
    flatten(part, index, into);
    ++index.back();
  }
}

void check_means(const fs::path& folder, const json& expected) {
  for (const auto& [name, value] : expected.items()) {
    std::map<std::vector<int>, double> numbers;
    flatten(value, {}, numbers);
    const auto found = means(folder, name);
    INFO(name);
    REQUIRE(found.size() == numbers.size());
    for (const auto& [index, number] : numbers) {
      REQUIRE(found.contains(index));
      CHECK(found.at(index) == Approx(number).margin(1e-7));
    }
  }
}

const std::string latents = R"(const K = 2;
data seq : ragged real[N, T];
model {
  mu ~ normal(0, 10);
  s ~ gamma(2, 1);
  p ~ beta(2, 2);
  u ~ uniform(2, 5);
  w ~ dirichlet([1, 2, 3]);
  L ~ lkj_corr_cholesky(2, 3);
  v ~ normal(0, 1)[3];
  o ~ ordered(normal(0, 1)[3]);
  iarange k in K { loc ~ normal(0, 1)[2]; }
  iarange i in N {
    z ~ exp(normal(0, 1));
    iarange k in K { c ~ normal(mu, 1); }
    for t in 0..T[i] { h[t] ~ normal(z, 1); seq[i, t] ~ normal(h[t], s); }
  }
}
)";
const std::string ragged_data = R"({"seq": [[1], [1, 2], [1, 2, 3]]})";
const json latent_starts = json::parse(R"({
  "mu": 0.5, "s": 2.5, "p": 0.25, "u": 3, "w": [0.2, 0.3, 0.5], "L": [[1, 0, 0], [0.6, 0.8, 0], [0, 0.6, 0.8]],
  "v": [1, 2, 3], "o": [-1, 0, 2], "loc": [[1, 2], [3, 4]], "z": [0.5, 1.5, 2.5],
  "c": [[1, 2], [3, 4], [5, 6]], "h": [[1], [2, 3], [4, 5, 6]]
})");

} // namespace

TEST_CASE("latents of every support, in plates, loops and ragged rows, start where they are told") {
  // c is in plate K inside plate N, while the program names K first: its array is [N, K] all the same.
  const auto [family, ragged] = GENERATE(table<std::string, bool>({{"normal, scale = 1e-9", true},
                                                                   {"structured, scale = 1e-9", true},
                                                                   {"delta", true},
                                                                   {"full_rank, scale = 1e-9", false},
                                                                   {"low_rank, scale = 1e-9", false},
                                                                   {"iaf, scale = 1e-9", false},
                                                                   {"coupling, scale = 1e-9", false}}));
  INFO(family);
  const TemporaryFolder work;
  std::string text = latents + "guide auto(" + family + ");\n";
  json starts = latent_starts;
  json data = json::parse(ragged_data);
  if (!ragged) {
    // Joint families want to know every size: three times for each row.
    for (const auto& [before, after] :
         {std::pair<std::string, std::string>("ragged real[N, T]", "real[N, 3]"),
          std::pair<std::string, std::string>("0..T[i]", "0..3")})
      text.replace(text.find(before), before.size(), after);
    data["seq"] = starts["h"] = json::parse("[[1, 2, 3], [4, 5, 6], [7, 8, 9]]");
  }
  write_file(work.path() / "m.ppl", text);
  write_file(work.path() / "d.json", data.dump());
  write_file(work.path() / "init.json", starts.dump());
  const Outcome outcome = still_fit(work.path(), {"--data", "d.json", "--init", "init.json"});
  INFO(outcome.error);
  REQUIRE(outcome.code == 0);
  check_means(work.path(), starts);
}

TEST_CASE("a number starts every element, a padded array the ragged ones, and the rest is drawn") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl", latents + "guide auto(delta, radius = 0);\n");
  write_file(work.path() / "d.json", ragged_data);
  write_file(work.path() / "h.json", R"([[1, NaN, NaN], [2, 3, NaN], [4, 5, 6]])");
  write_file(work.path() / "z.csv", "other,z\n7,0.25\n7,0.5\n7,2\n");
  write_file(work.path() / "both.json", R"({"mu": 1, "s": 4})");
  const Outcome outcome =
      still_fit(work.path(), {"--data", "d.json", "--init", "c=-1.5", "--init", "h=h.json", "--init",
                              "z=z.csv", "--init", "mu=3", "--init", "both.json"});
  INFO(outcome.error);
  REQUIRE(outcome.code == 0);
  // mu=3 goes before the file of several names; what is not given starts at 0, unconstrained.
  check_means(work.path(),
              json::parse(R"({"c": [[-1.5, -1.5], [-1.5, -1.5], [-1.5, -1.5]], "z": [0.25, 0.5, 2],
    "h": [[1], [2, 3], [4, 5, 6]], "mu": 3, "s": 4, "p": 0.5, "u": 3.5, "v": [0, 0, 0]})"));
}

TEST_CASE("the points of auto(laplace) start where they are told") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl", "model { a ~ normal(0, 1); b ~ normal(a, 1); }\nguide auto(laplace);\n");
  const Outcome outcome = still_fit(work.path(), {"--init", "a=2", "--init", "b=-1"});
  INFO(outcome.error);
  REQUIRE(outcome.code == 0);
  // log N(2; 0, 1) + log N(-1; 2, 1)
  CHECK(json::parse(read_file(work.path() / "a.run/summary.json"))["elbo"].get<double>() ==
        Approx(-1.8378770664093453 - 0.5 * 4 - 0.5 * 9).epsilon(1e-9));
}

TEST_CASE("declared parameters start where they are told, whatever the program says") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl",
             "data y : real[N];\n"
             "param q : simplex[3];\n"
             "model { a ~ normal(0, 1); iarange i in N subsample 2 { z ~ normal(a, 1); "
             "y[i] ~ normal(z + q[0], 1); } }\n"
             "guide { param m : real = 7; param s : positive = 7; a ~ normal(m, s);\n"
             "  iarange i in N { param l : real = 7; param r : real[2]; "
             "z ~ normal(l, exp(r[0] + r[1])); } }\n");
  write_file(work.path() / "d.json", R"({"y": [1, 2, 4]})");
  write_file(work.path() / "init.json",
             R"({"l": [1, 2, 3], "r": [[1, 2], [3, 4], [5, 6]], "q": [0.5, 0.3, 0.2]})");
  const Outcome outcome =
      still_fit(work.path(), {"--data", "d.json", "--init", "m=-2", "--init", "init.json", "--starts", "3"});
  INFO(outcome.error);
  REQUIRE(outcome.code == 0);
  check_means(work.path(), json::parse(R"({"m": -2, "s": 7, "q": [0.5, 0.3, 0.2]})"));
  const std::string text = read_file(work.path() / "a.run/params.safetensors");
  CHECK(text.find("\"l\"") != std::string::npos);
  // Numbers of the f64 arrays l and r, as the file holds them.
  const auto bytes = [](const std::vector<double>& numbers) {
    return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double));
  };
  const auto near = [&](const std::vector<double>& expected) {
    for (std::size_t at = 0; at + bytes(expected).size() <= text.size(); ++at) {
      std::vector<double> found(expected.size());
      std::copy_n(text.data() + at, bytes(expected).size(), reinterpret_cast<char*>(found.data()));
      bool equal = true;
      for (std::size_t k = 0; k < expected.size(); ++k)
        equal = equal && std::abs(found[k] - expected[k]) < 1e-9;
      if (equal)
        return true;
    }
    return false;
  };
  CHECK(near({1, 2, 3}));
  CHECK(near({1, 2, 3, 4, 5, 6}));
}

TEST_CASE("a run goes on without the files of its start") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl", "model { a ~ normal(0, 1); }\nguide auto(normal);\n");
  write_file(work.path() / "init.json", R"({"a": 2})");
  REQUIRE(still_fit(work.path(), {"--init", "init.json", "--init", "a=3"}).code == 0);
  const json manifest = json::parse(read_file(work.path() / "a.run/manifest.json"));
  CHECK(manifest["options"]["init.000"] == "init.json");
  CHECK(manifest["options"]["init.001"] == "a=3");
  CHECK(manifest["start"]["file init.json"].get<std::string>().starts_with("xxh64:"));
  fs::remove(work.path() / "init.json");
  CHECK(run_plait({"sample", "a.run", "-n", "2"}, work.path()).code == 0);
  const Outcome other =
      run_plait({"fit", "m.ppl", "--out", "a.run", "--resume", "--steps", "9", "--init", "a=4"}, work.path());
  CHECK(other.code == 2);
  CHECK(other.error.find("--init is a=4 now, but was init.json a=3") != std::string::npos);
  const Outcome on = run_plait({"fit", "m.ppl", "--out", "a.run", "--resume", "--steps", "9"}, work.path());
  INFO(on.error);
  CHECK(on.code == 0);
}

TEST_CASE("what cannot be given a start is told with its file, place and value") {
  struct Case {
    std::vector<std::string> init;
    int code;
    std::string message;
  };
  const TemporaryFolder work;
  const auto check = [&](const Case& row) {
    std::vector<std::string> arguments{"--data", "d.json"};
    for (const std::string& init : row.init)
      arguments.insert(arguments.end(), {"--init", init});
    const Outcome outcome = still_fit(work.path(), arguments);
    INFO(row.message << "\n" << outcome.error);
    CHECK(outcome.code == row.code);
    CHECK(outcome.error.find(row.message) != std::string::npos);
  };
  write_file(work.path() / "d.json", ragged_data);
  write_file(work.path() / "m.ppl", latents + "guide auto(normal);\n");
  write_file(work.path() / "names.json", "{\"mu\": 1,\n \"pp\": 0.5}");
  write_file(work.path() / "z.json", "{\"z\": [1,\n 2,\n -3]}");
  write_file(work.path() / "w.json", R"({"w": [0.5, 0.1, 0.1]})");
  write_file(work.path() / "loc.json", "[[1, 2, 3], [1, 2, 3]]");
  write_file(work.path() / "h.json", "[[1], [2], [3, 4, 5]]");
  write_file(work.path() / "text.json", R"({"mu": "five"})");
  check(
      {{"names.json"}, 2, "names.json: error: there is no parameter or latent named pp to be given a start"});
  check({{"muu=1"}, 2, "--init muu=1: error: there is no parameter or latent named muu"});
  check({{"muu=1"}, 2, "did you mean mu? what can be given one: L, c, h, loc, mu,"});
  check({{"seq=1"}, 2, "seq is observed: data have no start"});
  check({{"s=-1"}, 3, "--init s=-1: error: s cannot start here: -1 is not inside positive"});
  check({{"u=7"}, 3, "--init u=7: error: u cannot start here: 7 is not inside real<lower=2, upper=5>"});
  check({{"z.json"}, 3, "z.json:3: error: z[2] cannot start here: -3 is not inside positive"});
  check({{"w.json"}, 3, "w.json:1: error: w cannot start here: the entries sum to 0.7"});
  check({{"loc=loc.json"},
         3,
         "loc.json: error: the start of loc has shape [2, 3], but has to be a number or an array of shape "
         "[2, 2]"});
  check({{"h=h.json"},
         3,
         "h.json: error: the start of h has 1 elements in row 1, but has to be a number or an"});
  check({{"text.json"}, 3, "text.json:1: error: mu"});
  check({{"mu=gone.json"}, 3, "gone.json"});
  check({{"mu=half"}, 2, "error: --init mu=half: cannot tell what kind of file this is"});
  check({{"mu=1", "mu=2"}, 2, "--init mu=2: mu is given twice"});

  write_file(work.path() / "m.ppl",
             "data seq : ragged real[N, T];\nmodel { mu ~ normal(0, 1); k ~ poisson(2); iarange "
             "i in N { for t in 0..T[i] { seq[i, t] ~ normal(mu + k, 1); } } }\n"
             "guide { param m : real; mu ~ normal(m, 1); k ~ poisson(3); }\n");
  check({{"mu=1"}, 2, "mu is drawn by the guide as written: it starts where the guide's parameters do"});
  check({{"mu=1"}, 2, "hint: what can be given one: m\n"});
  check({{"k=1"}, 2, "k is discrete"});
  write_file(work.path() / "m.ppl",
             "data x : real[N];\nmodel { mu ~ normal(0, 1); iarange i in N { z ~ normal(mu, 1); "
             "x[i] ~ normal(z, 1); } }\nguide auto(amortized);\n");
  write_file(work.path() / "d.json", R"({"x": [1, 2]})");
  check({{"z=1"},
         2,
         "auto(amortized) makes z from the data of its element, by a net: it has no start of its own"});
  CHECK(still_fit(work.path(), {"--data", "d.json", "--init", "mu=1"}).code == 0);
}
