#include "runtime/dataset.hpp"
#include "tests/unit/runtime/declare.hpp"
#include "tests/unit/runtime/scratch.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace plait::runtime;
using namespace declare;
using scratch::npy;
using scratch::reals;

TEST_CASE("data arguments: every form is understood") {
  std::vector<DataError> errors;
  DataSource source = parse_data_arguments({"d.json", "dir.csv/t.csv", "y=t.csv:delay", "x=t.csv:a,b.c,d..f",
                                            "z=Z.NPY,threshold=127", "w=a.npz:word@doc_ptr*count",
                                            "s=a.json:key,scale=255", "r=t.csv:v@id"},
                                           errors);
  REQUIRE(errors.empty());
  REQUIRE(source.arguments.size() == 8);
  CHECK(source.arguments[0].name.empty());
  CHECK(source.arguments[1].file == "dir.csv/t.csv");
  CHECK(source.arguments[2].name == "y");
  CHECK(source.arguments[2].keys == Arguments{"delay"});
  CHECK(source.arguments[3].keys == Arguments{"a", "b.c", "d..f"});
  CHECK(source.arguments[4].format == Origin::Format::npy);
  CHECK(source.arguments[4].threshold == 127);
  CHECK(source.arguments[5].keys == Arguments{"word"});
  CHECK(source.arguments[5].group == "doc_ptr");
  CHECK(source.arguments[5].repeat == "count");
  CHECK(source.arguments[6].scale == 255);
  CHECK(source.arguments[7].group == "id");
}

TEST_CASE("data arguments: what is not understood is said") {
  CHECK(argument_error("y=data.parquet") ==
        "error: --data y=data.parquet: cannot tell what kind of file this is: its "
        "name ends in none of .json, .csv, .tsv, .npy, .npz");
  CHECK(argument_error("x.npy") == "error: --data x.npy: a .npy file holds one array without a name\n"
                                   "hint: write --data NAME=x.npy");
  CHECK(argument_error("t.csv:a") ==
        "error: --data t.csv:a: a selection needs the name of the data it is for\n"
        "hint: write --data NAME=t.csv:a");
  CHECK(argument_error("y=x.npy:a") ==
        "error: --data y=x.npy:a: a .npy file holds one array: there is nothing to "
        "select");
  CHECK(argument_error("y=x.json:a,b") ==
        "error: --data y=x.json:a,b: only columns of a table can be put together; give one name");
  CHECK(argument_error("y=t.csv:a,") == "error: --data y=t.csv:a,: a name is missing in the selection");
  CHECK(argument_error("y=t.csv,bins=3") ==
        "error: --data y=t.csv,bins=3: 'bins=3' is not understood\n"
        "hint: the options are threshold=NUMBER, scale=NUMBER and, for a .csv table, drop_missing");
  CHECK(argument_error("y=x.npy@a") ==
        "error: --data y=x.npy@a: '@' groups the rows of a .csv table or names the "
        "offsets in an .npz archive");
  CHECK(argument_error("y=x.npz:a*b") ==
        "error: --data y=x.npz:a*b: '*' needs an .npz archive and '@OFFSETS'");
  std::vector<DataError> errors;
  parse_data_arguments({"y=a.npy", "y=b.npy"}, errors);
  CHECK(to_text(errors) == "error: --data y=b.npy: y is already given by --data y=a.npy");
}

TEST_CASE("bind: eight schools from one JSON file") {
  scratch::Folder folder;
  folder.write("d.json",
               R"({"J": 8, "y": [28, 8, -3, 7, -1, 1, 18, 12], "sigma": [15, 10, 16, 11, 9, 11, 10, 18]})");
  Dataset data = bound({real("y", {"J"}), limited(real("sigma", {"J"}), Limit{0, true})}, {"d.json"});
  CHECK(data.sizes == std::map<std::string, std::int64_t>{{"J", 8}});
  CHECK(reals(data.find("y")->values) == Reals{28, 8, -3, 7, -1, 1, 18, 12});
  CHECK(data.find("z") == nullptr);
  REQUIRE(data.files.size() == 1);
  CHECK(data.files[0].bytes == static_cast<std::int64_t>(folder.read("d.json").size()));
  CHECK(data.files[0].fingerprint.starts_with("xxh64:"));
}

