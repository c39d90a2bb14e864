/** \file
 * Runs a compiled step on the inputs of the interpreter, and compares the two.
 */
#pragma once

#include "compiler/codegen/generate.hpp"
#include "compiler/tensor_ir/interpret.hpp"
#include "runtime/threads.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>

namespace plait::test {

/** Memory for a step's arguments, in the compiled precision, and the step itself. */
class StepRun {
public:
  StepRun(const ir::Graph& graph, const ir::Inputs& inputs, codegen::CodegenOptions options)
      : graph_(graph), inputs_(inputs), options_(options), artifact_(codegen::generate(graph, options)) {
    slots_ = artifact_.slots_per_parameter;
    for (std::size_t p = 0; p < graph.parameters.size(); ++p) {
      parameters_.push_back(reals(inputs.parameters.at(p)));
      gradients_.push_back(reals(std::vector<double>(inputs.parameters[p].size(), 0.0)));
      for (int k = 0; k < slots_; ++k)
        slot_values_.push_back(p < inputs.slots.size() && static_cast<std::size_t>(k) < inputs.slots[p].size()
                                   ? reals(inputs.slots[p][static_cast<std::size_t>(k)])
                                   : std::vector<char>());
    }
    for (std::size_t d = 0; d < graph.data.size(); ++d)
      add_data(graph.data[d], inputs.data.at(d));
    for (const ir::Output& output : graph.outputs) {
      if (output.kind != ir::OutputKind::value)
        continue;
      std::size_t count = 1;
      for (ir::AxisId axis : graph.type(output.node).axes)
        count *= size(graph.axis(axis).extent);
      for (const ir::Extent& extent : graph.type(output.node).shape)
        count *= size(extent);
      values_.push_back(reals(std::vector<double>(count, -77.0)));
    }
    for (const std::string& name : artifact_.extents)
      extents_.push_back(inputs.extents.at(name));
    for (const std::string& name : artifact_.inputs)
      named_.push_back(inputs.inputs.at(name));
    scalars_.assign(artifact_.scalars.size() + 1, -77.0);
    const std::size_t bytes = static_cast<std::size_t>(artifact_.workspace_bytes(extents_));
    workspace_.assign(bytes + 64 + guard, static_cast<char>(0x7b));
    workspace_bytes_ = bytes;
  }

  /** One step; with a pool when `threads` > 0. */
  void run(std::size_t threads = 0) {
    std::vector<void*> parameters = pointers(parameters_), gradients = pointers(gradients_),
                       slots = pointers(slot_values_), values = pointers(values_);
    std::vector<const std::uint32_t*> rows;
    for (const auto& drawn : inputs_.rows)
      rows.push_back(drawn.data());
    runtime::StepArguments arguments;
    arguments.parameters = parameters.data();
    arguments.slots = slots.data();
    arguments.gradients = gradients.data();
    arguments.values = values.data();
    arguments.data = views_.data();
    arguments.rows = rows.data();
    arguments.extents = extents_.data();
    arguments.inputs = named_.data();
    arguments.scalars = scalars_.data();
    arguments.workspace = workspace();
    arguments.seed = inputs_.seed;
    arguments.step = inputs_.step;
    std::optional<runtime::ThreadPool> pool;
    if (threads > 0) {
      pool.emplace(threads);
      arguments.pool = &*pool;
      arguments.parallel_for = [](void* context, std::int64_t chunks, void (*body)(void*, std::int64_t),
                                  void* data) {
        static_cast<runtime::ThreadPool*>(context)->run(
            static_cast<std::size_t>(chunks),
            [&](std::size_t chunk) { body(data, static_cast<std::int64_t>(chunk)); });
      };
    }
    artifact_.entry(&arguments);
    for (std::size_t k = 0; k < guard; ++k)
      if (workspace()[workspace_bytes_ + k] != static_cast<char>(0x7b))
        FAIL("the step wrote behind its workspace");
  }

  const codegen::Artifact& artifact() const { return artifact_; }

