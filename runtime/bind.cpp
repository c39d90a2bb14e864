#include "runtime/bind_errors.hpp"
#include "runtime/bound_shape.hpp"
#include "runtime/data_files.hpp"
#include "runtime/dataset.hpp"
#include "runtime/names.hpp"
#include "runtime/padding.hpp"
#include "runtime/validate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

namespace plait::runtime {

namespace {

class Binder {
public:
  Binder(const std::vector<ExpectedData>& expected, const DataSource& source, const BindOptions& options)
      : source_(source), options_(options), files_(source) {
    for (const ExpectedData& declaration : expected) {
      Item item;
      item.expected = &declaration;
      item.bound.name = declaration.name;
      item.bound.kind = declaration.kind;
      item.bound.ragged = declaration.ragged;
      item.bound.index_base = declaration.kind == DataKind::index ? declaration.index_base : 0;
      items_.push_back(std::move(item));
    }
  }

  BindResult run() {
    files_.open_shared(result_.errors);
    shared_failed_ = !result_.errors.empty();
    std::vector<const ExpectedData*> declared;
    for (const Item& item : items_)
      declared.push_back(item.expected);
    report_unknown_names(declared, source_, result_.errors);
    take_given_sizes();
    for (Item& item : items_)
      guarded(item, [&] { locate(item); });
    for (Item& item : items_)
      if (item.located)
        guarded(item, [&] { load(item); });
    for (Item& item : items_)
      if (!item.located)
        guarded(item, [&] { derive(item); });
    for (Item& item : items_)
      guarded(item, [&] { check_values(item); });
    settle_index_sizes();
    for (Item& item : items_)
      guarded(item, [&] { check_index(item); });
    for (Item& item : items_)
      result_.dataset.data.push_back(std::move(item.bound));
    result_.dataset.files = files_.list_files(options_.fingerprint);
    return std::move(result_);
  }

private:
  struct Item {
    const ExpectedData* expected = nullptr;
    std::optional<Located> located;
    LoadedData loaded; ///< its values are dropped once bound; keys and order stay, to name places
    BoundData bound;
    Scan scan;
    bool failed = false;
  };

  // ---- errors

  template <class Action>
  void guarded(Item& item, Action&& action) {
    if (item.failed)
      return;
    try {
      action();
    } catch (const DataFailure& failure) {
      item.failed = true;
      DataError error = failure.error;
      // A reader knows the file, not the declaration.
      if (error.name.empty()) {
        error.name = item.expected->name;
        if (!error.message.starts_with(error.name + " "))
          error.message = error.name + ": " + error.message;
      }
      result_.errors.push_back(std::move(error));
    }
  }

  DataError error_of(const Item& item, std::string message, std::string hint = {}) const {
    DataError error;
    error.name = item.expected->name;
    if (item.located) {
      error.file = item.located->argument->file;
      error.key = fmt::format("{}", fmt::join(item.located->keys, ","));
    }
    error.message = std::move(message);
    error.hint = std::move(hint);
    return error;
  }

  [[noreturn]] void fail(const Item& item, std::string message, std::string hint = {}) const {
    throw DataFailure(error_of(item, std::move(message), std::move(hint)));
  }

  /// Names the element at `flat` and fails. With `whole_row`, the problem is that of the row of the last
  /// dimensions that begins there; else that of the element's value.
  [[noreturn]] void fail_at(const Item& item, const Fault& fault, std::size_t trailing = 0) {
    DataError error = error_of(item, "", fault.hint);
    const BoundData& bound = item.bound;
    describe_fault(error, fault, trailing, bound, item.expected->sizes.size(),
                   item.located ? &*item.located : nullptr, item.loaded);
    if (item.located)
      error.line = files_.line_of(item.loaded, fault.flat);
    throw DataFailure(std::move(error));
  }

  // ---- names and sizes

