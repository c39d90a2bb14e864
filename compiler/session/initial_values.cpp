#include "compiler/session/initial_values.hpp"

#include "compiler/session/warm_start.hpp"
#include "runtime/bound_shape.hpp"
#include "runtime/data_files.hpp"
#include "runtime/names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace plait::session {

namespace {

using program::Dim;
using program::Frame;

/** Something that can be given a start. Its values are an array over the plates as they are nested, the
 * loops, and the dimensions of one value; the parameter keeps the plates in the order of their axes. */
struct Target {
  std::size_t parameter = 0;
  std::size_t begin = 0; ///< of its numbers in the parameter
  catalog::Support support;
  std::vector<Frame> frames;           ///< plates, then loops
  std::vector<Dim> dims;               ///< of the values, as the program has them
  std::vector<std::int64_t> shape;     ///< the same as numbers
  std::vector<std::size_t> stored;     ///< by axis: which of the first dimensions it is
  std::vector<std::int64_t> one_shape; ///< of one value
  bool is_parameter = false;           ///< a declared one; else the location of a latent
};

/** Numbers behind one event of the support. */
std::size_t unconstrained_size(const catalog::Support& support, const std::vector<std::int64_t>& event) {
  std::vector<ir::Extent> shape;
  for (const std::int64_t extent : event)
    shape.push_back(ir::Extent::known(extent));
  std::size_t size = 1;
  for (const ir::Extent& extent : catalog::unconstrained_shape(support.kind, shape))
    size *= static_cast<std::size_t>(extent.value);
  return size;
}

/** Plates, then loops. */
std::vector<Frame> plates_first(std::vector<Frame> frames) {
  std::stable_partition(frames.begin(), frames.end(),
                        [](const Frame& frame) { return frame.kind == Frame::Kind::plate; });
  return frames;
}

class Targets {
public:
  explicit Targets(const Fit::State& state) : state_(&state), graph_(&state.compiled.native.graph) {
    const program::Program& program = state.bound.checked.program;
    const std::vector<guide::RegisteredParameter>& registered = state.compiled.parameters;
    for (std::size_t p = 0; p < registered.size(); ++p) {
      for (const guide::Location& location : registered[p].locations)
        if (const program::Sample* sample = sample_of(program, location.site.name))
          add(location.site.name, sample->frames, sample->type.dims, location.site.shape, location.site.loops,
              {p,
               static_cast<std::size_t>(location.start),
               location.site.support,
               {},
               {},
               {},
               {},
               {},
               false});
      for (const program::SymbolId id : program.params)
        if (const program::Symbol& symbol = program.symbol(id); symbol.name == graph_->parameters[p].name)
          add(symbol.name, symbol.frames, symbol.type.dims, registered[p].shape, {},
              {p, 0, registered[p].support, {}, {}, {}, {}, {}, true});
    }
  }

  const Target* find(const std::string& name) const {
    const auto found = targets_.find(name);
    return found == targets_.end() ? nullptr : &found->second;
  }

  /** Why the name can be given no start. */
  runtime::DataError refusal(const std::string& name) const {
    const program::Program& program = state_->bound.checked.program;
    std::vector<std::string> names;
    for (const auto& [target, unused] : targets_)
      names.push_back(target);
    const std::string all = names.empty() ? "this fit has nothing that can"
                                          : fmt::format("what can be given one: {}", fmt::join(names, ", "));
    runtime::DataError error;
    error.name = name;
    error.hint = all;
    if (const program::Sample* sample = sample_of(program, name)) {
      if (sample->observed)
        error.message = fmt::format("{} is observed: data have no start", name);
      else if (catalog::is_discrete(sample->type.support.kind))
        error.message = fmt::format("{} is discrete: it has no location that could start somewhere", name);
      else if (program.guide)
        error.message = fmt::format("{} is drawn by the guide as written: it starts where the guide's "
                                    "parameters do",
                                    name);
      else
        error.message = fmt::format("auto({}) makes {} from the data of its element, by a net: it has no "
                                    "start of its own",
                                    program.family->family, name);
      return error;
    }
    error.message = fmt::format("there is no parameter or latent named {} to be given a start", name);
    error.hint = runtime::suggestion(name, names) + all;
    return error;
  }

private:
  static const program::Sample* sample_of(const program::Program& program, const std::string& name) {
    const program::Sample* result = nullptr;
    program::for_each_statement(program.model, [&](const program::Statement& statement) {
      if (const auto* sample = program::get_if<program::Sample>(statement))
        if (!result && program.symbol(sample->symbol).name == name)
          result = sample;
    });
    return result;
  }