TEST_CASE("bind: arrays of several files share their sizes") {
  scratch::Folder folder;
  folder.write("x.npy", npy<float>({1, 2, 3, 4, 5, 6}, "(3, 2)"));
  folder.write("t.csv", "y,g,w\n0,2,1.5\n1,0,2.5\n1,1,3.5\n");
  std::vector<ExpectedData> expected{real("x", {"N", "D"}), bit("y", {"N"}), index("G", "g", {"N"}),
                                     real("m", {"N", "3"})};
  Dataset data = bound(expected, {"x=x.npy", "t.csv", "m=t.csv:y..w"});
  CHECK(data.sizes == std::map<std::string, std::int64_t>{{"N", 3}, {"D", 2}, {"G", 3}});
  CHECK(data.find("x")->values.mapped);
  CHECK(reals(data.find("m")->values) == Reals{0, 2, 1.5, 1, 0, 2.5, 1, 1, 3.5});
  CHECK(data.find("g")->values.element == Element::i32);
  CHECK(data.find("g")->values.origin.key == "g");

  std::vector<std::int64_t> rows{2, 0};
  float picked[4];
  data.find("x")->read_rows(rows, picked);
  CHECK(std::vector<float>(picked, picked + 4) == std::vector<float>{5, 6, 1, 2});
}

TEST_CASE("bind: sizes that disagree name both places") {
  scratch::Folder folder;
  folder.write("x.npy", npy<float>({1, 2, 3, 4, 5, 6}, "(3, 2)"));
  folder.write("y.npy", npy<float>({1, 2}, "(2,)"));
  folder.write("d.json", R"({"N": 4})");
  CHECK(errors({real("x", {"N", "D"}), real("y", {"N"})}, {"x=x.npy", "y=y.npy"}) ==
        "y.npy: error: N is 3 by x (x.npy, dimension 0), but 2 by y (y.npy, dimension 0)");
  CHECK(errors({real("y", {"N"})}, {"y=y.npy", "d.json"}) ==
        "y.npy: error: N is 4 by d.json, but 2 by y (y.npy, dimension 0)");
  BindOptions options;
  options.sizes["N"] = 5;
  CHECK(errors({real("y", {"N"})}, {"y=y.npy"}, options) ==
        "y.npy: error: N is 5 by --set, but 2 by y (y.npy, dimension 0)");
  CHECK(errors({real("x", {"N", "784"})}, {"x=x.npy"}) ==
        "x.npy: error: x has shape [3, 2], but is declared real[N, 784]");
}

TEST_CASE("bind: ranks") {
  scratch::Folder folder;
  folder.write("image.npy", npy<std::uint8_t>(std::vector<std::uint8_t>(24, 1), "(2, 3, 4)"));
  folder.write("column.npy", npy<double>({1, 2}, "(2, 1)"));
  folder.write("y.npy", npy<double>({1, 2}, "(2,)"));
  folder.write("t.csv", "a,b\n1,2\n");
  CHECK(bound({bit("image", {"N", "12"})}, {"image=image.npy"}).find("image")->values.shape == Shape{2, 12});
  CHECK(bound({real("y", {"N"})}, {"y=column.npy"}).find("y")->values.shape == Shape{2});
  CHECK(bound({real("y", {"N", "1"})}, {"y=y.npy"}).find("y")->values.shape == Shape{2, 1});
  CHECK(errors({bit("image", {"N", "D"})}, {"image=image.npy"}) ==
        "image.npy: error: image has shape [2, 3, 4], but is declared bit[N, D]\n"
        "hint: trailing dimensions are flattened only into a last dimension of known size");
  CHECK(errors({real("y", {"N", "D"})}, {"y=y.npy"}) ==
        "y.npy: error: y has shape [2], but is declared real[N, D]");
  CHECK(errors({real("y", {"N", "D"})}, {"y=t.csv:a"}) ==
        "t.csv: error: y has shape [1], but is declared real[N, D]\n"
        "hint: several columns make a matrix: --data y=t.csv:A,B,C");
  CHECK(errors({real("y")}, {"y=y.npy"}) == "y.npy: error: y has shape [2], but is declared real");
  folder.write("d.json", R"({"y": 3, "z": [[1, 2], [3]], "e": []})");
  CHECK(bound({real("y")}, {"d.json"}).find("y")->values.shape.empty());
  CHECK(errors({real("y", {"N"})}, {"d.json"}) ==
        "d.json: error: y is a single number, but is declared real[N]");
  CHECK(errors({real("z", {"N", "D"})}, {"d.json"}) ==
        "d.json: error: z is declared real[N, D], but its rows differ in length: row 0 has 2 elements, row 1 "
        "has 1\n"
        "hint: declare the data ragged, or make the rows equally long");
  CHECK(errors({real("e", {"N"})}, {"d.json"}) == "d.json: error: e has no values: its shape is [0]");
}

