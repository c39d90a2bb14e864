#include "support.hpp"

#include "grammar/format/format.hpp"

using namespace plait;
using namespace plait::test;

TEST_CASE("assignment to a name, an element and a tuple") {
  CHECK(statement<ast::Assign>("mu = 1;").targets.size() == 1);
  auto element = statement<ast::Assign>("h[t, 0] = state;");
  CHECK(format(element.targets[0]) == "h[t, 0]");
  auto tuple = statement<ast::Assign>("(loc, scale[i]) = encode(x);");
  REQUIRE(tuple.targets.size() == 2);
  CHECK(tuple.targets[0].name.name == "loc");
  CHECK(format(tuple.targets[1]) == "scale[i]");
}

TEST_CASE("sampling, copies and strategies") {
  auto plain = statement<ast::Sample>("y[i] ~ bernoulli_logit(mu);");
  CHECK(format(plain.target) == "y[i]");
  CHECK(plain.call().callee.name == "bernoulli_logit");
  CHECK(plain.copies.empty());
  CHECK_FALSE(plain.strategy);

  auto copies = statement<ast::Sample>("z ~ normal(0, 1)[A, B + 1];");
  CHECK(copies.call().callee.name == "normal");
  REQUIRE(copies.copies.size() == 2);
  CHECK(format(copies.copies[1]) == "B + 1");

  auto enumerated = statement<ast::Sample>("k ~ categorical(pi) using enumerate;");
  CHECK(enumerated.strategy->name.name == "enumerate");

  auto scored = statement<ast::Sample>("h ~ bernoulli(p)[3] using score(2, baseline = v(x[i]));");
  CHECK(scored.copies.size() == 1);
  CHECK(scored.strategy->name.name == "score");
  CHECK(scored.strategy->arguments.size() == 1);
  CHECK(scored.strategy->named.at(0).name.name == "baseline");

  auto transformed = statement<ast::Sample>("z ~ iaf(normal(0, 1)[Z], f);");
  CHECK(transformed.call().callee.name == "iaf");
  CHECK(std::holds_alternative<ast::Index>(transformed.call().arguments.at(0)->node));
}

TEST_CASE("plates with a name and a subsample in either order") {
  auto plain = statement<ast::Plate>("iarange i in N {}");
  CHECK(plain.kind == ast::PlateKind::iarange);
  CHECK(plain.index.name == "i");
  CHECK_FALSE(plain.subsample);
  CHECK_FALSE(plain.alias);
  for (std::string header : {"as rows subsample 256", "subsample 256 as rows"}) {
    auto plate = statement<ast::Plate>("irange w in W[d] " + header + " { x = 1; y = 2; }");
    CHECK(plate.kind == ast::PlateKind::irange);
    CHECK(format(plate.size) == "W[d]");
    CHECK(plate.alias->name == "rows");
    CHECK(format(plate.subsample) == "256");
    CHECK(plate.body.statements.size() == 2);
  }
}

TEST_CASE("loops run forwards and in reverse") {
  auto loop = statement<ast::For>("for t in 0..T[n] - 1 { x = t; }");
  CHECK_FALSE(loop.reverse);
  CHECK(format(loop.lower) == "0");
  CHECK(format(loop.upper) == "T[n] - 1");
  CHECK(statement<ast::For>("for t in reverse 0..T {}").reverse);
  // `reverse` is no reserved word.
  auto named = statement<ast::For>("for t in reverse..T {}");
  CHECK_FALSE(named.reverse);
  CHECK(format(named.lower) == "reverse");
}

TEST_CASE("if, else if and else") {
  auto statement_if = statement<ast::If>("if (a) { x = 1; } else if (b) { x = 2; } else { x = 3; }");
  CHECK(statement_if.then_body.statements.size() == 1);
  REQUIRE(statement_if.else_body);
  REQUIRE(statement_if.else_body->statements.size() == 1);
  auto* inner = get_if<ast::If>(statement_if.else_body->statements[0]);
  REQUIRE(inner);
  CHECK(format(inner->condition) == "b");
  CHECK(inner->else_body);
  CHECK_FALSE(statement<ast::If>("if (a) {}").else_body);
}

TEST_CASE("param, factor and return") {
  auto param = statement<ast::ParamDecl>("param z0 : positive[Z] = 1 + a;");
  CHECK(param.name.name == "z0");
  CHECK(param.type.base == ast::BaseType::positive);
  CHECK(format(param.init) == "1 + a");
  CHECK_FALSE(statement<ast::ParamDecl>("param z0 : real;").init);
  CHECK(format(statement<ast::Factor>("factor(-x ^ 2);").value) == "-x ^ 2");
  CHECK(std::holds_alternative<ast::TupleExpr>(statement<ast::Return>("return (a, b);").value->node));
}

TEST_CASE("comments and white space stand anywhere") {
  CHECK(statements("# c }\n x # d ;\n = # e\n\t1 # f\r\n; #").size() == 1);
  CHECK(equal(parsed("model{iarange i in N{y[i]~normal(0,1);}}"),
              parsed("model { iarange i  in N\n{ y [i] ~ normal ( 0 , 1 ) ; } }")));
  CHECK(parsed("\xEF\xBB\xBF"
               "data x : real;")
            .items.size() == 1);
}