  /** `one`: extents of one value; `loops`: of the loops around it. */
  void add(const std::string& name, const std::vector<Frame>& frames, const std::vector<Dim>& dims,
           const std::vector<ir::Extent>& one, const std::vector<ir::Extent>& loops, Target target) {
    const program::Program& program = state_->bound.checked.program;
    const auto& sizes = state_->bound.sizes;
    target.frames = plates_first(frames);
    std::vector<std::pair<std::size_t, std::size_t>> axes; // axis, dimension
    for (const Frame& frame : target.frames) {
      if (frame.kind == Frame::Kind::loop) {
        target.dims.push_back(program.loop(frame.id).extent);
        continue;
      }
      const program::Plate& plate = program.plate(frame.id);
      target.dims.push_back(plate.size);
      for (std::size_t axis = 0; axis < graph_->axes.size(); ++axis)
        if (graph_->axes[axis].name == plate.name) {
          axes.emplace_back(axis, target.shape.size());
          target.shape.push_back(value_of(graph_->axes[axis].population, sizes));
        }
    }
    std::sort(axes.begin(), axes.end());
    for (const auto& [axis, dim] : axes)
      target.stored.push_back(dim);
    for (const ir::Extent& extent : loops)
      target.shape.push_back(value_of(extent, sizes));
    for (const ir::Extent& extent : one)
      target.one_shape.push_back(value_of(extent, sizes));
    target.shape.insert(target.shape.end(), target.one_shape.begin(), target.one_shape.end());
    target.dims.insert(target.dims.end(), dims.begin(), dims.end());
    targets_.emplace(name, std::move(target));
  }

  const Fit::State* state_;
  const ir::Graph* graph_;
  std::map<std::string, Target> targets_;
};

/** The dimension of the values whose index is the row that `dim` is a length of, and the lengths. */
struct Ragged {
  std::size_t row = 0;
  std::size_t dim = 0;
  const std::vector<std::int64_t>* lengths = nullptr;
  std::int64_t factor = 1, constant = 0;