TEST_CASE("bind: names that are not there") {
  scratch::Folder folder;
  folder.write("t.csv", "delay,distance\n1,2\n");
  folder.write("d.json", R"({"Delay": [1]})");
  CHECK(errors({real("delay", {"N"})}, {}) ==
        "error: no data given for delay, declared real[N]\n"
        "hint: write --data delay=FILE.npy, --data delay=FILE.csv:COLUMN, or --data FILE.json with the key "
        "delay");
  CHECK(errors({real("delya", {"N"})}, {"t.csv"}) ==
        "error: no data given for delya, declared real[N]\n"
        "hint: did you mean delay? the files given have: delay, distance");
  CHECK(errors({real("y", {"N"})}, {"y=t.csv:dealy"}) ==
        "t.csv: error: y is bound to column dealy, but the table has no such column\n"
        "hint: did you mean delay? its columns are: delay, distance");
  CHECK(errors({real("y", {"N"})}, {"y=t.csv"}) ==
        "t.csv: error: the table has no column y, and which of its 2 columns is meant is not said\n"
        "hint: write --data y=t.csv:COLUMN; the columns are: delay, distance");
  CHECK(errors({real("delay", {"N"})}, {"delay=d.json"}) ==
        "d.json: error: delay: the file has no key delay\nhint: did you mean Delay? its keys are: Delay");
  CHECK(errors({real("delay", {"N"})}, {"t.csv", "dealy=t.csv:delay"}) ==
        "error: --data dealy=t.csv:delay: the model declares no data named dealy\n"
        "hint: did you mean delay? its data are: delay");
  CHECK(errors({real("y", {"N"})}, {"y=missing.npy"}) ==
        "missing.npy: error: y: there is no such file\n"
        "hint: paths are relative to the folder the command runs in");
  // One missing file is one error, not one for every name.
  CHECK(errors({real("y", {"N"}), real("x", {"N"})}, {"missing.json"}) ==
        "missing.json: error: there is no such file\n"
        "hint: paths are relative to the folder the command runs in");
}

TEST_CASE("bind: every fault of a value names its place") {
  scratch::Folder folder;
  folder.write("t.csv", "y,z,k\n1,0,0\n2.5,1,3\nnan,7,5\n");
  folder.write("d.json", "{\"y\": [1,\n2,\nNaN],\n\"m\": [[0, 1],\n[1, -2]]}");
  folder.write("x.npy", npy<float>({1, 2.25, 3, 4}, "(2, 2)"));
  folder.write("n.npy", npy<double>({1, std::nan(""), 3, 4}, "(2, 2)"));

  CHECK(errors({real("y", {"N"})}, {"t.csv"}) ==
        "t.csv:4: error: y is NaN in row 3 of column y, not a number\n"
        "hint: leave the row out, or model the missing value as a latent");
  CHECK(errors({real("y", {"N"})}, {"d.json"}) ==
        "d.json:3: error: y[2] is NaN, not a number\n"
        "hint: leave the row out, or model the missing value as a latent");
  CHECK(errors({real("n", {"N", "D"})}, {"n=n.npy"}) ==
        "n.npy: error: n[0, 1] is NaN, not a number\n"
        "hint: leave the row out, or model the missing value as a latent");
  CHECK(errors({limited(real("m", {"N", "D"}), Limit{0, false})}, {"d.json"}) ==
        "d.json:5: error: m[1, 1] is -2, but must be at least 0");
  CHECK(errors({limited(real("m", {"N", "D"}), Limit{-2, true})}, {"d.json"}) ==
        "d.json:5: error: m[1, 1] is -2, but must be greater than -2");
  CHECK(errors({limited(real("z", {"N"}), Limit{0, false}, Limit{1, false})}, {"t.csv"}) ==
        "t.csv:4: error: z is 7 in row 3 of column z, but must be at most 1");
  CHECK(errors({limited(real("z", {"N"}), {}, Limit{7, true})}, {"t.csv"}) ==
        "t.csv:4: error: z is 7 in row 3 of column z, but must be less than 7");
  CHECK(errors({limited(real("z", {"N"}), {}, Limit{7, false})}, {"t.csv"}) == "");
  CHECK(errors({integer("x", {"N", "D"})}, {"x=x.npy"}) ==
        "x.npy: error: x[0, 1] is 2.25, but int data must be whole numbers");
  CHECK(errors({integer("m", {"N", "2"})}, {"m=t.csv:k,z"}) == "");
  CHECK(errors({bit("m", {"N", "2"})}, {"m=t.csv:k,z"}) ==
        "t.csv:3: error: m is 3 in row 2 of column k, but bit data must be 0 or 1\n"
        "hint: the data range from 0 to 7; add ',threshold=3' to the --data argument to make them 0 and 1");
  CHECK(errors({bit("k", {"N"})}, {"k=x.npy"}) == "x.npy: error: k has shape [2, 2], but is declared bit[N]\n"
                                                  "hint: trailing dimensions are flattened only into a last "
                                                  "dimension of known size");
  folder.write("two.npy", npy<std::int32_t>({1, 2, 1}, "(3,)"));
  CHECK(errors({bit("k", {"N"})}, {"k=two.npy"}) ==
        "two.npy: error: k[1] is 2, but bit data must be 0 or 1\n"
        "hint: the data take the two values 1 and 2; add ',threshold=1' to the --data argument to make them "
        "0 and 1");
  CHECK(errors({bit("k", {"N"})}, {"k=two.npy,threshold=1"}) == "");
  folder.write("big.csv", "id\n1\n90071992547409930\n");
  CHECK(errors({integer("id", {"N"})}, {"big.csv"}) ==
        "big.csv:3: error: id is 90071992547409936 in row 2 of column id, too large to be read exactly\n"
        "hint: identifiers are better bound as text");
  DataError error = bind_arguments({real("y", {"N"})}, {"t.csv"}).errors.at(0);
  CHECK(error.row == 3);
  CHECK(error.line == 4);
  CHECK(error.key == "y");
  CHECK(error.value == "NaN");
  CHECK(error.element == Shape{2});
}

