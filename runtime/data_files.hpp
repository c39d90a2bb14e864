// The files behind a DataSource: which of them holds a name, and the values it has there.
#pragma once

#include "runtime/dataset.hpp"
#include "runtime/readers/csv.hpp"
#include "runtime/readers/json.hpp"
#include "runtime/readers/mapped_file.hpp"
#include "runtime/readers/npy.hpp"
#include "runtime/readers/raw_data.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace plait::runtime {

/// Where the values of a name are.
struct Located {
  const DataArgument* argument = nullptr;
  std::vector<std::string> keys; ///< columns resolved to names; the key or member; empty for .npy
};

/// Values with what is needed to name the place of one of them.
struct LoadedData {
  RawData raw;
  Located located;
  /// Grouped rows: row k of the values is row `order[k]` of the file. Empty: the order of the file.
  std::vector<std::int64_t> order;
};

/// Opens each file once and parses only what is asked for.
class DataFiles {
public:
  explicit DataFiles(const DataSource& source) : source_(source) {}

  /// Opens the files given without a name, so that names can be looked up in them. Reports those that cannot
  /// be.
  void open_shared(std::vector<DataError>& errors);

  /// Where `name` is, if anywhere. Throws DataFailure when its file cannot be opened or its columns do not
  /// exist. `matrix`: the declaration takes several columns.
  std::optional<Located> locate(const std::string& name, bool matrix);

  /// Announces columns that `load` will want, so that each table is read in one pass.
  void announce(const Located& located, bool text);

  /// Reads the values: put together, grouped, repeated, divided or compared as the argument says.
  /// `text`: texts are welcome. Throws DataFailure.
  LoadedData load(const Located& located, bool text);

  /// A whole number given under `name` (a JSON number or an array of one element), and the file it is in.
  struct Number {
    std::int64_t value;
    std::string file;
  };
  std::optional<Number> find_number(const std::string& name);

  /// 1-based line of row-major position `flat` of loaded values; -1 in binary files.
  std::int64_t line_of(const LoadedData& data, std::int64_t flat);

  /// Names found in the files without a name, to be suggested.
  std::vector<std::string> shared_names();
  std::vector<DataFile> list_files(bool fingerprint) const;

private:
  struct OpenFile {
    std::shared_ptr<const MappedFile> bytes;
    std::unique_ptr<JsonFile> json;
    std::unique_ptr<CsvFile> csv;
    std::unique_ptr<NpzFile> npz;
    std::map<std::pair<std::size_t, CsvFile::Wanted>, CsvFile::Column> columns;
    std::set<std::pair<std::size_t, CsvFile::Wanted>> announced;
    std::optional<std::int64_t> left_out; ///< rows without an entry, once they are looked for
  };
  OpenFile& open(const DataArgument& argument);
  std::vector<std::string> resolve_columns(const DataArgument& argument, const std::string& name,
                                           bool matrix);
  const CsvFile::Column& column(OpenFile& file, std::size_t index, CsvFile::Wanted wanted);
  std::size_t column_index(const CsvFile& csv, const std::string& column, const std::string& name) const;
  void load_table(OpenFile& file, LoadedData& data, bool text);
  void load_archive(OpenFile& file, LoadedData& data);

  const DataSource& source_;
  std::map<std::string, OpenFile> files_;
  std::vector<std::string> order_; ///< files in the order they were opened
};

} // namespace plait::runtime
