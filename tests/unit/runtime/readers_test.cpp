#include "runtime/data_error.hpp"
#include "runtime/readers/csv.hpp"
#include "runtime/readers/json.hpp"
#include "runtime/readers/npy.hpp"
#include "tests/unit/runtime/scratch.hpp"

#include <catch2/catch.hpp>
#include <zlib.h>

#include <chrono>
#include <cmath>

using namespace plait::runtime;
using scratch::reals;

namespace {

using Shape = std::vector<std::int64_t>;
using Reals = std::vector<double>;

template <class Action>
std::string failure(Action&& action) {
  try {
    action();
  } catch (const DataFailure& thrown) {
    return to_text(thrown.error);
  }
  return "no failure";
}

Array read_array(const std::string& name) {
  return read_npy(MappedFile::open(name));
}

struct ZipMember {
  std::string name, bytes;
  bool deflate = false;
};

void append(std::string& out, std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i)
    out += static_cast<char>(value >> 8 * i);
}

std::string deflated(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// A zip archive as numpy.savez writes it.
std::string zip(const std::vector<ZipMember>& members) {
  std::string out, directory;
  for (const ZipMember& member : members) {
    std::string packed = member.deflate ? deflated(member.bytes) : member.bytes;
    auto crc =
        crc32(0, reinterpret_cast<const Bytef*>(member.bytes.data()), static_cast<uInt>(member.bytes.size()));
    std::size_t offset = out.size();
    std::string common;
    append(common, 20, 2);
    append(common, 0, 2);
    append(common, member.deflate ? 8 : 0, 2);
    append(common, 0, 4);
    append(common, crc, 4);
    append(common, packed.size(), 4);
    append(common, member.bytes.size(), 4);
    append(common, member.name.size(), 2);
    append(out, 0x04034b50, 4);
    out += common;
    append(out, 0, 2);
    out += member.name + packed;
    append(directory, 0x02014b50, 4);
    append(directory, 20, 2);
    directory += common;
    append(directory, 0, 2);
    append(directory, 0, 2);
    append(directory, 0, 2);
    append(directory, 0, 2);
    append(directory, 0, 4);
    append(directory, offset, 4);
    directory += member.name;
  }
  std::size_t begin = out.size();
  out += directory;
  append(out, 0x06054b50, 4);
  append(out, 0, 4);
  append(out, members.size(), 2);
  append(out, members.size(), 2);
  append(out, directory.size(), 4);
  append(out, begin, 4);
  append(out, 0, 2);
  return out;
}

RawData json(const std::string& text, const std::string& key = "x", bool texts = false) {
  scratch::Folder folder;
  folder.write("d.json", text);
  return JsonFile(MappedFile::open("d.json")).read(key, texts);
}

std::string json_failure(const std::string& text, const std::string& key = "x") {
  return failure([&] { json(text, key); });
}

} // namespace

TEST_CASE("npy: every element type is read with its values") {
  scratch::Folder folder;
  auto check = [&](const std::string& image, Element element) {
    folder.write("a.npy", image);
    Array array = read_array("a.npy");
    CHECK(array.element == element);
    CHECK(array.shape == Shape{3});
    return reals(array);
  };
  Reals signs{-1, 0, 100};
  CHECK(check(scratch::npy<double>({-1, 0, 100}, "(3,)"), Element::f64) == signs);
  CHECK(check(scratch::npy<float>({-1, 0, 100}, "(3,)"), Element::f32) == signs);
  CHECK(check(scratch::npy<std::int64_t>({-1, 0, 100}, "(3,)"), Element::i64) == signs);
  CHECK(check(scratch::npy<std::int32_t>({-1, 0, 100}, "(3,)"), Element::i32) == signs);
  CHECK(check(scratch::npy<std::int16_t>({-1, 0, 100}, "(3,)"), Element::i16) == signs);
  CHECK(check(scratch::npy<std::int8_t>({-1, 0, 100}, "(3,)"), Element::i8) == signs);
  CHECK(check(scratch::npy<std::uint32_t>({1, 0, 4000000000}, "(3,)"), Element::u32) ==
        Reals{1, 0, 4000000000});
  CHECK(check(scratch::npy<std::uint16_t>({1, 0, 65535}, "(3,)"), Element::u16) == Reals{1, 0, 65535});
  CHECK(check(scratch::npy<std::uint8_t>({1, 0, 255}, "(3,)"), Element::u8) == Reals{1, 0, 255});
  CHECK(check(scratch::npy<std::uint64_t>({1, 0, 1u << 31}, "(3,)"), Element::i64) ==
        Reals{1, 0, 2147483648.0});
  CHECK(check(scratch::npy_image("{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }", {"\1\0\1", 3}),
              Element::u8) == Reals{1, 0, 1});
  // 1.5, -2, the smallest subnormal
  CHECK(check(scratch::npy_image("{'descr': '<f2', 'fortran_order': False, 'shape': (3,), }",
                                 scratch::bytes_of<std::uint16_t>({0x3E00, 0xC000, 0x0001})),
              Element::f32) == Reals{1.5, -2, std::ldexp(1, -24)});
}