TEST_CASE("bind: all values are checked, wherever the faulty one lies") {
  scratch::Folder folder;
  for (std::size_t count : {1, 15, 16, 17, 31, 32, 33, 100})
    for (std::size_t at = 0; at < count; ++at) {
      std::vector<double> values(count, 0.5);
      values[at] = std::nan("");
      folder.write("y.npy", npy(values, "(" + std::to_string(count) + ",)"));
      CHECK(bind_arguments({real("y", {"N"})}, {"y=y.npy"}).errors.at(0).element ==
            Shape{static_cast<std::int64_t>(at)});
      values[at] = -0.25;
      folder.write("y.npy", npy(values, "(" + std::to_string(count) + ",)"));
      CHECK(bind_arguments({limited(real("y", {"N"}), Limit{0, false})}, {"y=y.npy"}).errors.size() == 1);
      std::vector<std::uint8_t> bits(count, 1);
      bits[at] = 2;
      folder.write("y.npy", npy(bits, "(" + std::to_string(count) + ",)"));
      CHECK(bind_arguments({bit("y", {"N"})}, {"y=y.npy"}).errors.size() == 1);
    }
}

TEST_CASE("bind: whole numbers stored as f32 and f64 are recognized at any size") {
  scratch::Folder folder;
  folder.write("f.npy", npy<float>({-1, 4194305, 16777216, -16777215, 3e9f}, "(5,)"));
  folder.write("d.npy", npy<double>({-1, 4503599627370497, -9007199254740991, 0}, "(4,)"));
  CHECK(errors({integer("k", {"N"})}, {"k=f.npy"}) == "");
  CHECK(errors({integer("k", {"N"})}, {"k=d.npy"}) == "");
  CHECK(bound({integer("k", {"N"})}, {"k=d.npy"}).find("k")->values.integer_at(1) == 4503599627370497);
}

