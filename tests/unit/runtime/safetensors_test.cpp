#include "runtime/checkpoint.hpp"
#include "runtime/safetensors.hpp"
#include "tests/unit/runtime/scratch.hpp"

#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <limits>

using namespace plait::runtime;
using scratch::reals;

namespace {

using Shape = std::vector<std::int64_t>;
using Reals = std::vector<double>;

std::string image(const std::string& header, const std::string& values) {
  std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + values;
}

template <class Action>
std::string failure(Action&& action) {
  try {
    action();
  } catch (const StorageError& error) {
    return error.what();
  }
  return "no failure";
}

std::string read_failure(const std::string& bytes) {
  scratch::Folder folder;
  folder.write("p.safetensors", bytes);
  return failure([] { read_safetensors("p.safetensors"); });
}

Manifest some_manifest() {
  Manifest manifest;
  manifest.model_file = "coin.ppl";
  manifest.model_text = "model { }\n";
  manifest.seed = 18446744073709551615u;
  manifest.steps = 1000;
  manifest.options = {{"optimizer", "adam"}, {"rate", "0.01"}};
  manifest.constants = {{"K", 3}};
  manifest.sizes = {{"N", 10}};
  manifest.levels = {{"origin", {"ABE", "Zürich"}}};
  manifest.data_arguments = {"d.json"};
  manifest.data_files = {{"d.json", 12, "xxh64:0123456789abcdef"}, {"x.npy", 5, "xxh64:1"}};
  manifest.versions = {{"plait", "0.1.0"}};
  return manifest;
}

} // namespace

TEST_CASE("safetensors: written and read back") {
  scratch::Folder folder;
  double nan = std::bit_cast<double>(0x7FF8000000001234);
  TensorFile file;
  file.tensors = {{"loc", make_array({2, 2}, std::vector<double>{1, -0.0, nan, 5e-324})},
                  {"odd", make_array({3}, std::vector<std::uint8_t>{1, 2, 3})},
                  {"w", make_array({3}, std::vector<float>{1.5f, 2, 3})},
                  {"step", make_array({}, std::vector<std::int64_t>{-7})},
                  {"none", make_array({0, 4}, std::vector<float>{})}};
  file.metadata = {{"model", "coin \"quoted\""}};
  write_safetensors("p.safetensors", file);
  TensorFile read = read_safetensors("p.safetensors");
  CHECK(read.metadata == file.metadata);
  REQUIRE(read.tensors.size() == 5);
  CHECK(read.find("absent") == nullptr);
  for (const Tensor& tensor : file.tensors) {
    const Tensor* found = read.find(tensor.name);
    REQUIRE(found);
    CHECK(found->values.element == tensor.values.element);
    CHECK(found->values.shape == tensor.values.shape);
    std::size_t bytes = static_cast<std::size_t>(tensor.values.size()) * element_size(tensor.values.element);
    if (bytes > 0)
      CHECK(std::memcmp(found->values.data, tensor.values.data, bytes) == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(found->values.data) % element_size(tensor.values.element) == 0);
  }
  // Nothing is left beside the file.
  CHECK(std::distance(std::filesystem::directory_iterator("."), {}) == 1);
}

TEST_CASE("safetensors: the layout is the published one") {
  scratch::Folder folder;
  write_safetensors("p.safetensors", {{{"x", make_array({2}, std::vector<float>{1, 2})}}, {{"a", "b"}}});
  std::string header = R"({"__metadata__":{"a":"b"},"x":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  CHECK(folder.read("p.safetensors") == image(header, scratch::bytes_of<float>({1, 2})));
}

