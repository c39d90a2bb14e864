// The tables of what a program may name.
#include "plait/plait.hpp"

#include <catch2/catch.hpp>

#include <string>

TEST_CASE("every function that is listed can be called, and no name of another is suggested") {
  const std::vector<plait::TableRow> functions = plait::list("functions");
  CHECK(functions.size() > 60);
  for (const plait::TableRow& row : functions) {
    INFO(row.name);
    std::string message;
    try {
      plait::Model::parse("model { x ~ normal(0, 1); y = " + row.name + "(); }\nguide auto(normal);\n")
          .check();
    } catch (const plait::Error& error) {
      message = error.what();
    }
    CHECK(message.find("unknown function") == std::string::npos);
  }
  try {
    plait::Model::parse("model { x ~ normal(tetragamm(2), 1); }\nguide auto(normal);\n").check();
    FAIL("a function that is not there");
  } catch (const plait::Error& error) {
    CHECK(std::string(error.what()).find("unknown function `tetragamm`") != std::string::npos);
    CHECK(std::string(error.what()).find("`tetragamma`") == std::string::npos);
  }
}

TEST_CASE("every table has rows, and a table that is not there is told apart") {
  for (const std::string table :
       {"distributions", "transforms", "functions", "layers", "optimizers", "objectives", "guides"}) {
    INFO(table);
    CHECK(plait::list(table).size() > 3);
  }
  CHECK_THROWS_AS(plait::list("samplers"), plait::Error);
}