  std::int64_t length(const std::vector<std::int64_t>& index) const {
    return constant + factor * lengths->at(static_cast<std::size_t>(index[row]));
  }
};

std::vector<Ragged> ragged_dims(const Target& target, const runtime::Dataset& dataset) {
  std::vector<Ragged> result;
  for (std::size_t dim = 0; dim < target.dims.size(); ++dim) {
    const std::vector<program::SizeTerm>& terms = target.dims[dim].terms;
    if (terms.size() != 1 || terms[0].row != program::SizeTerm::Row::plate)
      continue;
    const auto lengths = dataset.lengths.find(terms[0].name);
    const auto row =
        std::find(target.frames.begin(), target.frames.end(), Frame{Frame::Kind::plate, terms[0].plate});
    if (lengths != dataset.lengths.end() && row != target.frames.end())
      result.push_back({static_cast<std::size_t>(row - target.frames.begin()), dim, &lengths->second,
                        terms[0].factor, target.dims[dim].constant});
  }
  return result;
}

/** For every element of the target, the position of its number in the file; -1: the element does not exist.
 * \throws runtime::DataFailure when the shapes do not agree. */
std::vector<std::int64_t> positions(const std::string& name, const Target& target,
                                    const runtime::LoadedData& loaded, const runtime::Dataset& dataset) {
  const runtime::RawData& raw = loaded.raw;
  const std::vector<Ragged> ragged = ragged_dims(target, dataset);
  std::vector<std::int64_t> result(element_count(target.shape), -1);
  const auto fail = [&](const std::string& given, const std::string& hint) {
    runtime::DataError error;
    error.name = name;
    error.file = loaded.located.argument->file;
    error.message = fmt::format("the start of {} {}, but has to be a number{}", name, given,
                                target.shape.empty() ? ""
                                                     : fmt::format(" or an array of shape {}, {}",
                                                                   runtime::shown_shape(target.shape),
                                                                   program::to_string(target.dims)));
    error.hint = hint;
    throw runtime::DataFailure(std::move(error));
  };
  const bool one_number = !raw.ragged && raw.values.size() == 1 && raw.values.rank() == 0;
  const bool whole =
      !raw.ragged && (raw.values.shape == target.shape || (target.shape.empty() && raw.values.size() == 1));
  std::vector<std::int64_t> starts{0}; // of the rows of a ragged array
  if (raw.ragged) {
    const bool fits = !ragged.empty() && ragged[0].row == 0 && ragged[0].dim == 1 &&
                      static_cast<std::int64_t>(raw.lengths.size()) == target.shape[0] &&
                      std::equal(raw.values.shape.begin() + 1, raw.values.shape.end(),
                                 target.shape.begin() + 2, target.shape.end());
    if (!fits)
      fail("has rows of different lengths", "");
    for (std::size_t row = 0; row < raw.lengths.size(); ++row) {
      const std::int64_t needed = ragged[0].length({static_cast<std::int64_t>(row)});
      if (raw.lengths[row] != needed)
        fail(fmt::format("has {} elements in row {}", raw.lengths[row], row),
             fmt::format("{} of row {} is {}", program::to_string(target.dims[1]), row, needed));
      starts.push_back(starts.back() + raw.lengths[row]);
    }
  } else if (!one_number && !whole) {
    fail(fmt::format("has shape {}", runtime::shown_shape(raw.values.shape)), "");
  }
  const std::size_t inner = raw.ragged ? element_count({target.shape.begin() + 2, target.shape.end()})
                                       : 1; // numbers of one element
  for (std::size_t flat = 0; flat < result.size(); ++flat) {
    const std::vector<std::int64_t> index = index_of(flat, target.shape);
    if (std::any_of(ragged.begin(), ragged.end(),
                    [&](const Ragged& rows) { return index[rows.dim] >= rows.length(index); }))
      continue;
    if (raw.ragged)
      result[flat] =
          (starts[static_cast<std::size_t>(index[0])] + index[1]) * static_cast<std::int64_t>(inner) +
          static_cast<std::int64_t>(flat % inner);
    else
      result[flat] = one_number ? 0 : static_cast<std::int64_t>(flat);
  }
  return result;
}

/** Writes the values of one target into the start of its parameter.
 * \throws runtime::DataFailure for a value outside the support. */
void take_values(const std::string& name, const Target& target, const runtime::LoadedData& loaded,
                 const std::vector<std::int64_t>& from, runtime::DataFiles& files, GivenStarts& starts) {
  GivenStart& start = starts.parameters[target.parameter];
  const bool bounded = catalog::has_runtime_bounds(target.support);
  std::vector<std::size_t> places(bounded ? element_count(target.shape) : 0, BoundedStart::nowhere);
  std::vector<double> numbers(places.size());
  const auto rank = static_cast<std::size_t>(catalog::event_rank(target.support.kind));
  const std::vector<std::int64_t> event(target.one_shape.end() - static_cast<std::ptrdiff_t>(rank),
                                        target.one_shape.end());
  const std::size_t event_size = element_count(event);
  const std::size_t width = unconstrained_size(target.support, event);
  const std::size_t events = element_count(target.one_shape) / event_size; // in one value
  const std::vector<std::int64_t> outer(
      target.shape.begin(), target.shape.end() - static_cast<std::ptrdiff_t>(target.one_shape.size()));
  // The parameter's order of the plates: those of the values permuted.
  std::vector<std::int64_t> stored = outer;
  for (std::size_t axis = 0; axis < target.stored.size(); ++axis)
    stored[axis] = outer[target.stored[axis]];
  std::size_t at = target.begin;
  for (std::size_t place = 0; place < element_count(stored); ++place) {
    const std::vector<std::int64_t> index = index_of(place, stored);
    std::vector<std::int64_t> nested = index;
    for (std::size_t axis = 0; axis < target.stored.size(); ++axis)
      nested[target.stored[axis]] = index[axis];
    std::size_t element = 0;
    for (std::size_t dim = 0; dim < outer.size(); ++dim)
      element = element * static_cast<std::size_t>(outer[dim]) + static_cast<std::size_t>(nested[dim]);
    for (std::size_t k = 0; k < events; ++k) {
      const std::size_t first = (element * events + k) * event_size;
      std::vector<double> values;
      bool exists = true;
      for (std::size_t i = first; i < first + event_size; ++i) {
        exists = exists && from[i] >= 0;
        values.push_back(exists ? loaded.raw.values.real_at(from[i]) : 0);
      }
      std::vector<double> unconstrained;
      try {
        if (exists)
          unconstrained = bounded ? values : catalog::unconstrain(target.support, event, values);
      } catch (const std::domain_error& fault) {
        std::vector<std::int64_t> position = index_of(first, target.shape);
        position.resize(position.size() - rank);
        runtime::DataError error;
        error.name = name;
        error.file = loaded.located.argument->file;
        error.line = files.line_of(loaded, from[first]);
        error.element = position;
        error.message = fmt::format("{}{} cannot start here: {}", name,
                                    position.empty() ? "" : runtime::shown_shape(position), fault.what());
        throw runtime::DataFailure(std::move(error));
      }
      if (bounded && exists) {
        places[first] = at;
        numbers[first] = values.front();
      }
      for (std::size_t i = 0; i < width; ++i, ++at) {
        start.given[at] = exists;
        if (exists)
          start.numbers[at] = unconstrained[i];
      }
    }
  }
  if (bounded)
    starts.bounded.push_back({name, target.support, target.parameter, target.is_parameter, target.shape,
                              std::move(numbers), std::move(places), loaded.located.argument->file});
}

/** `mu=0.5`: the number. */
std::optional<double> number_argument(const std::string& argument) {
  const std::size_t equal = argument.find('=');
  if (equal == std::string::npos || equal == 0)
    return std::nullopt;
  const char* begin = argument.data() + equal + 1;
  const char* end = argument.data() + argument.size();
  begin += begin != end && *begin == '+' ? 1 : 0;
  double value = 0;
  const auto [next, code] = std::from_chars(begin, end, value);
  return code == std::errc() && next == end && begin != end ? std::optional(value) : std::nullopt;
}

void add_array(runtime::DataSource& source, const std::string& name, const std::string& text,
               runtime::Array array) {
  runtime::DataArgument argument;
  argument.name = name;
  argument.file = argument.text = text;
  argument.memory = std::move(array);
  source.arguments.push_back(std::move(argument));
}

runtime::DataSource parse_arguments(const Data::Contents& init) {
  std::vector<std::string> files;
  std::vector<runtime::DataError> errors;
  runtime::DataSource numbers;
  for (const std::string& argument : init.arguments)
    if (is_run(argument))
      continue;
    else if (const auto number = number_argument(argument))
      add_array(numbers, argument.substr(0, argument.find('=')), "--init " + argument,
                runtime::make_array({}, std::vector<double>{*number}));
    else
      files.push_back(argument);
  runtime::DataSource source = runtime::parse_data_arguments(files, errors, "--init");
  for (runtime::DataError& error : errors)
    if (error.hint.empty())
      error.hint = "a start is NAME=NUMBER, NAME=FILE, a FILE.json of names, or the folder of a run";
  for (const auto& [name, array] : init.arrays)
    add_array(numbers, name, name + " (in memory)", array);
  for (runtime::DataArgument& argument : numbers.arguments) {
    for (const runtime::DataArgument& earlier : source.arguments)
      if (earlier.name == argument.name) {
        runtime::DataError error;
        error.name = argument.name;
        error.message = fmt::format("{}: {} is given twice", argument.text, argument.name);
        errors.push_back(std::move(error));
      }
    source.arguments.push_back(std::move(argument));
  }
  if (!errors.empty())
    throw Error(Fault::usage, runtime::to_text(errors));
  return source;
}

/** Where a name is given: its own argument goes before the files of many names. */
std::string file_of(const runtime::DataSource& source, const std::string& name) {
  std::string file;
  for (const runtime::DataArgument& argument : source.arguments)
    if (argument.name == name || (file.empty() && argument.name.empty()))
      file = argument.file;
  return file;
}

} // namespace

