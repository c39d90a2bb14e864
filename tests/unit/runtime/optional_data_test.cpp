#include "runtime/dataset.hpp"
#include "tests/unit/runtime/declare.hpp"
#include "tests/unit/runtime/scratch.hpp"

#include <catch2/catch.hpp>

using namespace plait::runtime;
using namespace declare;
using scratch::npy;

TEST_CASE("bind: optional data may be missing when their sizes are known otherwise") {
  scratch::Folder folder;
  folder.write("x.npy", npy<double>({1, 2, 3}, "(3,)"));
  folder.write("T.npy", npy<std::int32_t>({2, 0, 1}, "(3,)"));
  BindOptions options;
  options.optional = {"y", "notes"};
  options.left_open = {{"D", 2}, {"N", 7}, {"J", 5}};
  const std::vector<ExpectedData> expected{real("x", {"N"}), limited(real("y", {"N", "D"}), Limit{0, true}),
                                           ragged(bit("notes", {"N", "T", "D"}))};
  std::vector<DataError> faults;
  const BindResult result =
      bind_data(expected, parse_data_arguments({"x=x.npy", "T=T.npy"}, faults), options);
  REQUIRE(faults.empty());
  REQUIRE(to_text(result.errors).empty());
  CHECK_FALSE(result.dataset.data[0].absent);
  CHECK(result.dataset.data[1].absent);
  CHECK(result.dataset.data[1].values.shape == Shape{3, 2}); // N by x, D by the fit
  CHECK(result.dataset.sizes == std::map<std::string, std::int64_t>{{"D", 2}, {"N", 3}});
  CHECK(result.dataset.data[2].lengths == std::vector<std::int32_t>{2, 0, 1});
  CHECK(result.dataset.data[2].values.size() == 6);

  options.left_open = {};
  CHECK(errors({real("x", {"N"}), real("y", {"N", "D"})}, {"x=x.npy"}, options) ==
        "error: no data given for y, and its size D does not follow from the rest\n"
        "hint: say how many there are: --set D=…");
  CHECK(errors({real("x", {"N"}), ragged(bit("notes", {"N", "T"}))}, {"x=x.npy"}, options)
            .starts_with("error: no data given for notes, nor the lengths T of its rows"));
}

TEST_CASE("bind: the size of an index that the data leave open is that of the fit") {
  scratch::Folder folder;
  folder.write("k.npy", npy<std::int32_t>({0, 2}, "(2,)"));
  folder.write("far.npy", npy<std::int32_t>({0, 5}, "(2,)"));
  BindOptions options;
  options.left_open = {{"J", 5}};
  std::vector<DataError> faults;
  const BindResult result =
      bind_data({index("J", "k", {"N"})}, parse_data_arguments({"k=k.npy"}, faults), options);
  REQUIRE(to_text(result.errors).empty());
  CHECK(result.dataset.sizes.at("J") == 5);
  CHECK(errors({index("J", "k", {"N"})}, {"k=far.npy"}, options).find("5") != std::string::npos);
}