  void take_given_sizes() {
    for (const auto& [name, value] : options_.sizes) {
      sizes()[name] = value;
      size_places_[name] = "--set";
    }
    auto take = [&](const Size& size) {
      if (size.name.empty() || sizes().contains(size.name))
        return;
      if (auto number = files_.find_number(size.name)) {
        sizes()[size.name] = number->value;
        size_places_[size.name] = number->file;
      }
    };
    for (const Item& item : items_) {
      for (std::size_t axis = 0; axis < item.expected->sizes.size(); ++axis)
        if (!item.expected->ragged || axis != 1)
          take(item.expected->sizes[axis]);
      take(item.expected->index_size);
    }
  }

  std::map<std::string, std::int64_t>& sizes() { return result_.dataset.sizes; }

  std::optional<std::int64_t> known(const Size& size) {
    if (size.name.empty())
      return size.value;
    auto found = sizes().find(size.name);
    return found == sizes().end() ? std::nullopt : std::optional(found->second);
  }

  std::string place(const Item& item, std::size_t axis) const {
    return fmt::format("{} ({}, dimension {})", item.expected->name, item.located->argument->file, axis);
  }

  void settle(const Item& item, std::size_t axis, std::int64_t extent,
              const std::vector<std::int64_t>& shape) {
    const Size& size = item.expected->sizes[axis];
    if (size.name.empty()) {
      if (size.value != extent)
        fail(item, fmt::format("{} has shape {}, but is declared {}", item.expected->name, shown_shape(shape),
                               declared_shape(*item.expected)));
      return;
    }
    auto [entry, fresh] = sizes().try_emplace(size.name, extent);
    if (fresh)
      size_places_[size.name] = place(item, axis);
    else if (entry->second != extent)
      fail(item, fmt::format("{} is {} by {}, but {} by {}", size.name, entry->second,
                             size_places_[size.name], extent, place(item, axis)));
  }

  // ---- values

  void locate(Item& item) {
    const ExpectedData& expected = *item.expected;
    std::size_t columns_from = expected.ragged ? 3 : 2;
    item.located = files_.locate(expected.name, expected.sizes.size() >= columns_from);
    if (item.located)
      files_.announce(*item.located, expected.kind == DataKind::index);
  }

  void load(Item& item) {
    const ExpectedData& expected = *item.expected;
    item.loaded = files_.load(*item.located, expected.kind == DataKind::index);
    RawData& raw = item.loaded.raw;
    if (!raw.levels.empty() || options_.levels.contains(expected.name))
      number_levels(item);
    if (expected.ragged)
      bind_ragged(item);
    else
      bind_dense(item);
    item.bound.values.origin = raw.values.origin;
    raw = {};
  }

  [[noreturn]] void fail_rank(const Item& item, const std::vector<std::int64_t>& shape) {
    const ExpectedData& expected = *item.expected;
    std::string has = shape.empty() ? "is a single number" : fmt::format("has shape {}", shown_shape(shape));
    std::string hint;
    if (shape.size() > expected.sizes.size() && !expected.sizes.empty())
      hint = "trailing dimensions are flattened only into a last dimension of known size";
    else if (item.located->argument->format == Origin::Format::csv && shape.size() < expected.sizes.size())
      hint = fmt::format("several columns make a matrix: --data {}={}:A,B,C", expected.name,
                         item.located->argument->file);
    fail(item, fmt::format("{} {}, but is declared {}", expected.name, has, declared_shape(expected)), hint);
  }

  void bind_dense(Item& item) {
    const ExpectedData& expected = *item.expected;
    RawData& raw = item.loaded.raw;
    if (raw.ragged) {
      if (!item.located->argument->group.empty())
        fail(item, fmt::format("{} is grouped by {}, but is not declared ragged", expected.name,
                               item.located->argument->group));
      auto other = std::find_if(raw.lengths.begin(), raw.lengths.end(),
                                [&](std::int64_t n) { return n != raw.lengths[0]; });
      fail(item,
           fmt::format(
               "{} is declared {}, but its rows differ in length: row 0 has {} elements, row {} has {}",
               expected.name, declared_shape(expected), raw.lengths[0], other - raw.lengths.begin(), *other),
           "declare the data ragged, or make the rows equally long");
    }
    const std::vector<std::int64_t> shape = raw.values.shape;
    auto fitted = fit_shape(shape, expected.sizes, [&](const Size& size) { return known(size); });
    if (!fitted)
      fail_rank(item, shape);
    if (raw.values.size() == 0)
      fail(item, fmt::format("{} has no values: its shape is {}", expected.name, shown_shape(shape)));
    for (std::size_t axis = 0; axis < fitted->size(); ++axis)
      settle(item, axis, (*fitted)[axis], shape);
    item.bound.values = raw.values;
    item.bound.values.shape = std::move(*fitted);
  }