TEST_CASE("safetensors: a file is not believed") {
  std::string eight = "12345678";
  auto tensor = [](const std::string& rest) { return "{\"x\":" + rest + "}"; };
  CHECK(read_failure(image(tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})"), eight)) ==
        "no failure");
  CHECK(read_failure("1234") == "p.safetensors: the file is truncated");
  CHECK(read_failure("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF") ==
        "p.safetensors: this is not a safetensors file: its header would be impossibly long");
  CHECK(read_failure(image("{}", "").substr(0, 9)) ==
        "p.safetensors: the file is truncated inside its header");
  CHECK(read_failure(image("[1]", "")) == "p.safetensors: the header is not a JSON object");
  CHECK(read_failure(image("{\"x\"", "")) == "p.safetensors: the header is not a JSON object");
  CHECK(read_failure(image(tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})"), "1234")) ==
        "p.safetensors: the file is truncated: x ends at byte 8 of 4");
  CHECK(read_failure(image(tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})"), eight)) ==
        "p.safetensors: the file has 4 bytes after its last tensor");
  CHECK(read_failure(image(tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})"), eight)) ==
        "p.safetensors: the values of x do not follow those before");
  CHECK(read_failure(image(tensor(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"), eight)) ==
        "p.safetensors: x has 8 bytes of values, but its shape and type need 12");
  CHECK(read_failure(image(tensor(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"), eight)) ==
        "p.safetensors: the shape of x is missing or broken");
  CHECK(read_failure(image(tensor(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]})"),
                           eight)) == "p.safetensors: the shape of x is missing or broken");
  CHECK(read_failure(image(tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"), eight)) ==
        "p.safetensors: x has -8 bytes of values, but its shape and type need 8");
  CHECK(read_failure(image(tensor(R"({"dtype":"BF16","shape":[4],"data_offsets":[0,8]})"), eight)) ==
        "p.safetensors: x has the type BF16, which cannot be read");
  CHECK(read_failure(image(tensor(R"({"dtype":"F32","data_offsets":[0,8]})"), eight)) ==
        "p.safetensors: the description of x is missing or broken");
  std::string one = R"("x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  CHECK(read_failure(image("{" + one + "," + one + "}", "1234")) ==
        "p.safetensors: the header names a tensor twice");
  CHECK(read_failure(image(R"({"__metadata__":{"a":1}})", "")) ==
        "p.safetensors: the metadata a is not text");
  scratch::Folder folder;
  CHECK(failure([] { read_safetensors("none.safetensors"); }) == "none.safetensors: there is no such file");
  CHECK(failure([] {
          Tensor x{"x", make_array({1}, std::vector<float>{1})};
          write_safetensors("p.safetensors", {{x, x}, {}});
        }) == "p.safetensors: two tensors are named x");
  CHECK(failure([] { write_safetensors("no/folder/p.safetensors", {}); }) ==
        "no/folder/p.safetensors: cannot write the file: No such file or directory");
}

TEST_CASE("checkpoint: a state survives bit for bit") {
  scratch::Folder folder;
  FitState state;
  state.step = 12345678901;
  state.seed = 0xFEDCBA9876543210;
  state.seconds = 0.1;
  state.scalars = {{"baseline/h", 1.0 / 3}, {"smoothed elbo", std::bit_cast<double>(0xFFF0000000000000)}};
  state.parameters = {{"loc", make_array({2}, std::vector<float>{0.1f, -0.2f})}};
  state.slots = {{"loc/0", make_array({2}, std::vector<double>{0.1, -0.2})},
                 {"loc/steps", make_array({1}, std::vector<std::int64_t>{3})}};
  RunFolder run{"deep/run"};
  write_state(run, state);
  FitState read = read_state(run);
  CHECK(read.step == state.step);
  CHECK(read.seed == state.seed);
  CHECK(read.seconds == state.seconds);
  CHECK(read.scalars == state.scalars);
  REQUIRE(read.parameters.size() == 1);
  CHECK(read.parameters[0].name == "loc");
  CHECK(reals(read.parameters[0].values) == reals(state.parameters[0].values));
  REQUIRE(read.slots.size() == 2);
  CHECK(read.slots[0].name == "loc/0");
  CHECK(reals(read.slots[0].values) == Reals{0.1, -0.2});
  CHECK(read.slots[1].values.element == Element::i64);
  write_safetensors(run.state(), {});
  CHECK(failure([&] { read_state(run); }) == "deep/run/state.safetensors: the file does not say its step");
  write_safetensors(run.state(),
                    {{{"x", make_array({1}, std::vector<float>{1})}}, {{"step", "1"}, {"seed", "2"}}});
  CHECK(failure([&] { read_state(run); }) == "deep/run/state.safetensors: x is no part of a run's state");
}

TEST_CASE("checkpoint: parameters carry their step") {
  scratch::Folder folder;
  RunFolder run{"run"};
  write_parameters(run, {{"a", make_array({}, std::vector<double>{15})}}, 7);
  CHECK(reals(read_parameters(run).at(0).values) == Reals{15});
  CHECK(read_safetensors(run.parameters()).metadata.at("step") == "7");
}

TEST_CASE("checkpoint: a manifest survives, and damage is found") {
  scratch::Folder folder;
  RunFolder run{"run"};
  Manifest manifest = some_manifest();
  write_manifest(run, manifest);
  Manifest read = read_manifest(run);
  CHECK(read.model_file == manifest.model_file);
  CHECK(read.model_text == manifest.model_text);
  CHECK(read.seed == manifest.seed);
  CHECK(read.steps == manifest.steps);
  CHECK(read.options == manifest.options);
  CHECK(read.constants == manifest.constants);
  CHECK(read.sizes == manifest.sizes);
  CHECK(read.levels == manifest.levels);
  CHECK(read.data_arguments == manifest.data_arguments);
  CHECK(read.data_files.at(1).fingerprint == "xxh64:1");
  CHECK(read.versions == manifest.versions);
  CHECK(resume_differences(manifest, read).empty());

  folder.write("run/model.ppl", "model { x ~ normal(0, 1); }\n");
  CHECK(failure([&] { read_manifest(run); }) ==
        "run/model.ppl: the text was changed since the run: it is not what manifest.json describes");
  folder.write("run/manifest.json", "{\"format\": 2}");
  CHECK(failure([&] { read_manifest(run); }) ==
        "run/manifest.json: the run was written in format 2; this program reads format 1");
  folder.write("run/manifest.json", "{\"format\": 1}");
  CHECK(failure([&] { read_manifest(run); }).starts_with("run/manifest.json: the file is damaged: "));
  folder.write("run/manifest.json", "{\"for");
  CHECK(failure([&] { read_manifest(run); }).starts_with("run/manifest.json: the file is damaged: "));
  CHECK(failure([&] { read_manifest({"elsewhere"}); }) ==
        "elsewhere/manifest.json: cannot open the file: No such file or directory");
}

TEST_CASE("checkpoint: resuming says everything that differs") {
  Manifest saved = some_manifest(), now = saved;
  now.steps = 5000;
  CHECK(resume_differences(saved, now).empty());
  now.model_text += "#";
  now.seed = 1;
  now.options = {{"optimizer", "sgd"}, {"momentum", "0.9"}};
  now.constants["K"] = 4;
  now.data_files[0].bytes = 13;
  now.data_files[1].fingerprint = "xxh64:2";
  now.data_files.push_back({"y.npy", 1, ""});
  now.sizes["N"] = 11;
  CHECK(resume_differences(saved, now) ==
        std::vector<std::string>{
            "the model coin.ppl has changed since the run began",
            "the seed is 1, but was 18446744073709551615", "the option momentum is 0.9, but was not set",
            "the option optimizer is sgd, but was adam", "the option rate is not set, but was 0.01",
            "the constant K is 4, but was 3", "the data file d.json has 13 bytes, but had 12",
            "the content of the data file x.npy has changed", "the data file y.npy was not given before",
            "the size N is 11, but was 10"});
  now = saved;
  now.data_files.pop_back();
  CHECK(resume_differences(saved, now) == std::vector<std::string>{"the data file x.npy is no longer given"});
}

TEST_CASE("checkpoint: a summary survives, NaN included") {
  scratch::Folder folder;
  Summary summary;
  summary.status = "interrupted";
  summary.steps = 10;
  summary.seconds = 0.25;
  summary.elbo = -std::numeric_limits<double>::infinity();
  summary.elbo_error = std::numeric_limits<double>::quiet_NaN();
  summary.numbers = {{"k-hat", 0.1}};
  summary.rows = {{"theta", {3}, 1, 2, 3, 4, 5}};
  RunFolder run{"run"};
  write_summary(run, summary);
  Summary read = read_summary(run);
  CHECK(read.status == "interrupted");
  CHECK(read.steps == 10);
  CHECK(read.elbo == summary.elbo);
  CHECK(std::isnan(read.elbo_error));
  CHECK(read.numbers == summary.numbers);
  REQUIRE(read.rows.size() == 1);
  CHECK(read.rows[0].name == "theta");
  CHECK(read.rows[0].index == Shape{3});
  CHECK(read.rows[0].q95 == 5);
}
