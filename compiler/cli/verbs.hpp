/** \file
 * The verbs of the command line. Each declares its options on a subcommand and says what to run; each lives
 * in its own file and uses the public API.
 */
#pragma once

#include "plait/plait.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace plait::cli {

inline constexpr int exit_interrupted = 130;

/** What a verb does once the command line is parsed; the result is the exit code. */
using Action = std::function<int()>;

/** Every verb's maker: adds the subcommand to `app` and returns its action. */
struct Verb {
  std::string name;
  Action action;
};
Verb add_check(CLI::App& app);
Verb add_fit(CLI::App& app);
Verb add_sample(CLI::App& app);
Verb add_predict(CLI::App& app);
Verb add_evaluate(CLI::App& app);
Verb add_emit(CLI::App& app);
Verb add_format(CLI::App& app);
Verb add_list(CLI::App& app);

/** Options that several verbs share, as the user wrote them. */
struct CommonOptions {
  std::vector<std::string> data;
  std::vector<std::string> set;
  std::string precision = "auto";
  std::string objective = "elbo";
  int particles = 1;
  bool no_cache = false;
};
void add_data_options(CLI::App& verb, CommonOptions& options);
void add_compile_options(CLI::App& verb, CommonOptions& options);
Data read_data(const CommonOptions& options);
/** `--set` for the verbs that take new data: sizes alone. */
void add_size_option(CLI::App& verb, CommonOptions& options);
/** The new data and the sizes given with them. */
Data read_new_data(const CommonOptions& options);
CompileOptions read_compile_options(const CommonOptions& options);

/** "name(a=1,b=2)" or "name": a table row with its options. \throws Error(Fault::usage). */
void read_choice(const std::string& text, const std::string& option, std::string& name,
                 std::map<std::string, double>& options);

/** What reading the data left out, a line each, on standard error. */
void print_notes(const std::vector<std::string>& notes);

/** Writes text to a file, or to standard output when the name is "-" or empty. \throws Error(Fault::usage).
 */
void write_output(const std::string& file, const std::string& text);

/** `name`, `name.2`, `name.2.0`: element `flat` of an array. */
std::string element_name(const std::string& name, const std::vector<std::int64_t>& shape, std::size_t flat);

/** Draws as comma-separated values: one row a draw, one column a number, `name.i.j` zero-based. */
std::string draws_to_csv(const std::vector<DrawnArray>& arrays);

/** The posterior as an aligned table; arrays of more than `most` numbers are cut. */
std::string summary_table(const std::vector<Summary>& summaries, std::size_t most);

} // namespace plait::cli