  void bind_ragged(Item& item) {
    const ExpectedData& expected = *item.expected;
    const DataArgument& argument = *item.located->argument;
    RawData& raw = item.loaded.raw;
    BoundData& bound = item.bound;
    std::span<const Size> sizes(expected.sizes);
    const std::string& lengths_name = sizes[1].name;
    auto lookup = [&](const Size& size) { return known(size); };
    std::optional<Lengths> given = find_lengths(item, lengths_name);
    const std::vector<std::int64_t> shape = raw.values.shape;

    if (!raw.ragged && !given && argument.format != Origin::Format::json)
      fail(item,
           fmt::format("{} is declared {}, but the length of its rows is not given", expected.name,
                       declared_shape(expected)),
           argument.format == Origin::Format::csv
               ? fmt::format("group the rows of the table by a column: --data {}@COLUMN", argument.text)
               : fmt::format("give the number of valid entries of each row: --data {}=LENGTHS.npy",
                             lengths_name));
    auto fitted = fit_shape(shape, raw.ragged ? sizes.subspan(1) : sizes, lookup);
    if (!fitted)
      fail_rank(item, shape);
    std::size_t first_inner = raw.ragged ? 1 : 2;
    bound.inner_size = std::accumulate(fitted->begin() + static_cast<std::ptrdiff_t>(first_inner),
                                       fitted->end(), std::int64_t{1}, std::multiplies<>());
    if (raw.ragged) {
      for (std::int64_t length : raw.lengths)
        bound.lengths.push_back(checked_length(item, length));
      bound.starts.assign(bound.lengths.size(), 0);
      std::partial_sum(bound.lengths.begin(), bound.lengths.end() - 1, bound.starts.begin() + 1);
    } else {
      std::int64_t rows = (*fitted)[0], width = (*fitted)[1];
      bound.lengths.assign(static_cast<std::size_t>(rows), checked_length(item, width));
      for (std::int64_t n = 0; n < rows; ++n)
        bound.starts.push_back(n * width);
    }
    if (bound.starts.empty() || raw.values.size() == 0)
      fail(item, fmt::format("{} has no values", expected.name));
    settle(item, 0, bound.rows(), shape);
    for (std::size_t axis = 2; axis < sizes.size(); ++axis)
      settle(item, axis, (*fitted)[axis - 2 + first_inner], shape);
    if (given)
      apply_lengths(item, *given, raw.ragged);
    settle_lengths(item);
    bound.values = raw.values;
    bound.values.shape = std::move(*fitted);
  }

  struct Lengths {
    std::vector<std::int64_t> values;
    std::string place;
  };

  std::optional<Lengths> find_lengths(const Item& item, const std::string& name) {
    if (name.empty())
      return std::nullopt;
    std::optional<Located> located = files_.locate(name, false);
    if (!located)
      return std::nullopt;
    Array array = files_.load(*located, false).raw.values;
    std::string where = fmt::format("{} ({})", name, located->argument->file);
    if (array.rank() == 2 && array.shape[1] == 1)
      array.shape.pop_back();
    if (array.rank() != 1)
      fail(item, fmt::format("{} has shape {}, but the lengths of {} are a vector", where,
                             shown_shape(array.shape), item.expected->name));
    Lengths lengths{{}, where};
    for (std::int64_t n = 0; n < array.shape[0]; ++n) {
      double value = array.real_at(n);
      if (!(value >= 0 && value < 0x1p53 && value == std::floor(value)))
        fail(item,
             fmt::format("{}[{}] is {}, but a length must be a whole number, at least 0", where, n, value));
      lengths.values.push_back(static_cast<std::int64_t>(value));
    }
    return lengths;
  }

