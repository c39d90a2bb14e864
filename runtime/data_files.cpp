#include "runtime/data_files.hpp"

#include "runtime/bound_shape.hpp"
#include "runtime/names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace plait::runtime {

namespace {

[[noreturn]] void fail(const DataArgument& argument, std::string message, std::string hint = {}) {
  DataError error;
  error.name = argument.name;
  error.file = argument.file;
  error.message = std::move(message);
  error.hint = std::move(hint);
  throw DataFailure(std::move(error));
}

} // namespace

DataFiles::OpenFile& DataFiles::open(const DataArgument& argument) {
  auto found = files_.find(argument.file);
  if (found != files_.end())
    return found->second;
  OpenFile file;
  file.bytes = MappedFile::open(argument.file);
  switch (argument.format) {
  case Origin::Format::json:
    file.json = std::make_unique<JsonFile>(file.bytes);
    break;
  case Origin::Format::csv:
    file.csv = std::make_unique<CsvFile>(file.bytes);
    break;
  case Origin::Format::npz:
    file.npz = std::make_unique<NpzFile>(file.bytes);
    break;
  case Origin::Format::npy:
  case Origin::Format::none:
    break;
  }
  order_.push_back(argument.file);
  return files_.emplace(argument.file, std::move(file)).first->second;
}

void DataFiles::open_shared(std::vector<DataError>& errors) {
  for (const DataArgument& argument : source_.arguments) {
    if (!argument.name.empty())
      continue;
    try {
      open(argument);
    } catch (const DataFailure& failure) {
      errors.push_back(failure.error);
    }
  }
}

std::optional<Located> DataFiles::locate(const std::string& name, bool matrix) {
  for (const DataArgument& argument : source_.arguments) {
    if (argument.name != name)
      continue;
    Located located{&argument, argument.keys};
    if (argument.memory)
      return located;
    OpenFile& file = open(argument);
    if (file.csv)
      located.keys = resolve_columns(argument, name, matrix);
    else if (file.json && located.keys.empty())
      located.keys = {file.json->is_array() ? "" : name};
    else if (file.npz && located.keys.empty())
      located.keys = {file.npz->names().size() == 1 && !file.npz->has(name) ? file.npz->names()[0] : name};
    return located;
  }
  for (const DataArgument& argument : source_.arguments) {
    auto found = files_.find(argument.file);
    if (!argument.name.empty() || found == files_.end())
      continue;
    const OpenFile& file = found->second;
    if ((file.json && !file.json->is_array() && file.json->has(name)) || (file.csv && file.csv->find(name)) ||
        (file.npz && file.npz->has(name)))
      return Located{&argument, {name}};
  }
  return std::nullopt;
}

std::size_t DataFiles::column_index(const CsvFile& csv, const std::string& column,
                                    const std::string& name) const {
  if (auto index = csv.find(column))
    return *index;
  DataError error;
  error.name = name;
  error.file = csv.path();
  error.key = column;
  error.message = fmt::format("{} is bound to column {}, but the table has no such column", name, column);
  error.hint =
      fmt::format("{}its columns are: {}", suggestion(column, csv.columns()), listed_names(csv.columns()));
  throw DataFailure(std::move(error));
}

std::vector<std::string> DataFiles::resolve_columns(const DataArgument& argument, const std::string& name,
                                                    bool matrix) {
  const CsvFile& csv = *open(argument).csv;
  const std::vector<std::string>& all = csv.columns();
  std::size_t group = argument.group.empty() ? all.size() : column_index(csv, argument.group, name);
  std::vector<std::string> columns;
  if (argument.keys.empty()) {
    if (csv.find(name))
      return {name};
    for (std::size_t i = 0; i < all.size(); ++i)
      if (i != group)
        columns.push_back(all[i]);
    if (!matrix && columns.size() != 1)
      fail(argument,
           fmt::format("the table has no column {}, and which of its {} columns is meant is not said", name,
                       columns.size()),
           fmt::format("write --data {}={}:COLUMN; the columns are: {}", name, argument.file,
                       listed_names(all)));
    return columns;
  }
  for (const std::string& key : argument.keys) {
    std::size_t dots = key.find("..");
    if (dots == std::string::npos || csv.find(key)) {
      column_index(csv, key, name);
      columns.push_back(key);
      continue;
    }
    std::size_t from = column_index(csv, key.substr(0, dots), name);
    std::size_t to = column_index(csv, key.substr(dots + 2), name);
    if (to < from)
      fail(argument, fmt::format("the columns {} run backwards", key));
    columns.insert(columns.end(), all.begin() + static_cast<std::ptrdiff_t>(from),
                   all.begin() + static_cast<std::ptrdiff_t>(to) + 1);
  }
  return columns;
}