  /** The output as doubles, in the interpreter's order. */
  std::vector<double> output(std::size_t index) const {
    const ir::Output& output = graph_.outputs.at(index);
    std::size_t before = 0;
    for (std::size_t k = 0; k < index; ++k)
      before += graph_.outputs[k].kind == output.kind;
    switch (output.kind) {
    case ir::OutputKind::scalar:
      return {scalars_[before]};
    case ir::OutputKind::value:
      return doubles(values_[before]);
    case ir::OutputKind::gradient:
      return doubles(gradients_[static_cast<std::size_t>(output.index)]);
    case ir::OutputKind::store_parameter:
      return doubles(parameters_[static_cast<std::size_t>(output.index)]);
    case ir::OutputKind::store_slot:
      break;
    }
    return doubles(slot_values_[static_cast<std::size_t>(output.index * slots_ + output.slot)]);
  }

  /** What the interpreter says the memory of output `index` holds after the step. */
  std::vector<double> expected(const ir::Results& results, std::size_t index) const {
    const ir::Output& output = graph_.outputs.at(index);
    const ir::DenseArray& array = results.outputs.at(index);
    if (output.kind == ir::OutputKind::scalar || output.kind == ir::OutputKind::value)
      return array.numbers;
    const std::size_t p = static_cast<std::size_t>(output.index);
    const ir::Parameter& parameter = graph_.parameters[p];
    std::vector<double> memory = output.kind == ir::OutputKind::gradient
                                     ? std::vector<double>(inputs_.parameters[p].size())
                                 : output.kind == ir::OutputKind::store_parameter
                                     ? inputs_.parameters[p]
                                     : inputs_.slots[p][static_cast<std::size_t>(output.slot)];
    const std::size_t element = array.numbers.size();
    std::size_t points = 1;
    for (ir::AxisId axis : parameter.axes)
      points *= size(graph_.axis(axis).extent);
    const std::size_t event = points ? element / points : 0;
    for (std::size_t point = 0; point < points; ++point) {
      std::size_t rest = point, row = 0, stride = 1;
      for (std::size_t a = parameter.axes.size(); a-- > 0;) {
        const ir::Axis& axis = graph_.axis(parameter.axes[a]);
        const std::size_t place = rest % size(axis.extent);
        rest /= size(axis.extent);
        row += stride *
               (axis.subsampled ? inputs_.rows[static_cast<std::size_t>(axis.minibatch)][place] : place);
        stride *= size(axis.population);
      }
      for (std::size_t e = 0; e < event; ++e)
        memory[row * event + e] = array.numbers[point * event + e];
    }
    return memory;
  }

private:
  static constexpr std::size_t guard = 256;

  std::size_t size(const ir::Extent& extent) const {
    return static_cast<std::size_t>(extent.is_known() ? extent.value : inputs_.extents.at(extent.name));
  }
  char* workspace() {
    const auto address = reinterpret_cast<std::uintptr_t>(workspace_.data());
    return workspace_.data() + (64 - address % 64) % 64;
  }