  void apply_lengths(Item& item, const Lengths& given, bool exact) {
    BoundData& bound = item.bound;
    const std::string& name = item.expected->name;
    if (given.values.size() != bound.lengths.size())
      fail(item, fmt::format("{} has {} lengths, but {} has {} rows", given.place, given.values.size(), name,
                             bound.lengths.size()));
    for (std::size_t n = 0; n < bound.lengths.size(); ++n) {
      if (exact ? given.values[n] != bound.lengths[n] : given.values[n] > bound.lengths[n])
        fail(item, fmt::format("{}[{}] is {}, but row {} of {} has {} elements", given.place, n,
                               given.values[n], n, name, bound.lengths[n]));
    }
    for (std::size_t n = 0; n < bound.lengths.size(); ++n)
      bound.lengths[n] = static_cast<std::int32_t>(given.values[n]);
  }

  std::int32_t checked_length(const Item& item, std::int64_t length) const {
    if (length > std::numeric_limits<std::int32_t>::max())
      fail(item,
           fmt::format("{} has a row of {} elements, more than can be counted", item.expected->name, length));
    return static_cast<std::int32_t>(length);
  }

  void settle_lengths(const Item& item) {
    const std::string& name = item.expected->sizes[1].name;
    if (name.empty())
      return;
    auto [entry, fresh] =
        result_.dataset.lengths.try_emplace(name, item.bound.lengths.begin(), item.bound.lengths.end());
    if (fresh) {
      length_places_[name] = item.expected->name;
      return;
    }
    for (std::size_t n = 0; n < std::min(entry->second.size(), item.bound.lengths.size()); ++n)
      if (entry->second[n] != item.bound.lengths[n])
        fail(item, fmt::format("{}[{}] is {} by {}, but {} by {}", name, n, entry->second[n],
                               length_places_[name], item.bound.lengths[n], item.expected->name));
  }

  // A declaration that no file has may still follow from the others: `T : int[N]` are the lengths of ragged
  // rows, and `N : int` is a size.
  void derive(Item& item) {
    const ExpectedData& expected = *item.expected;
    auto lengths = result_.dataset.lengths.find(expected.name);
    auto size = sizes().find(expected.name);
    if (expected.kind == DataKind::integer && expected.sizes.size() == 1 &&
        lengths != result_.dataset.lengths.end()) {
      item.bound.values = make_array({static_cast<std::int64_t>(lengths->second.size())}, lengths->second);
      return;
    }
    if (expected.kind == DataKind::integer && expected.sizes.empty() && size != sizes().end()) {
      item.bound.values = make_array({}, std::vector<std::int64_t>{size->second});
      return;
    }
    if (options_.optional.contains(expected.name)) {
      leave_out(item);
      return;
    }
    item.failed = true;
    if (shared_failed_)
      return;
    std::vector<std::string> names = files_.shared_names();
    std::string hint =
        names.empty()
            ? fmt::format("write --data {0}=FILE.npy, --data {0}=FILE.csv:COLUMN, or --data FILE.json with "
                          "the key {0}",
                          expected.name)
            : fmt::format("{}the files given have: {}", suggestion(expected.name, names),
                          listed_names(names));
    fail(item, fmt::format("no data given for {}, declared {}", expected.name, declared_shape(expected)),
         hint);
  }