namespace {

CsvFile::Wanted wanted_of(const Located& located, bool text) {
  return text && located.keys.size() == 1 ? CsvFile::Wanted::numbers_or_text : CsvFile::Wanted::numbers;
}

} // namespace

void DataFiles::announce(const Located& located, bool text) {
  if (located.argument->memory)
    return;
  OpenFile& file = open(*located.argument);
  if (!file.csv)
    return;
  for (const std::string& key : located.keys)
    file.announced.emplace(column_index(*file.csv, key, located.argument->name), wanted_of(located, text));
  if (!located.argument->group.empty())
    file.announced.emplace(column_index(*file.csv, located.argument->group, located.argument->name),
                           CsvFile::Wanted::text);
}

const CsvFile::Column& DataFiles::column(OpenFile& file, std::size_t index, CsvFile::Wanted wanted) {
  auto found = file.columns.find({index, wanted});
  if (found != file.columns.end())
    return found->second;
  file.announced.emplace(index, wanted);
  const bool drops = std::any_of(source_.arguments.begin(), source_.arguments.end(), [&](const auto& given) {
    return given.drop_missing && given.file == file.csv->path();
  });
  if (drops && !file.left_out) {
    std::vector<std::size_t> used;
    for (const auto& key : file.announced)
      used.push_back(key.first);
    file.left_out = 0; // looked for once, whatever comes of it
    file.left_out = file.csv->leave_out_missing(used);
  }
  std::vector<CsvFile::Request> requests;
  for (const auto& key : file.announced)
    if (!file.columns.contains(key))
      requests.push_back({key.first, key.second});
  std::vector<CsvFile::Column> columns = file.csv->read(requests);
  for (std::size_t i = 0; i < requests.size(); ++i)
    file.columns.emplace(std::pair(requests[i].column, requests[i].wanted), std::move(columns[i]));
  return file.columns.at({index, wanted});
}

void DataFiles::load_table(OpenFile& file, LoadedData& data, bool text) {
  const Located& located = data.located;
  const DataArgument& argument = *located.argument;
  std::vector<const CsvFile::Column*> columns;
  for (const std::string& key : located.keys) {
    const CsvFile::Column& read =
        column(file, column_index(*file.csv, key, argument.name), wanted_of(located, text));
    if (read.error)
      throw DataFailure(*read.error);
    columns.push_back(&read);
  }
  RawData& raw = data.raw;
  if (argument.group.empty() && columns.size() == 1) {
    raw = columns[0]->data;
    return;
  }
  std::int64_t rows = columns[0]->data.values.shape[0];
  auto width = static_cast<std::int64_t>(columns.size());
  if (!argument.group.empty()) {
    const CsvFile::Column& group =
        column(file, column_index(*file.csv, argument.group, argument.name), CsvFile::Wanted::text);
    if (group.error)
      throw DataFailure(*group.error);
    raw.ragged = true;
    raw.lengths.assign(group.data.levels.size(), 0);
    for (std::int64_t i = 0; i < rows; ++i)
      ++raw.lengths[static_cast<std::size_t>(group.data.values.integer_at(i))];
    std::vector<std::int64_t> next(raw.lengths.size(), 0);
    std::partial_sum(raw.lengths.begin(), raw.lengths.end() - 1, next.begin() + 1);
    data.order.resize(static_cast<std::size_t>(rows));
    for (std::int64_t i = 0; i < rows; ++i)
      data.order[static_cast<std::size_t>(
          next[static_cast<std::size_t>(group.data.values.integer_at(i))]++)] = i;
  }
  raw.levels = columns[0]->data.levels;
  std::vector<double> values(static_cast<std::size_t>(rows * width));
  for (std::int64_t i = 0; i < rows; ++i) {
    std::int64_t from = data.order.empty() ? i : data.order[static_cast<std::size_t>(i)];
    for (std::int64_t k = 0; k < width; ++k)
      values[static_cast<std::size_t>(i * width + k)] =
          columns[static_cast<std::size_t>(k)]->data.values.real_at(from);
  }
  std::vector<std::int64_t> shape{rows};
  if (width > 1)
    shape.push_back(width);
  raw.values = make_array(std::move(shape), std::move(values));
  raw.values.origin = {Origin::Format::csv, argument.file, fmt::format("{}", fmt::join(located.keys, ","))};
}

