#include "compiler/guide/pairing_print.hpp"
#include "compiler/plates/plate_tree.hpp"
#include "compiler/program/check.hpp"
#include "grammar/parse.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace plait;

namespace {

struct Understood {
  program::Program program;
  guide::Pairing pairing;
};

Understood understand(const std::string& text) {
  Source source{"test.ppl", text};
  Diagnostics diagnostics;
  ast::Program file = parse(source, diagnostics);
  std::optional<program::Program> program;
  if (!diagnostics.has_errors())
    program = program::check(file, {}, diagnostics);
  std::optional<guide::Pairing> pairing;
  if (program)
    pairing = guide::pair(*program, diagnostics);
  INFO(render(source, diagnostics));
  REQUIRE(pairing);
  return {std::move(*program), std::move(*pairing)};
}

std::string table(const Understood& understood) {
  return "\n" + print_sites(understood.program, understood.pairing);
}

std::string tree(const Understood& understood) {
  const program::Program& program = understood.program;
  return "\n" + print_plate_tree(program, plates::find_plate_tree(program, program.model));
}

std::vector<std::string> influences_on(const program::Program& program, const std::string& name) {
  auto sites = plates::find_sites(program, program.model, program::BlockKind::model);
  auto influences = plates::find_influences(program, program.model, sites);
  for (std::size_t i = 0; i < sites.size(); ++i)
    if (sites[i].name == name)
      return influences[i];
  return {"no such site"};
}

} // namespace

TEST_CASE("a chain of discrete states is summed out") {
  Understood understood = understand(R"(
data y : ragged real[N, T];
const K = 3;
model {
  iarange k in K { trans ~ dirichlet(fill(1, K)); mu ~ normal(0, 10); }
  iarange n in N subsample 10 {
    prev = 0;
    for t in 0..T[n] {
      x[t] ~ categorical(trans[prev]) using enumerate;
      y[n, t] ~ normal(mu[x[t]], 1);
      prev = x[t];
    }
  }
}
)");
  CHECK(table(understood) == R"(
site   plates  scale  shape   support   model        guide         estimator
trans  K       1      [3]     simplex   dirichlet    auto(normal)  pathwise
mu     K       1      scalar  real      normal       auto(normal)  pathwise
x      N       N/10   [T[n]]  index<3>  categorical  summed out    enumerate
y      N       N/10   [T[n]]  real      normal       observed      -
)");
}

TEST_CASE("a label is observed in some rows and latent in the others") {
  Understood understood = understand(R"(
data image : bit[N, 784];
data label : index<10>[N];
data labelled : bit[N];
const Z = 50;
net decode(k : index<10>, z : real[Z]) -> real[784] { return linear[784](softplus(linear[400](concat(one_hot(k, 10), z)))); }
net classify(x : real[784]) -> simplex[10] { return softmax(linear[10](softplus(linear[400](x)))); }
net encode(k : index<10>, x : real[784]) -> (real[Z], positive[Z]) {
  h = softplus(linear[400](concat(one_hot(k, 10), x)));
  return (linear[Z](h), exp(linear[Z](h)));
}
model {
  iarange i in N subsample 200 {
    if (labelled[i] == 1) { label[i] ~ categorical(fill(0.1, 10)); k = label[i]; }
    else { c ~ categorical(fill(0.1, 10)); k = c; }
    z ~ normal(0, 1)[Z];
    image[i] ~ bernoulli_logit(decode(k, z));
  }
}
guide {
  iarange i in N {
    if (labelled[i] == 1) { k = label[i]; }
    else { c ~ categorical(classify(image[i])) using enumerate; k = c; }
    (loc, scale) = encode(k, image[i]);
    z ~ normal(loc, scale);
  }
}
)");
  CHECK(table(understood) == R"(
site   plates  scale  shape   support    model            guide        estimator  when
label  N       N/200  scalar  index<10>  categorical      observed     -          labelled[i] == 1
c      N       N/200  scalar  index<10>  categorical      categorical  enumerate  !(labelled[i] == 1)
z      N       N/200  [50]    real       normal           normal       pathwise   always
image  N       N/200  [784]   bit        bernoulli_logit  observed     -          always
)");
}