TEST_CASE("bind: indices are checked against their set") {
  scratch::Folder folder;
  folder.write("t.csv", "county,school\n1,0\n3,1\n4,2\n");
  folder.write("u.npy", npy<double>({1, 2, 3}, "(3,)"));
  CHECK(bound({index("J", "county", {"N"})}, {"t.csv"}).sizes.at("J") == 5);
  CHECK(bound({index("J", "county", {"N"}, 1)}, {"t.csv"}).sizes.at("J") == 4);
  CHECK(errors({index("J", "county", {"N"}), real("u", {"J"})}, {"t.csv", "u=u.npy"}) ==
        "t.csv:3: error: county is 3 in row 2 of column county, but index<J> with J = 3 must be from 0 to 2");
  CHECK(errors({index("4", "county", {"N"})}, {"t.csv"}) ==
        "t.csv:4: error: county is 4 in row 3 of column county, but index<4> must be from 0 to 3\n"
        "hint: the file seems to count from 1: declare index<4, base=1>");
  CHECK(errors({index("J", "school", {"N"}, 1)}, {"t.csv"}) ==
        "t.csv:2: error: school is 0 in row 1 of column school, but index<J, base=1> with J = 2 must be from "
        "1 to 2\n"
        "hint: the file seems to count from 0: declare index<J>");
  Dataset data = bound({index("J", "county", {"N"}, 1), index("J", "school", {"N"})}, {"t.csv"});
  CHECK(data.sizes.at("J") == 4);
  std::vector<std::int64_t> rows{0, 1, 2};
  std::int32_t read[3];
  data.find("county")->read_rows(rows, read);
  CHECK(std::vector<std::int32_t>(read, read + 3) == std::vector<std::int32_t>{0, 2, 3});
  folder.write("d.json", R"({"J": 5, "county": [0, 2, -1]})");
  CHECK(errors({index("J", "county", {"N"})}, {"d.json"}) ==
        "d.json:1: error: county[2] is -1, but index<J> with J = 5 must be from 0 to 4");
}

TEST_CASE("bind: texts become numbered levels") {
  scratch::Folder folder;
  folder.write("t.csv", "origin,x\nSFO,1\nABE,2\nSFO,3\nJFK,4\n");
  folder.write("new.csv", "origin\nJFK\nLAX\n");
  folder.write("d.json", R"({"origin": ["b", "a"]})");
  Dataset data = bound({index("A", "origin", {"N"}, 1)}, {"t.csv"});
  CHECK(data.sizes.at("A") == 3);
  CHECK(data.find("origin")->levels == Arguments{"ABE", "JFK", "SFO"});
  CHECK(reals(data.find("origin")->values) == Reals{2, 0, 2, 1});
  CHECK(data.find("origin")->index_base == 0);
  CHECK(bound({index("A", "origin", {"N"})}, {"d.json"}).find("origin")->levels == Arguments{"a", "b"});
  CHECK(errors({index("2", "origin", {"N"})}, {"t.csv"}) ==
        "t.csv: error: origin has 3 different texts, but is declared index<2>");
  CHECK(errors({real("origin", {"N"})}, {"t.csv"}) ==
        "t.csv:2: error: origin: column origin has 'SFO' in row 1, which is not a number\n"
        "hint: text columns can be bound to index<J> data: the texts are numbered in alphabetical order");
  BindOptions options;
  options.sizes["A"] = 3;
  options.levels["origin"] = data.find("origin")->levels;
  CHECK(errors({index("A", "origin", {"N"})}, {"new.csv"}, options) ==
        "new.csv: error: origin has the text 'LAX', which is not among the 3 levels of the fit");
  folder.write("new.csv", "origin\nJFK\nABE\n");
  CHECK(reals(bound({index("A", "origin", {"N"})}, {"new.csv"}, options).find("origin")->values) ==
        Reals{1, 0});
}

TEST_CASE("bind: a ragged declaration from nested JSON rows") {
  scratch::Folder folder;
  folder.write("d.json", "{\"notes\": [[[0, 1]], [],\n[[1, 0],\n[1, 7]]], \"T\": [1, 0, 2]}");
  Dataset data = bound({ragged(integer("notes", {"N", "T", "2"})), integer("T", {"N"})}, {"d.json"});
  const BoundData& notes = *data.find("notes");
  CHECK(data.sizes == std::map<std::string, std::int64_t>{{"N", 3}});
  CHECK(data.lengths.at("T") == Shape{1, 0, 2});
  CHECK(notes.starts == Shape{0, 1, 1});
  CHECK(notes.inner_size == 2);
  CHECK(notes.rows() == 3);
  std::vector<std::int64_t> rows{2, 0, 1};
  double read[12];
  notes.read_ragged(rows, 2, read);
  CHECK(Reals(read, read + 12) == Reals{1, 0, 1, 7, 0, 1, 0, 0, 0, 0, 0, 0});
  CHECK(errors({ragged(bit("notes", {"N", "T", "2"}))}, {"d.json"}) ==
        "d.json:3: error: notes[2, 1, 1] is 7, but bit data must be 0 or 1\n"
        "hint: the data range from 0 to 7; add ',threshold=3' to the --data argument to make them 0 and 1");
  CHECK(errors({ragged(integer("notes", {"N", "T", "88"}))}, {"d.json"}) ==
        "d.json: error: notes has shape [3, 2], but is declared ragged int[N, T, 88]");
  folder.write("d.json", R"({"y": [[1], [2, 3]], "T": [1, 1]})");
  CHECK(errors({ragged(real("y", {"N", "T"}))}, {"d.json"}) ==
        "d.json: error: T (d.json)[1] is 1, but row 1 of y has 2 elements");
  folder.write("d.json", R"({"y": [[1], [2, 3]], "z": [[1], [2]]})");
  CHECK(errors({ragged(real("y", {"N", "T"})), ragged(real("z", {"N", "T"}))}, {"d.json"}) ==
        "d.json: error: T[1] is 2 by y, but 1 by z");
  // The lengths can be read as data even when no file has them.
  CHECK(reals(bound({ragged(real("y", {"N", "T"})), integer("T", {"N"})}, {"d.json"}).find("T")->values) ==
        Reals{1, 2});
}