void DataFiles::load_archive(OpenFile& file, LoadedData& data) {
  const DataArgument& argument = *data.located.argument;
  RawData& raw = data.raw;
  raw.values = file.npz->read(data.located.keys[0]);
  if (argument.group.empty())
    return;
  Array offsets = file.npz->read(argument.group);
  std::int64_t total = raw.values.shape.empty() ? 0 : raw.values.shape[0];
  if (offsets.rank() != 1 || offsets.shape[0] < 2 || is_float(offsets.element))
    fail(argument,
         fmt::format("{} does not hold offsets: they are a vector of whole numbers", argument.group));
  std::int64_t rows = offsets.shape[0] - 1;
  for (std::int64_t n = 0; n < rows; ++n) {
    raw.lengths.push_back(offsets.integer_at(n + 1) - offsets.integer_at(n));
    if (raw.lengths.back() < 0)
      fail(argument, fmt::format("{} does not hold offsets: it falls at element {}", argument.group, n + 1));
  }
  if (offsets.integer_at(0) != 0 || offsets.integer_at(rows) != total)
    fail(argument, fmt::format("the offsets {} run from {} to {}, but {} has {} elements", argument.group,
                               offsets.integer_at(0), offsets.integer_at(rows), data.located.keys[0], total));
  raw.ragged = true;
  if (argument.repeat.empty())
    return;
  Array counts = file.npz->read(argument.repeat);
  if (counts.rank() != 1 || counts.shape[0] != total || is_float(counts.element) || raw.values.rank() != 1 ||
      is_float(raw.values.element))
    fail(argument, fmt::format("'*' needs whole numbers {} and as many counts {}", data.located.keys[0],
                               argument.repeat));
  std::vector<std::int32_t> values;
  std::int64_t at = 0;
  for (std::int64_t& length : raw.lengths) {
    std::int64_t repeated = 0;
    for (std::int64_t end = at + length; at < end; ++at) {
      std::int64_t count = counts.integer_at(at);
      if (count < 0)
        fail(argument,
             fmt::format("{}[{}] is {}, but a count must be at least 0", argument.repeat, at, count));
      values.insert(values.end(), static_cast<std::size_t>(count),
                    static_cast<std::int32_t>(raw.values.integer_at(at)));
      repeated += count;
    }
    length = repeated;
  }
  Origin origin = raw.values.origin;
  auto size = static_cast<std::int64_t>(values.size());
  raw.values = make_array({size}, std::move(values));
  raw.values.origin = origin;
}