  /// Zeros in the place of data that nobody will read.
  void leave_out(Item& item) {
    const ExpectedData& expected = *item.expected;
    BoundData& bound = item.bound;
    std::vector<std::int64_t> shape;
    for (std::size_t axis = 0; axis < expected.sizes.size(); ++axis) {
      const Size& size = expected.sizes[axis];
      if (expected.ragged && axis == 1)
        continue;
      std::optional<std::int64_t> extent = known(size);
      if (const auto left_open = options_.left_open.find(size.name);
          !extent && left_open != options_.left_open.end())
        extent = left_open->second;
      if (!extent)
        fail(item,
             fmt::format("no data given for {}, and its size {} does not follow from the rest", expected.name,
                         size.name),
             fmt::format("say how many there are: --set {}=…", size.name));
      if (!size.name.empty() && sizes().try_emplace(size.name, *extent).second)
        size_places_[size.name] = "the fit";
      shape.push_back(*extent);
    }
    if (expected.ragged) {
      const std::string& name = expected.sizes[1].name;
      std::vector<std::int64_t> lengths;
      if (const auto bound_lengths = result_.dataset.lengths.find(name);
          bound_lengths != result_.dataset.lengths.end())
        lengths = bound_lengths->second;
      else if (const std::optional<Lengths> given = find_lengths(item, name))
        lengths = given->values;
      else
        fail(item, fmt::format("no data given for {}, nor the lengths {} of its rows", expected.name, name),
             fmt::format("give the number of entries of each row: --data {}=LENGTHS.npy", name));
      if (static_cast<std::int64_t>(lengths.size()) != shape[0])
        fail(item, fmt::format("{} has {} lengths, but {} has {} rows", name, lengths.size(), expected.name,
                               shape[0]));
      std::int64_t total = 0;
      for (std::int64_t length : lengths) {
        bound.starts.push_back(total);
        bound.lengths.push_back(checked_length(item, length));
        total += length;
      }
      bound.inner_size =
          std::accumulate(shape.begin() + 1, shape.end(), std::int64_t{1}, std::multiplies<>());
      shape[0] = total;
      settle_lengths(item);
    }
    const std::int64_t numbers =
        std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    bound.values = make_array(std::move(shape), std::vector<std::uint8_t>(static_cast<std::size_t>(numbers)));
    bound.absent = true;
  }

  // ---- texts

  // Numbers the texts 0, 1, 2, … in the order of their bytes, or as an earlier run did.
  void number_levels(Item& item) {
    const std::string& name = item.expected->name;
    RawData& raw = item.loaded.raw;
    auto fixed = options_.levels.find(name);
    std::vector<std::string> levels;
    if (fixed != options_.levels.end()) {
      levels = fixed->second;
      if (raw.levels.empty())
        turn_into_texts(raw);
    } else {
      levels = raw.levels;
      std::sort(levels.begin(), levels.end());
    }
    std::map<std::string, std::int32_t> numbers;
    for (std::size_t k = 0; k < levels.size(); ++k)
      numbers.emplace(levels[k], static_cast<std::int32_t>(k));
    std::vector<std::int32_t> code_to_number;
    for (const std::string& level : raw.levels) {
      auto found = numbers.find(level);
      if (found == numbers.end())
        fail(item, fmt::format("{} has the text '{}', which is not among the {} levels of the fit", name,
                               level, levels.size()));
      code_to_number.push_back(found->second);
    }
    std::vector<std::int32_t> values(static_cast<std::size_t>(raw.values.size()));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] =
          code_to_number[static_cast<std::size_t>(raw.values.integer_at(static_cast<std::int64_t>(i)))];
    Origin origin = raw.values.origin;
    raw.values = make_array(raw.values.shape, std::move(values));
    raw.values.origin = std::move(origin);
    item.bound.levels = std::move(levels);
    item.bound.index_base = 0;
  }

  static void turn_into_texts(RawData& raw) {
    std::map<double, std::int64_t> codes;
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < raw.values.size(); ++i) {
      double x = raw.values.real_at(i);
      auto [entry, fresh] = codes.try_emplace(x, static_cast<std::int64_t>(raw.levels.size()));
      if (fresh)
        raw.levels.push_back(fmt::format("{}", x));
      values.push_back(entry->second);
    }
    Origin origin = raw.values.origin;
    raw.values = make_array(raw.values.shape, std::move(values));
    raw.values.origin = std::move(origin);
  }

  // ---- checks