TEST_CASE("bind: a ragged declaration from zero-padded arrays") {
  scratch::Folder folder;
  folder.write("roll.npy", npy<std::uint8_t>({1, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0}, "(2, 3, 2)"));
  folder.write("len.npy", npy<std::int32_t>({1, 3}, "(2,)"));
  folder.write("long.npy", npy<std::int32_t>({1, 4}, "(2,)"));
  folder.write("three.npy", npy<std::int32_t>({1, 3, 1}, "(3,)"));
  std::vector<ExpectedData> expected{ragged(bit("roll", {"N", "T", "2"}))};
  Dataset data = bound(expected, {"roll=roll.npy", "T=len.npy"});
  const BoundData& roll = *data.find("roll");
  CHECK(roll.values.mapped);
  CHECK(roll.starts == Shape{0, 3});
  CHECK(roll.lengths == std::vector<std::int32_t>{1, 3});
  CHECK(roll.view().offsets[1] == 3);
  CHECK(roll.view().lengths[1] == 3);
  CHECK(roll.view().values == roll.values.data);
  std::vector<std::int64_t> rows{1, 0};
  std::int32_t read[12];
  roll.read_ragged(rows, 3, read);
  CHECK(std::vector<std::int32_t>(read, read + 12) ==
        std::vector<std::int32_t>{1, 1, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0});
  CHECK(errors(expected, {"roll=roll.npy"}) ==
        "roll.npy: error: roll is declared ragged bit[N, T, 2], but the length of its rows is not given\n"
        "hint: give the number of valid entries of each row: --data T=LENGTHS.npy");
  CHECK(errors(expected, {"roll=roll.npy", "T=long.npy"}) ==
        "roll.npy: error: T (long.npy)[1] is 4, but row 1 of roll has 3 elements");
  CHECK(errors(expected, {"roll=roll.npy", "T=three.npy"}) ==
        "roll.npy: error: T (three.npy) has 3 lengths, but roll has 2 rows");
  // Zeros of the padding lie outside the support, and do not matter.
  folder.write("y.npy", npy<double>({5, 0, 0, 1, 2, 3}, "(2, 3)"));
  auto positive = [](ExpectedData data) { return limited(std::move(data), Limit{0, true}); };
  CHECK(errors({positive(ragged(real("y", {"N", "T"})))}, {"y=y.npy", "T=len.npy"}) == "");
  folder.write("y.npy", npy<double>({5, 0, 0, 1, 0, 3}, "(2, 3)"));
  CHECK(errors({positive(ragged(real("y", {"N", "T"})))}, {"y=y.npy", "T=len.npy"}) ==
        "y.npy: error: y[1, 1] is 0, but must be greater than 0");
}

TEST_CASE("bind: padding of index data becomes an index") {
  scratch::Folder folder;
  folder.write("len.npy", npy<std::int32_t>({1, 2}, "(2,)"));
  folder.write("w.npy", npy<std::int32_t>({2, -1, 1, 0}, "(2, 2)"));
  Dataset data = bound({ragged(index("V", "w", {"N", "T"}))}, {"w=w.npy", "T=len.npy"});
  CHECK(data.sizes.at("V") == 3);
  CHECK(reals(data.find("w")->values) == Reals{2, 0, 1, 0});
  folder.write("w.npy", npy<double>({2, std::nan(""), 1, 2}, "(2, 2)"));
  CHECK(reals(bound({ragged(index("V", "w", {"N", "T"}, 1))}, {"w=w.npy", "T=len.npy"}).find("w")->values) ==
        Reals{1, 0, 0, 1});
  folder.write("w.npy", npy<std::int16_t>({2, 0, 1, 0}, "(2, 2)"));
  CHECK(bound({ragged(index("V", "w", {"N", "T"}))}, {"w=w.npy", "T=len.npy"}).find("w")->values.mapped);
}