namespace {

// The threshold and scale options. NaN stays NaN: it is no value, above or below.
void transform(Array& array, const DataArgument& argument) {
  std::int64_t size = array.size();
  auto count = static_cast<std::size_t>(size);
  Array result;
  if (argument.threshold) {
    std::vector<std::uint8_t> bits(count);
    bool nan = false;
    with_element(array.element, [&](auto* type) {
      auto* from = static_cast<decltype(type)>(array.data);
      for (std::size_t i = 0; i < count; ++i) {
        auto x = static_cast<double>(from[i]);
        nan = nan || x != x;
        bits[i] = x > *argument.threshold;
      }
    });
    if (nan)
      return;
    result = make_array(array.shape, std::move(bits));
  } else if (argument.scale) {
    if (array.element == Element::f64) {
      std::vector<double> values(count);
      array.read(0, size, values.data());
      for (double& x : values)
        x /= *argument.scale;
      result = make_array(array.shape, std::move(values));
    } else {
      std::vector<float> values(count);
      array.read(0, size, values.data());
      for (float& x : values)
        x = static_cast<float>(x / *argument.scale);
      result = make_array(array.shape, std::move(values));
    }
  } else {
    return;
  }
  result.origin = array.origin;
  array = std::move(result);
}

} // namespace

LoadedData DataFiles::load(const Located& located, bool text) {
  const DataArgument& argument = *located.argument;
  LoadedData data;
  data.located = located;
  if (argument.memory) {
    data.raw.values = *argument.memory;
    return data;
  }
  OpenFile& file = open(argument);
  text = text && !argument.threshold && !argument.scale;
  if (file.csv)
    load_table(file, data, text);
  else if (file.json)
    data.raw = file.json->read(located.keys[0], text);
  else if (file.npz)
    load_archive(file, data);
  else
    data.raw.values = read_npy(file.bytes);
  transform(data.raw.values, argument);
  return data;
}

std::optional<DataFiles::Number> DataFiles::find_number(const std::string& name) {
  for (const DataArgument& argument : source_.arguments) {
    if (argument.name != name && !argument.name.empty())
      continue;
    auto found = files_.find(argument.file);
    if (argument.name.empty() && (found == files_.end() || found->second.csv))
      continue;
    Array values;
    try {
      std::optional<Located> located = locate(name, false);
      if (!located || located->argument != &argument || (!argument.memory && open(argument).csv))
        continue;
      values = load(*located, false).raw.values;
    } catch (const DataFailure&) {
      // What cannot be read as a number is not one; a declaration that needs it will report why.
      continue;
    }
    if (values.size() == 1 && values.rank() <= 1 && !is_float(values.element))
      return Number{values.integer_at(0), argument.file};
  }
  return std::nullopt;
}

std::int64_t DataFiles::line_of(const LoadedData& data, std::int64_t flat) {
  const DataArgument& argument = *data.located.argument;
  if (argument.memory)
    return -1;
  OpenFile& file = open(argument);
  if (file.json)
    return file.json->line_of(data.located.keys[0], flat);
  if (!file.csv)
    return -1;
  std::int64_t row = flat / static_cast<std::int64_t>(data.located.keys.size());
  if (!data.order.empty())
    row = data.order[static_cast<std::size_t>(row)];
  return file.csv->line_of(file.csv->row_in_file(row + 1));
}

std::vector<std::string> DataFiles::shared_names() {
  std::vector<std::string> names;
  for (const DataArgument& argument : source_.arguments) {
    auto found = files_.find(argument.file);
    if (!argument.name.empty() || found == files_.end())
      continue;
    const OpenFile& file = found->second;
    const std::vector<std::string> none;
    const std::vector<std::string>& more = file.json  ? file.json->keys()
                                           : file.csv ? file.csv->columns()
                                           : file.npz ? file.npz->names()
                                                      : none;
    names.insert(names.end(), more.begin(), more.end());
  }
  return names;
}

std::vector<DataFile> DataFiles::list_files(bool fingerprint) const {
  std::vector<DataFile> list;
  for (const std::string& path : order_) {
    const OpenFile& file = files_.at(path);
    std::string_view bytes = file.bytes->bytes();
    list.push_back({path, static_cast<std::int64_t>(bytes.size()),
                    fingerprint ? content_fingerprint(bytes) : "", file.left_out.value_or(0)});
  }
  return list;
}

} // namespace plait::runtime