  std::vector<char> reals(const std::vector<double>& numbers) const {
    std::vector<char> bytes(numbers.size() * (options_.single_precision ? 4 : 8));
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      const float single = static_cast<float>(numbers[k]);
      if (options_.single_precision)
        std::memcpy(&bytes[k * 4], &single, 4);
      else
        std::memcpy(&bytes[k * 8], &numbers[k], 8);
    }
    return bytes;
  }
  std::vector<double> doubles(const std::vector<char>& bytes) const {
    std::vector<double> numbers(bytes.size() / (options_.single_precision ? 4 : 8));
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      float single = 0;
      if (options_.single_precision) {
        std::memcpy(&single, &bytes[k * 4], 4);
        numbers[k] = static_cast<double>(single);
      } else {
        std::memcpy(&numbers[k], &bytes[k * 8], 8);
      }
    }
    return numbers;
  }

  void add_data(const ir::DataArray& declared, const ir::DataInput& given) {
    const std::size_t d = views_.size();
    using runtime::Storage;
    const Storage storage = d < options_.storage.size()                ? options_.storage[d]
                            : declared.element == ir::Element::real    ? Storage::f64
                            : declared.element == ir::Element::integer ? Storage::i32
                                                                       : Storage::u8;
    std::vector<char> bytes;
    const auto append = [&](auto number) {
      const auto* first = reinterpret_cast<const char*>(&number);
      bytes.insert(bytes.end(), first, first + sizeof number);
    };
    for (double x : given.numbers)
      switch (storage) {
      case Storage::u8:
        append(static_cast<std::uint8_t>(x));
        break;
      case Storage::i8:
        append(static_cast<std::int8_t>(x));
        break;
      case Storage::i16:
        append(static_cast<std::int16_t>(x));
        break;
      case Storage::u16:
        append(static_cast<std::uint16_t>(x));
        break;
      case Storage::i32:
        append(static_cast<std::int32_t>(x));
        break;
      case Storage::u32:
        append(static_cast<std::uint32_t>(x));
        break;
      case Storage::i64:
        append(static_cast<std::int64_t>(x));
        break;
      case Storage::f32:
        append(static_cast<float>(x));
        break;
      case Storage::f64:
        append(x);
        break;
      }
    data_.push_back(std::move(bytes));
    offsets_.push_back(given.offsets);
    lengths_.emplace_back(given.lengths.begin(), given.lengths.end());
    views_.push_back({});
    for (std::size_t k = 0; k < views_.size(); ++k)
      views_[k] = {data_[k].data(), offsets_[k].data(), lengths_[k].data()};
  }

  static std::vector<void*> pointers(std::vector<std::vector<char>>& arrays) {
    std::vector<void*> result;
    for (std::vector<char>& array : arrays)
      result.push_back(array.data());
    return result;
  }

  const ir::Graph& graph_;
  ir::Inputs inputs_;
  codegen::CodegenOptions options_;
  codegen::Artifact artifact_;
  int slots_ = 0;
  std::vector<std::vector<char>> parameters_, gradients_, slot_values_, values_, data_;
  std::vector<std::vector<std::int64_t>> offsets_;
  std::vector<std::vector<std::int32_t>> lengths_;
  std::vector<runtime::DataView> views_;
  std::vector<std::int64_t> extents_;
  std::vector<double> named_, scalars_;
  std::vector<char> workspace_;
  std::size_t workspace_bytes_ = 0;
};

/** Compiles and runs `graph` and requires every output to agree with the interpreter: absolutely and relative
 * to the largest number of the output. */
inline void require_agreement(const ir::Graph& graph, ir::Inputs inputs, codegen::CodegenOptions options,
                              std::size_t threads = 0) {
  const double tolerance = options.single_precision ? 1e-4 : 1e-10;
  options.use_cache = false;
  inputs.single_precision_noise = options.single_precision;
  const ir::Results results = ir::interpret(graph, inputs);
  StepRun run(graph, inputs, options);
  run.run(threads);
  for (std::size_t k = 0; k < graph.outputs.size(); ++k) {
    const std::vector<double> expected = run.expected(results, k), found = run.output(k);
    REQUIRE(found.size() == expected.size());
    double largest = 1;
    for (double x : expected)
      largest = std::isfinite(x) ? std::max(largest, std::abs(x)) : largest;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const bool same = std::isfinite(expected[i]) ? std::abs(found[i] - expected[i]) <= tolerance * largest
                        : std::isnan(expected[i])  ? std::isnan(found[i])
                                                   : found[i] == expected[i];
      if (!same) {
        INFO("output " << k << " '" << graph.outputs[k].name << "' (node " << graph.outputs[k].node
                       << ") element " << i << ": " << found[i] << ", expected " << expected[i]);
        INFO(run.artifact().schedule_text);
        REQUIRE(same);
      }
    }
  }
}

} // namespace plait::test