TEST_CASE("bind: a ragged declaration from a long table") {
  scratch::Folder folder;
  folder.write("t.csv", "id,t,v\nb,1,10\na,1,20\nb,2,30\nb,3,-40\n");
  std::vector<ExpectedData> expected{ragged(real("y", {"N", "T", "D"}))};
  Dataset data = bound(expected, {"y=t.csv:t,v@id"});
  CHECK(data.lengths.at("T") == Shape{3, 1});
  CHECK(data.sizes == std::map<std::string, std::int64_t>{{"N", 2}, {"D", 2}});
  CHECK(reals(data.find("y")->values) == Reals{1, 10, 2, 30, 3, -40, 1, 20});
  CHECK(errors({ragged(limited(real("y", {"N", "T"}), Limit{15, false}))}, {"y=t.csv:v@id"}) ==
        "t.csv:2: error: y is 10 in row 1 of column v, but must be at least 15");
  CHECK(errors({ragged(limited(real("y", {"N", "T"}), Limit{0, false}))}, {"y=t.csv:v@id"}) ==
        "t.csv:5: error: y is -40 in row 4 of column v, but must be at least 0");
  CHECK(errors({ragged(real("y", {"N", "T"}))}, {"y=t.csv:v"}) ==
        "t.csv: error: y is declared ragged real[N, T], but the length of its rows is not given\n"
        "hint: group the rows of the table by a column: --data y=t.csv:v@COLUMN");
  CHECK(errors({real("y", {"N"})}, {"y=t.csv:v@id"}) ==
        "t.csv: error: y is grouped by id, but is not declared ragged");
}

TEST_CASE("bind: constraints of rows") {
  scratch::Folder folder;
  folder.write("d.json", "{\"p\": [[0.5, 0.5],\n[0.25, 0.5]], \"o\": [[1, 2], [2, 2]],\n"
                         "\"s\": [[2, 1], [1, 2]], \"a\": [[2, 1], [0, 2]], \"n\": [[1, 2], [2, 1]]}");
  CHECK(errors({constrained(real("p", {"N", "K"}), DataConstraint::simplex)}, {"d.json"}) ==
        "d.json:2: error: p[1] sums to 0.75, but a simplex must sum to 1");
  CHECK(errors({constrained(real("o", {"N", "K"}), DataConstraint::ordered)}, {"d.json"}) ==
        "d.json:2: error: o[1] has 2 after 2, but must be increasing");
  CHECK(errors({constrained(real("s", {"K", "K"}), DataConstraint::cov)}, {"d.json"}) == "");
  CHECK(errors({constrained(real("a", {"K", "K"}), DataConstraint::cov)}, {"d.json"}) ==
        "d.json:3: error: a is not symmetric: [1, 0] is 0, [0, 1] is 1");
  CHECK(errors({constrained(real("n", {"K", "K"}), DataConstraint::cov)}, {"d.json"}) ==
        "d.json:3: error: n is not positive definite");
  CHECK(errors({constrained(real("a", {"K", "K"}), DataConstraint::cholesky_factor)}, {"d.json"}) ==
        "d.json:3: error: a has 1 at [0, 1], but a Cholesky factor must be 0 above the diagonal");
  CHECK(errors({constrained(real("s", {"K", "K"}), DataConstraint::corr)}, {"d.json"}) ==
        "d.json:3: error: s has 2 at [0, 0], but the diagonal of a correlation matrix must be 1");
}

TEST_CASE("bind: threshold and scale") {
  scratch::Folder folder;
  folder.write("x.npy", npy<std::uint8_t>({0, 127, 128, 255}, "(4,)"));
  CHECK(reals(bound({bit("x", {"N"})}, {"x=x.npy,threshold=127"}).find("x")->values) == Reals{0, 0, 1, 1});
  CHECK(reals(bound({real("x", {"N"})}, {"x=x.npy,scale=255"}).find("x")->values)[3] == 1);
  folder.write("n.npy", npy<double>({0, std::nan("")}, "(2,)"));
  CHECK(errors({bit("x", {"N"})}, {"x=n.npy,threshold=0"}) ==
        "n.npy: error: x[1] is NaN, not a number\nhint: leave the row out, or model the missing value as a "
        "latent");
}

