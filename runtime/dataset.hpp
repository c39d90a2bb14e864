// The data of a model: what its declarations expect, what the command line offers, and the two bound
// together.
#pragma once

#include "runtime/abi.hpp"
#include "runtime/array.hpp"
#include "runtime/data_error.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plait::runtime {

/// A dimension: a symbolic size (`name`, its value found by binding) or, when `name` is empty, the literal
/// `value`.
struct Size {
  std::string name;
  std::int64_t value = -1;
};

enum class DataKind { real, integer, bit, index };

/// A support over the trailing dimensions of the data, checked row by row.
enum class DataConstraint {
  none,
  simplex,
  ordered,
  positive_ordered,
  unit_vector,
  cholesky_factor,
  cov,
  corr
};

struct Limit {
  double value = 0;
  bool open = false; ///< the limit itself is excluded
};

/// One `data` declaration, as the compiler hands it over. `sizes` has one entry per dimension; for ragged
/// data sizes[1] is the dimension that differs per row, and its name is that of the lengths (`T` in `[N, T,
/// 88]`).
struct ExpectedData {
  std::string name;
  DataKind kind = DataKind::real;
  std::vector<Size> sizes;
  bool ragged = false;
  std::optional<Limit> lower, upper;
  DataConstraint constraint = DataConstraint::none;
  Size index_size;             ///< kind index: the J of `index<J>`
  std::int64_t index_base = 0; ///< kind index: the number the file counts from
};

/// One parsed `--data` argument.
///   FILE.json | FILE.csv | FILE.npz          every data name is looked up in it
///   NAME=FILE.npy                            the array
///   NAME=FILE.npz[:MEMBER]                   default member: NAME
///   NAME=FILE.json[:KEY]                     default key: NAME; the file may also be one bare array
///   NAME=FILE.csv[:COLUMN[,COLUMN|FROM..TO]…]   several columns make a matrix; default: see bind_data
/// After any of the NAME= forms:
///   @KEY           rows are grouped (ragged data): for csv, by the value of column KEY in order of first
///   appearance;
///                  for npz, by the offsets array KEY (N+1 numbers, compressed rows)
///   *KEY           (after @KEY, npz) element i is repeated as often as entry i of array KEY says
///   ,threshold=X   0 or 1: whether the value is greater than X        ,scale=X   the value divided by X
struct DataArgument {
  std::string text; ///< as written
  std::string name; ///< empty for a file in which all names are looked up
  std::string file;
  Origin::Format format = Origin::Format::none;
  std::vector<std::string> keys; ///< columns, or one key or member; empty: the default
  std::string group;
  std::string repeat;
  std::optional<double> threshold, scale;
  bool drop_missing = false;   ///< rows of the file with a missing entry in a column that is used are no rows
  std::optional<Array> memory; ///< values handed over by an embedding program; `file` then only names them
};

/// All `--data` arguments of a command line. A NAME= argument goes before the files; among files the first
/// that has the name wins.
struct DataSource {
  std::vector<DataArgument> arguments;
};

/// Parses the arguments; reads no file. On error the arguments concerned are left out and `errors` is
/// appended to. `option` is what they are arguments of.
DataSource parse_data_arguments(const std::vector<std::string>& arguments, std::vector<DataError>& errors,
                                const std::string& option = "--data");

/// One bound declaration. Values stay in the file's element type and, where possible, in the mapped file.
///   dense:  `values.shape` is the declared shape (trailing file dimensions may have been flattened into the
///   last). ragged: row n holds `lengths[n]` inner elements of `inner_size` numbers each, beginning at number
///           `starts[n] * inner_size` of `values` (compressed rows, or zero-padded rows of a common stride).
/// Index data count from 0 here, whatever their file counts from.
struct BoundData {
  std::string name;
  DataKind kind = DataKind::real;
  bool ragged = false;
  Array values;
  std::int64_t inner_size = 1;
  std::vector<std::int64_t> starts;  ///< ragged only, one per row
  std::vector<std::int32_t> lengths; ///< ragged only, one per row
  std::int64_t index_base = 0;       ///< kind index: what the file counted from
  std::vector<std::string> levels;   ///< texts of a categorical column, sorted; value k stands for levels[k]
  bool absent = false;               ///< not given, and optional: zeros of the right shape