TEST_CASE("types") {
  using ast::BaseType;
  std::vector<std::pair<std::string, BaseType>> plain = {{"real", BaseType::real},
                                                         {"int", BaseType::integer},
                                                         {"bit", BaseType::bit},
                                                         {"positive", BaseType::positive},
                                                         {"unit", BaseType::unit},
                                                         {"simplex[K]", BaseType::simplex},
                                                         {"ordered[K]", BaseType::ordered},
                                                         {"positive_ordered[K]", BaseType::positive_ordered},
                                                         {"cholesky_corr[K]", BaseType::cholesky_corr},
                                                         {"cholesky_cov[K]", BaseType::cholesky_cov},
                                                         {"corr[K]", BaseType::corr},
                                                         {"cov[K]", BaseType::cov}};
  for (const auto& [text, base] : plain) {
    CHECK(type(text).base == base);
    CHECK(format(type(text)) == text);
  }
  auto index = type("index<J + 1, base = 1>[N]");
  CHECK(index.base == BaseType::index);
  CHECK(format(index.index_size) == "J + 1");
  CHECK(format(index.index_base) == "1");
  CHECK(index.dims.size() == 1);
  CHECK_FALSE(type("index<J>").index_base);

  auto bounded = type("real<lower = -1, upper = f(2)>");
  CHECK(format(bounded.lower) == "-1");
  CHECK(format(bounded.upper) == "f(2)");
  CHECK_FALSE(type("int<lower=0>").upper);

  auto ragged = type("ragged real[N, T, D]");
  CHECK(ragged.ragged);
  CHECK(ragged.dims.size() == 3);
  // The bracket `>` and an initial value without a space between them.
  CHECK(format(std::get<ast::ParamDecl>(parsed("param s : real<lower=0>=1;").items[0].node).init) == "1");
}

TEST_CASE("items") {
  auto program = parsed(
      "const K : int = 8; data x : real[N]; param w : real = 1; model {} guide {} predict {}"
      "fun f() -> real { return 1; } net g(a : real, b : int[K]) -> (real, unit[K]) { return (a, b); }");
  REQUIRE(program.items.size() == 8);
  auto* constant = get_if<ast::Const>(program.items[0]);
  REQUIRE(constant);
  CHECK(constant->type->base == ast::BaseType::integer);
  CHECK(get_if<ast::Data>(program.items[1])->name.name == "x");
  CHECK(get_if<ast::ParamDecl>(program.items[2]));
  CHECK(get_if<ast::Model>(program.items[3]));
  CHECK(get_if<ast::Guide>(program.items[4])->body);
  CHECK(get_if<ast::Predict>(program.items[5]));
  auto* function = get_if<ast::Function>(program.items[6]);
  CHECK_FALSE(function->is_net);
  CHECK(function->parameters.empty());
  CHECK(function->results.size() == 1);
  auto* net = get_if<ast::Function>(program.items[7]);
  CHECK(net->is_net);
  CHECK(net->parameters.at(1).type.base == ast::BaseType::integer);
  CHECK(net->results.size() == 2);
}

TEST_CASE("automatic guides") {
  auto item = parsed("guide auto(low_rank, 3, rank = 5);").items.at(0);
  auto* guide = get_if<ast::Guide>(item);
  REQUIRE(guide);
  CHECK_FALSE(guide->body);
  CHECK(guide->family->name.name == "low_rank");
  CHECK(guide->family->arguments.size() == 1);
  CHECK(guide->family->named.at(0).name.name == "rank");
  CHECK(get_if<ast::Guide>(parsed("guide auto(normal);").items.at(0))->family->named.empty());
}

TEST_CASE("equality sees every part of a statement") {
  std::vector<std::string> texts = {"x = 1;",
                                    "x = 2;",
                                    "x = 1.0;",
                                    "y = 1;",
                                    "x[0] = 1;",
                                    "(x, y) = 1;",
                                    "x ~ f(1);",
                                    "x ~ f(1)[2];",
                                    "x ~ f(1) using a;",
                                    "x ~ f(1) using a(b);",
                                    "x ~ f(1) using a(c = b);",
                                    "x ~ f(a = 1);",
                                    "x ~ f[1]();",
                                    "param x : real;",
                                    "param x : int;",
                                    "param x : real[2];",
                                    "param x : ragged real[2];",
                                    "param x : real<lower=1>;",
                                    "param x : real<upper=1>;",
                                    "param x : index<1>;",
                                    "param x : index<1, base=1>;",
                                    "param x : real = 1;",
                                    "iarange i in N {}",
                                    "irange i in N {}",
                                    "iarange j in N {}",
                                    "iarange i in M {}",
                                    "iarange i in N as a {}",
                                    "iarange i in N subsample 1 {}",
                                    "iarange i in N { x = 1; }",
                                    "for i in a..b {}",
                                    "for i in reverse a..b {}",
                                    "for i in a..c {}",
                                    "if (a) {}",
                                    "if (a) {} else {}",
                                    "if (b) {}",
                                    "factor(a);",
                                    "return a;",
                                    "x = -a;",
                                    "x = !a;",
                                    "x = a + b;",
                                    "x = a - b;",
                                    "x = a[0];",
                                    "x = a[:];",
                                    "x = a[0..];",
                                    "x = a[..0];",
                                    "x = (a, b);",
                                    "x = [a, b];",
                                    "x = a ? b : c;"};
  for (std::size_t i = 0; i < texts.size(); ++i)
    for (std::size_t j = 0; j < texts.size(); ++j) {
      INFO(texts[i] << "  and  " << texts[j]);
      CHECK(equal(parsed("model {" + texts[i] + "}"), parsed("model {  " + texts[j] + " }")) == (i == j));
    }
}