TEST_CASE("bind: arrays handed over in memory") {
  DataSource source;
  DataArgument argument;
  argument.name = "y";
  argument.file = "array y";
  argument.memory = make_array({2}, std::vector<double>{1, -2});
  source.arguments.push_back(argument);
  BindResult result = bind_data({real("y", {"N"})}, source);
  REQUIRE(result.errors.empty());
  CHECK(result.dataset.sizes.at("N") == 2);
  CHECK(result.dataset.find("y")->values.data == argument.memory->data);
  CHECK(to_text(bind_data({limited(real("y", {"N"}), Limit{0, false})}, source).errors) ==
        "array y: error: y[1] is -2, but must be at least 0");
}

TEST_CASE("fingerprints are XXH64") {
  CHECK(content_fingerprint("") == "xxh64:ef46db3751d8e999");
  CHECK(content_fingerprint("a") == "xxh64:d24ec4f1a98c6e5b");
  CHECK(content_fingerprint("abc") == "xxh64:44bc2cf5ad770999");
  CHECK(content_fingerprint("Nobody inspects the spammish repetition") == "xxh64:fbcea83c8a378bf1");
}

namespace {

// Measurement data beside the source tree; the tests below pass without it.
std::string shared_data(const std::string& file) {
  std::filesystem::path path = std::filesystem::path(PLAIT_SOURCE_DIR) / "../shared/data" / file;
  return std::filesystem::exists(path) ? path.lexically_normal().string() : "";
}

} // namespace

TEST_CASE("real data: radon, MNIST, chorales, flights, topics, long tables") {
  if (std::string file = shared_data("hier/pdb_radon_all.json"); !file.empty()) {
    Dataset data = bound({index("J", "county_idx", {"N"}, 1), real("log_radon", {"N"})}, {file});
    CHECK(data.sizes == std::map<std::string, std::int64_t>{{"N", 12573}, {"J", 386}});
  }
  if (std::string file = shared_data("mnist/mnist_train_images_u8.npy"); !file.empty()) {
    Dataset data =
        bound({limited(real("image", {"N", "784"}), Limit{0, false}, Limit{255, false})}, {"image=" + file});
    CHECK(data.sizes.at("N") == 60000);
    CHECK(data.find("image")->values.mapped);
    Dataset bits = bound({bit("image", {"N", "784"})}, {"image=" + file + ",threshold=127"});
    CHECK(bits.find("image")->values.element == Element::u8);
  }
  if (std::string file = shared_data("jsb/jsb_train_pianoroll_u8.npy"); !file.empty()) {
    Dataset data = bound({ragged(bit("notes", {"N", "T", "88"}))},
                         {"notes=" + file, "T=" + shared_data("jsb/jsb_train_len_i32.npy")});
    CHECK(data.sizes.at("N") == 229);
    const std::vector<std::int64_t>& lengths = data.lengths.at("T");
    CHECK(*std::max_element(lengths.begin(), lengths.end()) == 129);
  }
  if (std::string file = shared_data("bin/flights3m.npz"); !file.empty()) {
    Dataset data =
        bound({integer("delay", {"N"}), index("A", "origin", {"N"}), index("A", "dest", {"N"})}, {file});
    CHECK(data.sizes.at("N") == 3000000);
  }
  if (std::string file = shared_data("topics/bbc_news.npz"); !file.empty()) {
    Dataset data = bound({ragged(index("V", "word", {"D", "W"}))}, {"word=" + file + ":word@doc_ptr*count"});
    CHECK(data.sizes.at("D") == 2225);
    const std::vector<std::int64_t>& lengths = data.lengths.at("W");
    CHECK(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0}) ==
          data.find("word")->values.shape[0]);
  }
  if (std::string file = shared_data("ragged/nafld2_tests.csv"); !file.empty()) {
    Dataset data = bound({ragged(real("v", {"N", "T", "2"})), ragged(index("K", "test", {"N", "T"}))},
                         {"v=" + file + ":days,value@id", "test=" + file + ":test@id"});
    CHECK(data.sizes.at("K") == static_cast<std::int64_t>(data.find("test")->levels.size()));
  }
  if (std::string file = shared_data("ragged/insteval.csv"); !file.empty()) {
    Dataset data = bound({index("S", "s", {"N"}, 1), index("D", "d", {"N"}, 1), integer("y", {"N"})}, {file});
    CHECK(data.sizes.at("S") == 2972);
  }
  if (std::string file = shared_data("ragged/dipper_capture_history.csv"); !file.empty()) {
    Dataset data = bound({bit("y", {"N", "T"})}, {"y=" + file + ":2..8"});
    CHECK(data.sizes == std::map<std::string, std::int64_t>{{"N", 294}, {"T", 7}});
  }
}