TEST_CASE("crossed plates, a subsample of each, and a score function with its baseline") {
  Understood understood = understand(R"(
data x : real[N, D];
const K = 4;
data resp : bit[M];
data user : index<U>[M];
data item : index<I>[M];
param v : real = 0;
fun base(x : real[D]) -> real { return sum(x); }
model {
  w ~ gamma(0.1, 0.3)[K, D];
  iarange u in U { theta ~ normal(0, 1); }
  iarange j in I { a ~ lognormal(0, 1); b ~ normal(0, 1); }
  iarange m in M subsample 64 { resp[m] ~ bernoulli_logit(a[item[m]] * (theta[user[m]] - b[item[m]])); }
  iarange i in N subsample 32 {
    z ~ gamma(0.1, 0.3)[K];
    h ~ bernoulli(0.5)[K];
    x[i] ~ normal(z @ w + sum(h), 1);
  }
}
guide {
  param wl : real[K, D] = 0;
  w ~ lognormal(wl, 1);
  iarange u in U { param tl : real = 0; theta ~ normal(tl, 1); }
  iarange j in I { param al : real = 0; a ~ lognormal(al, 1); b ~ normal(al, 1); }
  iarange i in N {
    param zl : positive[K] = 1;
    z ~ gamma(zl, 1);
    h ~ bernoulli_logit(zl) using score(baseline = base(x[i]), decay = 0.9);
  }
}
predict {
  iarange j in I { difficulty = -b / a; }
  iarange i in N { fresh ~ normal(z @ w, 1); }
}
)");
  CHECK(table(understood) == R"(
site   plates  scale  shape   support   model            guide            estimator
w      -       1      [4, D]  positive  gamma            lognormal        pathwise
theta  U       1      scalar  real      normal           normal           pathwise
a      I       1      scalar  positive  lognormal        lognormal        pathwise
b      I       1      scalar  real      normal           normal           pathwise
resp   M       M/64   scalar  bit       bernoulli_logit  observed         -
z      N       N/32   [4]     positive  gamma            gamma            pathwise, implicit
h      N       N/32   [4]     bit       bernoulli        bernoulli_logit  score, baseline expression
x      N       N/32   [D]     real      normal           observed         -
)");
}

TEST_CASE("scales of nested subsamples multiply, and irange is a plate like iarange") {
  Understood understood = understand(R"(
data y : real[A, B];
data g : bit[A];
model {
  mu ~ normal(0, 1);
  irange a in A as outer subsample 2 {
    if (g[a] == 1) { m = mu; } else { m = 0; }
    iarange b in B subsample 3 { z ~ normal(m, 1); y[a, b] ~ normal(z, 1); }
  }
}
guide {
  mu ~ normal(0, 1);
  iarange a in A as outer { iarange b in B { param q : real; z ~ normal(q, 1); } }
}
)");
  CHECK(table(understood) == R"(
site  plates     scale      shape   support  model   guide     estimator
mu    -          1          scalar  real     normal  normal    pathwise
z     outer > B  A/2 * B/3  scalar  real     normal  normal    pathwise
y     outer > B  A/2 * B/3  scalar  real     normal  observed  -
)");
  CHECK(tree(understood) == R"(
outside plates: mu
  irange a in A as outer subsample 2
    iarange b in B subsample 3: z, y
)");
}

TEST_CASE("the chosen estimator is written where the draw is made") {
  Understood understood = understand(R"(
    data y : real[N];
    model { iarange i in N { k ~ bernoulli(0.5); z ~ normal(0, 1); y[i] ~ normal(k + z, 1); } }
    guide { iarange i in N { k ~ bernoulli(0.5); z ~ normal(0, 1); } }
  )");
  std::vector<program::Strategy> strategies;
  auto collect = [&](const program::Statement& statement) {
    if (auto* sample = program::get_if<program::Sample>(statement); sample && !sample->observed)
      strategies.push_back(sample->strategy.strategy);
  };
  program::for_each_statement(*understood.program.guide, collect);
  CHECK(strategies == std::vector{program::Strategy::score, program::Strategy::pathwise});
  strategies.clear();
  program::for_each_statement(understood.program.model, collect);
  CHECK(strategies == std::vector{program::Strategy::automatic, program::Strategy::automatic});
}

TEST_CASE("an automatic guide sums out finite discrete latents by itself") {
  Understood understood = understand(R"(
    data y : real[N];
    model { iarange i in N { k ~ bernoulli(0.5); y[i] ~ normal(k, 1); } }
  )");
  CHECK(understood.pairing.pairs[0].estimators.front() == plates::Estimator::enumerate);
}

TEST_CASE("a point mass may stand for any continuous latent") {
  Understood understood = understand(R"(
    data y : real[N];
    model { s ~ half_normal(1); iarange i in N { y[i] ~ normal(0, s); } }
    guide { param p : positive = 1; s ~ delta(p); }
  )");
  CHECK(understood.pairing.pairs[0].estimators.front() == plates::Estimator::pathwise);
}

TEST_CASE("a density depends on the latents its parameters are computed from") {
  Understood understood = understand(R"(
    data y : real[N];
    data c : bit[N];
    model {
      a ~ normal(0, 1);
      b ~ normal(0, 1);
      d ~ normal(a, 1);
      iarange i in N {
        s = 0;
        if (c[i] == 1) { s = b; }
        y[i] ~ normal(s + d, 1);
      }
    }
    guide auto(normal);
  )");
  CHECK(influences_on(understood.program, "a").empty());
  CHECK(influences_on(understood.program, "d") == std::vector<std::string>{"a"});
  CHECK(influences_on(understood.program, "y") == std::vector<std::string>{"b", "d"});
}

TEST_CASE("a state carried through a loop carries what it depends on") {
  Understood understood = understand(R"(
    data y : real[T];
    model {
      start ~ normal(0, 1);
      state = start;
      for t in 0..T { y[t] ~ normal(state, 1); w[t] ~ normal(0, 1); state = state + w[t]; }
    }
  )");
  CHECK(influences_on(understood.program, "y") == std::vector<std::string>{"start", "w"});
}