  std::int64_t rows() const;
  /// The data as compiled steps read them; valid as long as this object. Its numbers are
  /// `storage(values.element)`.
  DataView view() const;
  /// Copies dense rows, in the order asked for, into out[rows.size() * row_size].
  void read_rows(std::span<const std::int64_t> rows, double* out) const;
  void read_rows(std::span<const std::int64_t> rows, float* out) const;
  void read_rows(std::span<const std::int64_t> rows, std::int64_t* out) const;
  void read_rows(std::span<const std::int64_t> rows, std::int32_t* out) const;
  /// Copies ragged rows into out[rows.size(), stride, inner_size], zeros after each row's end (longer rows
  /// are cut).
  void read_ragged(std::span<const std::int64_t> rows, std::int64_t stride, double* out) const;
  void read_ragged(std::span<const std::int64_t> rows, std::int64_t stride, float* out) const;
  void read_ragged(std::span<const std::int64_t> rows, std::int64_t stride, std::int64_t* out) const;
  void read_ragged(std::span<const std::int64_t> rows, std::int64_t stride, std::int32_t* out) const;
};

Storage storage(Element element);

/// A file that was read, for the manifest.
struct DataFile {
  std::string file;
  std::int64_t bytes = 0;
  std::string fingerprint;        ///< see content_fingerprint
  std::int64_t rows_left_out = 0; ///< by drop_missing
};

struct Dataset {
  std::vector<BoundData> data;                              ///< in the order of the declarations
  std::map<std::string, std::int64_t> sizes;                ///< every symbolic size met, known ones included
  std::map<std::string, std::vector<std::int64_t>> lengths; ///< ragged dimension → length of each row
  std::vector<DataFile> files;
  const BoundData* find(std::string_view name) const;
};

struct BindOptions {
  /// Sizes already known (constants). They are checked, not inferred.
  std::map<std::string, std::int64_t> sizes;
  /// Levels of categorical columns fixed by an earlier run; a text not among them is an error.
  std::map<std::string, std::vector<std::string>> levels;
  /// Declarations that may be missing: their sizes must follow from the others, from `sizes` or `left_open`.
  std::set<std::string> optional;
  /// Values of sizes that the data leave open: those of index<J>, and of declarations that are missing.
  std::map<std::string, std::int64_t> left_open;
  /// Hash the files into Dataset::files.
  bool fingerprint = true;
};

struct BindResult {
  Dataset dataset;
  std::vector<DataError> errors; ///< empty: the dataset is complete and every value lies in its support
};

/// Reads what the declarations need, and only that, infers sizes, and checks shapes and values.
/// - An unbound size is inferred from the first array that has it; a later array that disagrees is an error
/// naming
///   both places. A number of that name in a JSON file is such a place too.
/// - index<J> with J unbound: J is the largest value + 1 (counted from the base). Text columns become index
/// data
///   with levels sorted by bytes.
/// - ragged data: lengths come from nested JSON rows, from grouping, or from an integer array given under the
///   ragged dimension's name (`T=lengths.npy`), which zero-padded arrays need.
/// - NAME=FILE.csv without a column: the column NAME if there is one; else all columns, as a matrix (rank 2)
/// or, if
///   there is only one, as a vector.
/// Each declaration reports at most one fault of its own.
BindResult bind_data(const std::vector<ExpectedData>& expected, const DataSource& source,
                     const BindOptions& options = {});

/// "xxh64:" and 16 hexadecimal digits: a fast (not cryptographic) hash of the bytes.
std::string content_fingerprint(std::string_view bytes);

} // namespace plait::runtime
