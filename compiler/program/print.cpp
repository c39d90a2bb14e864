#include "compiler/program/print.hpp"

#include "compiler/program/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace plait::program {

namespace {

class Printer {
public:
  explicit Printer(const Program& program) : program_(program) {}

  std::string run() {
    sizes();
    data();
    parameters();
    plates();
    layers();
    functions();
    block("model", program_.model);
    if (program_.guide)
      block("guide", *program_.guide);
    else
      line(fmt::format("guide auto({}{})", program_.family->family, options()));
    if (program_.predict)
      block("predict", *program_.predict);
    return std::move(text_);
  }

private:
  void line(const std::string& text) { text_ += std::string(2 * depth_, ' ') + text + "\n"; }

  std::string options() const {
    std::string text;
    for (const auto& [name, value] : program_.family->options)
      text += fmt::format(", {} = {}", name, value);
    return text;
  }

  void sizes() {
    for (const auto& [name, size] : program_.sizes) {
      if (size.lengths >= 0)
        line(fmt::format("size {}[…]  # lengths of ragged rows", name));
      else
        line(size.value ? fmt::format("size {} = {}", name, *size.value) : fmt::format("size {}", name));
    }
  }

  void data() {
    for (SymbolId id : program_.data) {
      const Symbol& symbol = program_.symbol(id);
      line(fmt::format("data {} : {}{}", symbol.name, to_string(symbol.type),
                       symbol.implicit ? "  # lengths of ragged rows" : ""));
    }
  }

  void parameters() {
    for (SymbolId id : program_.params) {
      const Symbol& symbol = program_.symbol(id);
      std::string start = symbol.value ? " = " + describe(program_, symbol.value) : "";
      line(fmt::format("param {} : {}{}{}", symbol.name, to_string(symbol.type), start,
                       varies(symbol.varies)));
    }
  }

  void plates() {
    for (const Plate& plate : program_.plates) {
      std::string drawn = plate.subsampled() ? " subsample " + describe(program_, plate.subsample) : "";
      std::string parent = plate.parent >= 0 ? " in " + program_.plate(plate.parent).name : "";
      line(fmt::format("plate {} : {}{}{}{}", plate.name, to_string(plate.size), parent, drawn,
                       plate.sequential ? "  # one index at a time" : ""));
    }
  }

  void layers() {
    for (const Layer& layer : program_.layers) {
      std::string inputs;
      for (const auto& input : layer.inputs)
        inputs += (inputs.empty() ? "real" : ", real") + to_string(input);
      line(fmt::format("layer {} : {}{}({}) -> real{}", layer.name, std::string_view(layer.layer->name),
                       to_string(layer.sizes), inputs, to_string(layer.result)));
    }
  }

  void functions() {
    for (const Instance& instance : program_.instances) {
      const Function& function = program_.function(instance.function);
      std::string parameters;
      for (SymbolId id : instance.parameters)
        parameters += fmt::format("{}{} : {}", parameters.empty() ? "" : ", ", program_.symbol(id).name,
                                  to_string(program_.symbol(id).type));
      block(fmt::format("{} {}({}) -> {}", function.is_net ? "net" : "fun", function.name, parameters,
                        to_string(instance.result)),
            instance.body);
    }
  }

  std::string varies(const PlateSet& plates) const {
    std::string text;
    for (PlateId id : plates)
      text += (text.empty() ? "  # varies over " : ", ") + program_.plate(id).name;
    return text;
  }

  /// `z[t]` for a symbol written with loop indices.
  std::string written(const Symbol& symbol) const {
    std::string indices;
    for (const Frame& frame : symbol.frames)
      if (frame.kind == Frame::Kind::loop)
        indices += (indices.empty() ? "" : ", ") + program_.symbol(program_.loop(frame.id).index).name;
    return indices.empty() ? symbol.name : symbol.name + "[" + indices + "]";
  }

  void block(const std::string& header, const Block& block) {
    line(header + " {");
    ++depth_;
    for (const Statement& statement : block.statements)
      std::visit([&](const auto& node) { print(node); }, statement.node);
    --depth_;
    line("}");
  }

  void print(const Assign& assign) {
    std::string targets;
    for (SymbolId id : assign.targets)
      targets += fmt::format("{}{} : {}", targets.empty() ? "" : ", ", written(program_.symbol(id)),
                             to_string(program_.symbol(id).type));
    line(fmt::format("{} = {}{}", targets, describe(program_, assign.value), varies(assign.value->varies)));
  }

  void print(const Sample& sample) {
    std::string arguments;
    for (const ExprPtr& argument : sample.arguments)
      arguments += (arguments.empty() ? "" : ", ") + describe(program_, argument);
    if (!sample.event.empty())
      arguments += ", " + to_string(sample.event.front());
    std::string target =
        sample.observed ? describe(program_, sample.value) : written(program_.symbol(sample.symbol));
    std::string strategy = sample.strategy.strategy == Strategy::automatic
                               ? ""
                               : " using " + std::string(to_string(sample.strategy.strategy));
    std::string call = fmt::format("{}({}){}", std::string_view(sample.distribution->name), arguments,
                                   to_string(sample.copies));
    for (const Transform& transform : sample.transforms)
      call = print(transform, call);
    line(fmt::format("{} : {} ~ {}{}", target, to_string(sample.type), call, strategy));
  }

  std::string print(const Transform& transform, const std::string& source) const {
    std::string result = fmt::format("{}({}", std::string_view(transform.row->name), source);
    for (const ExprPtr& argument : transform.arguments)
      result += ", " + describe(program_, argument);
    if (transform.net)
      result += ", " + describe(program_, transform.net);
    else if (transform.row->flow != catalog::FlowKind::none)
      result += fmt::format(", flows = {}, hidden = {}", transform.flows, transform.hidden);
    if (transform.context)
      result += ", context = " + describe(program_, transform.context);
    return result + ")";
  }

  void print(const ParamStatement& statement) { line("param " + program_.symbol(statement.symbol).name); }

  void print(const PlateStatement& statement) {
    const Symbol& index = program_.symbol(statement.index);
    block(fmt::format("{} {} in {}", statement.sequential ? "irange" : "iarange", index.name,
                      program_.plate(statement.plate).name),
          statement.body);
  }

  void print(const ForStatement& statement) {
    const Loop& loop = program_.loop(statement.loop);
    std::string state;
    for (SymbolId id : statement.carried)
      state += (state.empty() ? "  # carries " : ", ") + program_.symbol(id).name;
    line(fmt::format("for {} in {}{}..{} {{{}", program_.symbol(loop.index).name,
                     loop.reverse ? "reverse " : "", describe(program_, loop.lower),
                     describe(program_, loop.upper), state));
    ++depth_;
    for (const Statement& inner : statement.body.statements)
      std::visit([&](const auto& node) { print(node); }, inner.node);
    --depth_;
    line("}");
  }

  void print(const IfStatement& statement) {
    block(
        fmt::format("{} ({})", statement.by_value ? "select" : "if", describe(program_, statement.condition)),
        statement.then_body);
    if (!statement.else_body.statements.empty())
      block("else", statement.else_body);
  }

  void print(const FactorStatement& statement) {
    line(fmt::format("factor({})", describe(program_, statement.value)));
  }

  void print(const ReturnStatement& statement) { line("return " + describe(program_, statement.value)); }

  const Program& program_;
  std::string text_;
  std::size_t depth_ = 0;
};

} // namespace

std::string print(const Program& program) {
  return Printer(program).run();
}

} // namespace plait::program