TEST_CASE("npy: row-major values stay mapped, column-major ones are transposed") {
  scratch::Folder folder;
  folder.write("a.npy", scratch::npy<double>({1, 2, 3, 4, 5, 6}, "(2, 3)"));
  Array array = read_array("a.npy");
  CHECK(array.mapped);
  CHECK(array.shape == Shape{2, 3});
  CHECK(*static_cast<const double*>(array.row(1)) == 4);
  folder.write("b.npy", scratch::npy<float>({0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21}, "(2, 3, 2)", true));
  Array turned = read_array("b.npy");
  CHECK_FALSE(turned.mapped);
  CHECK(reals(turned) == Reals{0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21});
  folder.write("c.npy", scratch::npy<double>({7}, "()"));
  CHECK(read_array("c.npy").shape.empty());
  CHECK(reals(read_array("c.npy")) == Reals{7});
}

TEST_CASE("npy: what is wrong with a file is said exactly") {
  scratch::Folder folder;
  auto text = [&](const std::string& image) {
    folder.write("a.npy", image);
    return failure([] { read_array("a.npy"); });
  };
  std::string whole = scratch::npy<float>({1, 2, 3, 4, 5, 6}, "(2, 3)");
  CHECK(text(whole.substr(0, whole.size() - 5)) ==
        "a.npy: error: the file is truncated: f4 values of shape [2, 3] take 24 bytes, but 19 are there");
  CHECK(text(whole + "x") ==
        "a.npy: error: the file has extra bytes at its end: f4 values of shape [2, 3] take 24 "
        "bytes, but 25 are there");
  CHECK(text(whole.substr(0, 40)) == "a.npy: error: the file is truncated inside its header");
  CHECK(text("x,y\n1,2\n3,4\n") ==
        "a.npy: error: this is not a .npy file: it does not begin with the mark of one");
  CHECK(text(scratch::npy_image("{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }", "12345678")) ==
        "a.npy: error: the values are big-endian (>f8)\nhint: save them with array.astype('<f8')");
  CHECK(text(scratch::npy_image("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "12345678")) ==
        "a.npy: error: the array holds complex numbers\n"
        "hint: save the real and the imaginary part as two arrays");
  CHECK(text(scratch::npy_image("{'descr': '<U2', 'fortran_order': False, 'shape': (1,), }", "12345678")) ==
        "a.npy: error: the array holds texts or objects, not numbers\n"
        "hint: save the array as numbers, or give the texts as a CSV column bound to index<J> data");
  CHECK(text(scratch::npy_image("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }",
                                "12345678")) ==
        "a.npy: error: the array has named fields, not plain numbers\n"
        "hint: save each field as an array of its own");
  CHECK(text(scratch::npy_image("{'fortran_order': False, 'shape': (1,), }", "12345678")) ==
        "a.npy: error: the header does not say descr");
  CHECK(text(scratch::npy_image(
            "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 99999999999), }", "")) ==
        "a.npy: error: the header's shape is impossibly large");
  CHECK(failure([] { read_array("missing.npy"); }) ==
        "missing.npy: error: there is no such file\n"
        "hint: paths are relative to the folder the command runs in");
  folder.write("empty.npy", "");
  CHECK(failure([] { read_array("empty.npy"); }) == "empty.npy: error: the file is empty");
  std::filesystem::create_directory("folder.npy");
  CHECK(failure([] { read_array("folder.npy"); }) ==
        "folder.npy: error: this is a directory, not a data file");
}

TEST_CASE("npz: stored and deflated members") {
  scratch::Folder folder;
  std::vector<double> many(5000);
  for (std::size_t i = 0; i < many.size(); ++i)
    many[i] = static_cast<double>(i % 17);
  folder.write("a.npz", zip({{"x.npy", scratch::npy<double>({1, 2, 3, 4}, "(2, 2)"), false},
                             {"many.npy", scratch::npy(many, "(5000,)"), true},
                             {"notes.txt", "not an array", false}}));
  NpzFile file(MappedFile::open("a.npz"));
  CHECK(file.names() == std::vector<std::string>{"x", "many"});
  CHECK(reals(file.read("x")) == Reals{1, 2, 3, 4});
  CHECK(reals(file.read("many")) == many);
  CHECK(failure([&] { file.read("mani"); }) ==
        "a.npz: error: the archive has no member mani\nhint: did you mean many? its members are: x, many");
}

TEST_CASE("npz: damage is found") {
  scratch::Folder folder;
  std::string whole = zip({{"x.npy", scratch::npy<double>({1, 2, 3, 4}, "(2, 2)"), true}});
  auto text = [&](const std::string& image) {
    folder.write("a.npz", image);
    return failure([] { NpzFile(MappedFile::open("a.npz")).read("x"); });
  };
  CHECK(text(whole) == "no failure");
  CHECK(text(whole.substr(0, whole.size() - 30)) ==
        "a.npz: error: this is not an .npz archive, or it is truncated: the archive's directory is missing");
  std::string flipped = whole;
  std::size_t directory = whole.find("PK\1\2");
  flipped[directory + 16] = static_cast<char>(flipped[directory + 16] ^ 1);
  CHECK(text(flipped) == "a.npz: error: member x: its checksum is wrong: the archive is damaged");
  flipped = whole;
  flipped[directory + 27] = 127;
  CHECK(text(flipped) == "a.npz: error: member x: its size is impossible: the archive is damaged");
  flipped = whole;
  flipped[directory] = 'X';
  CHECK(text(flipped) == "a.npz: error: the archive's directory is damaged");
  // No damage may do worse than fail.
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (int bit : {1, 128}) {
      flipped = whole;
      flipped[i] = static_cast<char>(flipped[i] ^ bit);
      text(flipped);
    }
}

TEST_CASE("json: shapes and numbers") {
  CHECK(json(R"({"x": 3})").values.shape.empty());
  CHECK(json(R"({"x": 3})").values.element == Element::i64);
  CHECK(json(R"({"a": {"b": ["}", null]}, "x": [1, 2, -3]})").values.shape == Shape{3});
  RawData matrix = json(R"({"x": [[1, 2.5], [3e2, -4], [5, 6]]})");
  CHECK(matrix.values.shape == Shape{3, 2});
  CHECK(matrix.values.element == Element::f64);
  CHECK(reals(matrix.values) == Reals{1, 2.5, 300, -4, 5, 6});
  CHECK(reals(json(R"({"x": [true, false]})").values) == Reals{1, 0});
  CHECK(json(R"([[1], [2]])", "").values.shape == Shape{2, 1});
  CHECK(json(R"({"x": []})").values.shape == Shape{0});
  CHECK(json(R"({"x": [[], []]})").values.shape == Shape{2, 0});
  CHECK(json("\xEF\xBB\xBF{\"x\\u0041\": 1}", "xA").values.integer_at(0) == 1);
  CHECK(json(R"({"x": 9007199254740993})").values.integer_at(0) == 9007199254740993);
}

TEST_CASE("json: numbers beyond JSON") {
  Array x = json(R"({"x": [NaN, Infinity, -Infinity, "NaN", "Inf", "-inf", "+Infinity", 1e400, 2]})").values;
  Reals values = reals(x);
  double infinity = std::numeric_limits<double>::infinity();
  CHECK(std::isnan(values[0]));
  CHECK(values[1] == infinity);
  CHECK(values[2] == -infinity);
  CHECK(std::isnan(values[3]));
  CHECK(values[4] == infinity);
  CHECK(values[5] == -infinity);
  CHECK(values[6] == infinity);
  CHECK(values[7] == infinity);
  CHECK(values[8] == 2);
}

TEST_CASE("json: ragged rows and texts") {
  RawData ragged = json(R"({"x": [[[1, 2]], [], [[3, 4], [5, 6]]]})");
  CHECK(ragged.ragged);
  CHECK(ragged.lengths == Shape{1, 0, 2});
  CHECK(ragged.values.shape == Shape{3, 2});
  CHECK(reals(ragged.values) == Reals{1, 2, 3, 4, 5, 6});
  RawData texts = json(R"({"x": ["b", "a", "b", "NaN"]})", "x", true);
  CHECK(texts.levels == std::vector<std::string>{"b", "a", "NaN"});
  CHECK(reals(texts.values) == Reals{0, 1, 0, 2});
}

TEST_CASE("json: what is wrong is said with its line") {
  CHECK(json_failure("{\n\"x\": [1,\n null]}") ==
        "d.json:3: error: x has a missing value (null)\n"
        "hint: leave the row out, or model the missing value as a latent");
  CHECK(json_failure("{\"x\": [1,\n\"a\"]}") ==
        "d.json:2: error: x has text where a number is expected\n"
        "hint: declare the data as index<J> to number the texts in alphabetical order");
  CHECK(json_failure("{\"x\": [1, [2]]}") == "d.json:1: error: x mixes numbers and arrays at the same depth");
  CHECK(json_failure("{\"x\": [[2], 1]}") == "d.json:1: error: x mixes numbers and arrays at the same depth");
  CHECK(json_failure("{\"x\": [[[]], 1]}") ==
        "d.json:1: error: x mixes numbers and arrays at the same depth");
  CHECK(json_failure("{\"x\": [[[1], [2, 3]]]}") == "d.json:1: error: x has rows of different lengths in "
                                                    "dimension 2\nhint: only dimension 1 may be ragged");
  CHECK(json_failure("{\"x\": [1, 2}") == "d.json:1: error: expected ']' or ',', found '}'");
  CHECK(json_failure("{\"x\": [1, 2") == "d.json:1: error: the text ends inside a value");
  CHECK(json_failure("{\"x\": [1 2]}") == "d.json:1: error: expected ']' or ',' in the array x, found '2'");
  CHECK(json_failure("{\"x\": [1,,2]}") == "d.json:1: error: a number is missing in x");
  CHECK(json_failure("{\"x\": }") == "d.json:1: error: a value is missing before '}'");
  CHECK(json_failure("{\"x\" 1}") == "d.json:1: error: expected ':' after \"x\", found '1'");
  CHECK(json_failure("{\"x\": 1 \"y\": 2}") ==
        "d.json:1: error: expected '}' or ',' after a value, found '\"'");
  CHECK(json_failure("{x: 1}") == "d.json:1: error: expected a name in quotes, found 'x'");
  CHECK(json_failure("N <- 3") ==
        "d.json:1: error: expected '{' or '[' at the beginning of the data, found 'N'");
  CHECK(json_failure("{\"x\": 1x}") == "d.json:1: error: x has '1x', which is not a number");
  CHECK(json_failure("{\"x\": {\"y\": 1}}") == "d.json:1: error: x holds an object, not numbers");
  CHECK(json_failure("{\"x\": 1, \"x\": 2}") == "d.json:1: error: the key x occurs twice");
  CHECK(json_failure("{\"x\": 1}\n\n]") == "d.json:3: error: there is more text after the end of the data");
  CHECK(json_failure("{\"Beta\": 1}", "beta") ==
        "d.json: error: the file has no key beta\nhint: did you mean Beta? its keys are: Beta");
  CHECK(json_failure("  ") == "d.json:1: error: the file has no content");
  CHECK(json_failure("{\"x\": " + std::string(100, '[') + std::string(100, ']') + "}") ==
        "d.json:1: error: x is nested too deeply");
}

TEST_CASE("json: the line of an element") {
  scratch::Folder folder;
  folder.write("d.json", "{\"x\": [\n[1, 2],\n[3,\n4]]}");
  JsonFile file(MappedFile::open("d.json"));
  CHECK(file.line_of("x", 0) == 2);
  CHECK(file.line_of("x", 2) == 3);
  CHECK(file.line_of("x", 3) == 4);
}

namespace {

std::vector<CsvFile::Column> csv(const std::string& text, const std::vector<CsvFile::Request>& requests) {
  scratch::Folder folder;
  folder.write("t.csv", text);
  return CsvFile(MappedFile::open("t.csv")).read(requests);
}

std::vector<std::string> csv_columns(const std::string& text) {
  scratch::Folder folder;
  folder.write("t.csv", text);
  return CsvFile(MappedFile::open("t.csv")).columns();
}

std::string csv_failure(const std::string& text) {
  return failure([&] { csv(text, {{0, CsvFile::Wanted::numbers}}); });
}

std::string column_error(const std::string& text, CsvFile::Wanted wanted = CsvFile::Wanted::numbers) {
  auto columns = csv(text, {{0, wanted}});
  return columns[0].error ? to_text(*columns[0].error) : "no error";
}

} // namespace

TEST_CASE("csv: separators, quotes, line ends, headers") {
  using Names = std::vector<std::string>;
  CHECK(csv_columns("a,b\n1,2\n") == Names{"a", "b"});
  CHECK(csv_columns("a;b,c;d\n1;2;3\n") == Names{"a", "b,c", "d"});
  CHECK(csv_columns("a\tb\n1\t2\n") == Names{"a", "b"});
  CHECK(csv_columns("\xEF\xBB\xBF\"a \"\"x\"\"\", b \r\n1,2\r\n") == Names{"a \"x\"", "b"});
  CHECK(csv_columns("# remark\n\n,b\n1,2\n") == Names{"", "b"});
  CHECK(csv_columns("0,1.5,-2e3\n1,2,3\n") == Names{"1", "2", "3"});
  CHECK(csv_columns("\"1\",\"2\"\n1,2\n") == Names{"1", "2"});

  auto columns =
      csv("a,b,c\r\n1,\"x, y\",+2.5\r\n\r\n 3 ,\"two\nlines\",\"4e1\"\r\n",
          {{0, CsvFile::Wanted::numbers}, {1, CsvFile::Wanted::text}, {2, CsvFile::Wanted::numbers}});
  CHECK(reals(columns[0].data.values) == Reals{1, 3});
  CHECK(columns[1].data.levels == Names{"x, y", "two\nlines"});
  CHECK(reals(columns[2].data.values) == Reals{2.5, 40});
  auto headless = csv("0,1\n2,3", {{1, CsvFile::Wanted::numbers}});
  CHECK(reals(headless[0].data.values) == Reals{1, 3});
  auto truths = csv("a\nTRUE\nfalse\n", {{0, CsvFile::Wanted::numbers}});
  CHECK(reals(truths[0].data.values) == Reals{1, 0});
}

TEST_CASE("csv: a column of texts is found out on the way") {
  auto columns = csv("id,x\n1,5\n02,6\nb,7\n1,8\n",
                     {{0, CsvFile::Wanted::numbers_or_text}, {1, CsvFile::Wanted::numbers_or_text}});
  CHECK(columns[0].data.levels == std::vector<std::string>{"1", "02", "b"});
  CHECK(reals(columns[0].data.values) == Reals{0, 1, 2, 0});
  CHECK(columns[1].data.levels.empty());
  CHECK(reals(columns[1].data.values) == Reals{5, 6, 7, 8});
}

TEST_CASE("csv: what is wrong is said with row and line") {
  CHECK(column_error("a,b\n1,2\n,4\n") ==
        "t.csv:3: error: column a has a missing value in row 2 (empty field)\n"
        "hint: leave such rows out with `--data FILE.csv,drop_missing`, or model the missing value as a "
        "latent");
  CHECK(column_error("a,b\n1,\"x\n\ny\"\n\nNA,4\n") ==
        "t.csv:6: error: column a has a missing value in row 2 (NA)\n"
        "hint: leave such rows out with `--data FILE.csv,drop_missing`, or model the missing value as a "
        "latent");
  CHECK(column_error("a\n1\n\n3\n") == "t.csv:3: error: column a has a missing value in row 2 (empty field)\n"
                                       "hint: leave such rows out with `--data FILE.csv,drop_missing`, or "
                                       "model the missing value as a latent");
  CHECK(column_error("a\n1\n3\n\n\n") == "no error");
  CHECK(column_error("a\n1\n2 apples\n") ==
        "t.csv:3: error: column a has '2 apples' in row 2, which is not a number\n"
        "hint: text columns can be bound to index<J> data: the texts are numbered in alphabetical order");
  // What nobody asks for may be missing.
  CHECK(column_error("a,b\n1,\n2,x\n") == "no error");
  CHECK(csv_failure("a,b\n1,2\n3\n") == "t.csv:3: error: row 2 has 1 field, but the header has 2");
  CHECK(csv_failure("a,b\n1,2\n3,4,5\n") == "t.csv:3: error: row 2 has 3 fields, but the header has 2");
  CHECK(csv_failure("a,b\n1,2\n3,\"4\n") == "t.csv:3: error: a quote is opened here and never closed");
  CHECK(csv_failure("a,a\n1,2\n") == "t.csv:1: error: the header has the column a twice");
  CHECK(csv_failure("a,b\n") == "t.csv: error: the file has a header but no rows");
  CHECK(csv_failure("\n\n") == "t.csv: error: the file has no header");
  CHECK(csv_failure(std::string("PK\0\0", 4)) == "t.csv: error: this is not a text file");
}

TEST_CASE("csv: a hundred thousand rows in well under a second") {
  std::string text = "id,delay,distance,origin\n";
  constexpr std::int64_t rows = 100000;
  for (std::int64_t i = 0; i < rows; ++i)
    text +=
        std::to_string(i) + "," + std::to_string(i % 97 - 5) + ".25," + std::to_string(i % 2500) + ",ABC\n";
  auto begin = std::chrono::steady_clock::now();
  auto columns = csv(text, {{1, CsvFile::Wanted::numbers}, {3, CsvFile::Wanted::numbers_or_text}});
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  CHECK(columns[0].data.values.shape == Shape{rows});
  CHECK(columns[0].data.values.real_at(rows - 1) == static_cast<double>((rows - 1) % 97 - 5) + 0.25);
  CHECK(columns[1].data.levels == std::vector<std::string>{"ABC"});
  // 3,000,000 rows within a few seconds, with a margin for a busy machine and a debug build.
  CHECK(seconds < 1.0);
}

TEST_CASE("text readers survive any damage") {
  scratch::Folder folder;
  std::string object = "{\"x\": [[1, 2.5e3], [\"NaN\", -4]], \"y\\u00e9\": {\"z\": [true, null]}}";
  std::string table = "# r\na;\"b \"\"c\";d\r\n1;\"2\";x\r\n\r\n-3e5;4;\"y\nz\"\r\n";
  std::uint32_t state = 1;
  auto damaged = [&](std::string text) {
    state = state * 1664525u + 1013904223u;
    std::size_t at = state >> 8 & 0xFFFF;
    if (text.size() < 2)
      return text;
    text[at % text.size()] = "\"[]{},:;\\\n\r\0u19-eN \xFF"[state >> 24 & 15];
    return (state >> 5 & 3) == 0 ? text.substr(0, at % (text.size() - 1) + 1) : text;
  };
  for (int trial = 0; trial < 3000; ++trial) {
    folder.write("d.json", damaged(damaged(object)));
    failure([] {
      JsonFile file(MappedFile::open("d.json"));
      for (const std::string& key : file.keys())
        failure([&] { file.read(key, true); });
    });
    folder.write("t.csv", damaged(damaged(table)));
    failure([] {
      CsvFile file(MappedFile::open("t.csv"));
      std::vector<CsvFile::Request> requests;
      for (std::size_t i = 0; i < file.columns().size(); ++i)
        requests.push_back({i, CsvFile::Wanted::numbers_or_text});
      file.read(requests);
    });
  }
}