GivenStarts read_initial_values(const Fit::State& state, std::vector<runtime::DataFile>& read) {
  GivenStarts starts{std::vector<GivenStart>(state.parameters.size()), {}};
  const runtime::DataSource source = parse_arguments(state.options.init.contents());
  if (source.arguments.empty())
    return starts;
  runtime::DataFiles files(source);
  std::vector<runtime::DataError> errors;
  files.open_shared(errors);
  if (!errors.empty())
    throw Error(Fault::data, runtime::to_text(errors));

  const Targets targets(state);
  std::vector<std::string> names;
  for (const runtime::DataArgument& argument : source.arguments)
    if (!argument.name.empty())
      names.push_back(argument.name);
  for (const std::string& name : files.shared_names())
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  for (const std::string& name : names)
    if (!targets.find(name)) {
      errors.push_back(targets.refusal(name));
      errors.back().file = file_of(source, name);
    }
  if (!errors.empty())
    throw Error(Fault::usage, runtime::to_text(errors));

  for (const std::string& name : names)
    try {
      const Target& target = *targets.find(name);
      const auto located = files.locate(name, target.shape.size() == 2);
      const runtime::LoadedData loaded = files.load(*located, false);
      const std::vector<std::int64_t> from = positions(name, target, loaded, state.bound.dataset);
      GivenStart& start = starts.parameters[target.parameter];
      const std::size_t size = element_count(state.parameters[target.parameter].shape);
      start.numbers.resize(size);
      start.given.resize(size);
      take_values(name, target, loaded, from, files, starts);
    } catch (const runtime::DataFailure& failure) {
      errors.push_back(failure.error);
    }
  if (!errors.empty())
    throw Error(Fault::data, runtime::to_text(errors));
  read = files.list_files(true);
  return starts;
}

} // namespace plait::session