  void check_values(Item& item) {
    if (item.bound.absent)
      return;
    const ExpectedData& expected = *item.expected;
    item.scan = scan_values(item.bound);
    if (auto fault = find_fault(expected, item.bound, item.scan))
      fail_at(item, *fault);
    if (auto fault = find_constraint_fault(expected, item.bound)) {
      bool matrix = expected.constraint == DataConstraint::cholesky_factor ||
                    expected.constraint == DataConstraint::cov || expected.constraint == DataConstraint::corr;
      fail_at(item, *fault, matrix ? 2 : 1);
    }
    if (expected.kind != DataKind::real && is_float(item.bound.values.element))
      narrow(item);
  }

  // Whole numbers that a text format gave as f64 are kept as integers.
  static void narrow(Item& item) {
    constexpr double least = std::numeric_limits<std::int32_t>::min(),
                     most = std::numeric_limits<std::int32_t>::max();
    BoundData& bound = item.bound;
    bool short_enough = item.scan.low >= least && item.scan.high <= most;
    bound.values = short_enough ? whole_values<std::int32_t>(bound, 0) : whole_values<std::int64_t>(bound, 0);
  }

  void settle_index_sizes() {
    std::map<std::string, std::int64_t> found;
    for (Item& item : items_) {
      const Size& size = item.expected->index_size;
      if (item.failed || item.expected->kind != DataKind::index || size.name.empty() ||
          sizes().contains(size.name))
        continue;
      if (item.bound.absent) {
        if (options_.left_open.contains(size.name))
          found.try_emplace(size.name, 0);
        continue;
      }
      // A parameter of so many elements alone takes a gigabyte: these are no positions but identifiers.
      constexpr double most = 1 << 27;
      if (item.bound.levels.empty() && item.scan.high > most) {
        guarded(item, [&] {
          fail(
              item,
              fmt::format("{} has the index {:.0f}: {} would be {:.0f}", item.expected->name, item.scan.high,
                          size.name, item.scan.high - static_cast<double>(item.bound.index_base) + 1),
              fmt::format("identifiers are better bound as text; if {0} is so large, say so with --set {0}=…",
                          size.name));
        });
        continue;
      }
      std::int64_t needed = item.bound.levels.empty()
                                ? static_cast<std::int64_t>(item.scan.high) - item.bound.index_base + 1
                                : static_cast<std::int64_t>(item.bound.levels.size());
      std::int64_t& largest = found[size.name];
      largest = std::max(largest, needed);
    }
    for (const auto& [name, value] : found) {
      const auto left_open = options_.left_open.find(name);
      sizes()[name] = left_open == options_.left_open.end() ? value : left_open->second;
    }
  }

  void check_index(Item& item) {
    const ExpectedData& expected = *item.expected;
    if (expected.kind != DataKind::index || item.bound.absent)
      return;
    auto size = known(expected.index_size);
    if (!size)
      return;
    auto levels = static_cast<std::int64_t>(item.bound.levels.size());
    if (levels > *size) {
      std::string label = expected.index_size.name.empty()
                              ? fmt::format("index<{}>", *size)
                              : fmt::format("index<{0}> with {0} = {1}", expected.index_size.name, *size);
      fail(item, fmt::format("{} has {} different texts, but is declared {}", expected.name, levels, label));
    }
    if (auto fault = find_index_fault(expected, item.bound, item.scan, *size))
      fail_at(item, *fault);
    // A step may look up what lies after a row's end before it masks it away: that must be an index too.
    bool padded = item.bound.ragged && item.scan.count < item.bound.values.size();
    Scan all = padded ? scan_values(item.bound.values, 0, item.bound.values.size()) : item.scan;
    auto first = static_cast<double>(item.bound.index_base), last = first + static_cast<double>(*size) - 1;
    if (item.bound.index_base != 0 || all.low < first || all.high > last)
      item.bound.values = whole_values<std::int32_t>(item.bound, item.bound.index_base);
  }

  const DataSource& source_;
  const BindOptions& options_;
  DataFiles files_;
  std::vector<Item> items_;
  std::map<std::string, std::string> size_places_, length_places_;
  bool shared_failed_ = false;
  BindResult result_;
};

} // namespace

BindResult bind_data(const std::vector<ExpectedData>& expected, const DataSource& source,
                     const BindOptions& options) {
  return Binder(expected, source, options).run();
}

} // namespace plait::runtime
