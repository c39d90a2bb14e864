// One example, named by the environment: fitted by the command line as its README says, and compared with the
// result that expected.json states. Fields of expected.json:
//   data    arguments of --data; a file is looked for beside the example, then from the root of the project
//   set     arguments of --set            fit      further arguments of `plait fit`
//   needs   a file that the project does not ship: without it the example is skipped
//   expect  list of {name, index (row-major, default 0), what: mean | sd | elbo_per_row, and value, tolerance
//           or least, most; rows: what elbo_per_row divides by; why: where the number comes from}
#include "tests/support/process.hpp"

#include <nlohmann/json.hpp>

#include <iostream>
#include <optional>

using namespace plait::test;
using nlohmann::json;

namespace {

std::string placed(const std::string& argument, const fs::path& example) {
  const std::size_t equal = argument.find('=');
  const std::size_t begin = equal == std::string::npos ? 0 : equal + 1;
  const std::size_t end = argument.find_first_of(":,", begin);
  const std::string file = argument.substr(begin, end == std::string::npos ? end : end - begin);
  const fs::path place = fs::exists(example / file) ? example / file : source_folder() / file;
  return argument.substr(0, begin) + place.string() + (end == std::string::npos ? "" : argument.substr(end));
}

double number_after(const std::string& text, const std::string& word) {
  const std::size_t place = text.find(word);
  if (place == std::string::npos)
    throw std::runtime_error("no '" + word + "' in: " + text);
  return std::stod(text.substr(place + word.size()));
}

std::optional<double> find_number(const json& summary, const json& expected) {
  const std::size_t wanted = expected.value("index", std::size_t{0});
  std::size_t position = 0;
  for (const json& row : summary.at("latents"))
    if (row.at("name") == expected.at("name") && position++ == wanted)
      return row.at(expected.at("what").get<std::string>()).get<double>();
  return std::nullopt;
}

} // namespace

TEST_CASE("the example reaches its expected result") {
  const char* name = std::getenv("PLAIT_EXAMPLE");
  REQUIRE(name != nullptr);
  const fs::path example = source_folder() / "examples" / name;
  const json expected = json::parse(read_file(example / "expected.json"));
  if (expected.contains("needs") && !fs::exists(source_folder() / expected["needs"].get<std::string>())) {
    std::cout << "example skipped: it needs " << expected["needs"] << '\n';
    return;
  }

  const TemporaryFolder work;
  std::vector<std::string> arguments{"fit", (example / "model.ppl").string(), "--out", "fit.run"};
  for (const json& data : expected.value("data", json::array())) {
    arguments.push_back("--data");
    arguments.push_back(placed(data, example));
  }
  for (const json& set : expected.value("set", json::array())) {
    arguments.push_back("--set");
    arguments.push_back(set);
  }
  for (const json& argument : expected.value("fit", json::array()))
    arguments.push_back(argument);
  const Outcome fit = run_plait(arguments, work.path());
  INFO(fit.error);
  REQUIRE(fit.code == 0);

  const json summary = json::parse(read_file(work.path() / "fit.run/summary.json"));
  REQUIRE_FALSE(expected.at("expect").empty());
  for (const json& wanted : expected.at("expect")) {
    INFO(wanted.dump());
    double found = 0;
    if (wanted.at("what") == "elbo_per_row") {
      const Outcome evaluated = run_plait({"evaluate", "fit.run", "-n", "5"}, work.path());
      INFO(evaluated.error);
      REQUIRE(evaluated.code == 0);
      found = number_after(evaluated.out, "elbo ") / wanted.at("rows").get<double>();
    } else {
      const auto number = find_number(summary, wanted);
      REQUIRE(number.has_value());
      found = *number;
    }
    std::cout << name << ' ' << wanted.value("name", "") << ' ' << wanted.at("what") << ": " << found << '\n';
    if (wanted.contains("value")) {
      const double value = wanted["value"];
      const double tolerance = wanted.at("tolerance");
      CHECK(found >= value - tolerance);
      CHECK(found <= value + tolerance);
    } else {
      CHECK(found >= wanted.at("least").get<double>());
      CHECK(found <= wanted.at("most").get<double>());
    }
  }
}
