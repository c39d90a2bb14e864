#include "compiler/session/state.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/guide/family.hpp"
#include "compiler/program/builtins.hpp"

#include <fmt/format.h>

namespace plait {

namespace {

std::string options_text(const std::vector<catalog::Option>& options) {
  std::string text;
  for (const catalog::Option& option : options)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", option.name, option.value);
  return text;
}

} // namespace

std::vector<TableRow> list(const std::string& table) {
  std::vector<TableRow> rows;
  if (table == "distributions") {
    for (const catalog::Distribution* row : catalog::distributions()) {
      std::string parameters;
      for (const catalog::DistributionParameter& parameter : row->parameters.get()())
        parameters += fmt::format("{}{}", parameters.empty() ? "" : ", ", parameter.name);
      rows.push_back({std::string(row->name), fmt::format("{}({})", row->name, parameters)});
    }
  } else if (table == "transforms") {
    for (const catalog::Transform* row : catalog::transforms())
      rows.push_back({std::string(row->name), fmt::format("{}: {}", row->usage.get(), row->meaning.get())});
  } else if (table == "functions") {
    for (const ir::Op* op : catalog::ops())
      if (catalog::find_op(op->name)) // not what derivatives and samplers alone are made of
        rows.push_back({std::string(op->name), fmt::format("{}/{}", op->name, op->arity.get())});
    for (const program::Builtin& builtin : program::builtins())
      rows.push_back({std::string(builtin.name), fmt::format("{}", builtin.name)});
  } else if (table == "layers") {
    for (const catalog::Layer* layer : catalog::layers())
      rows.push_back({std::string(layer->name), std::string(layer->usage.get())});
  } else if (table == "optimizers") {
    for (const catalog::Optimizer* row : catalog::optimizers())
      rows.push_back(
          {std::string(row->name), fmt::format("{}({})", row->name, options_text(row->options.get()()))});
  } else if (table == "objectives") {
    for (const elbo::Objective* row : elbo::objectives())
      rows.push_back({std::string(row->name), fmt::format("{}({}): {}", row->name,
                                                          options_text(row->options.get()()), row->meaning)});
  } else if (table == "guides") {
    for (const guide::FamilyRow* row : guide::families())
      rows.push_back({std::string(row->name),
                      fmt::format("auto({}) {}", row->name, options_text(row->options.get()()))});
  } else {
    throw Error(Fault::usage, fmt::format("error: there is no table '{}'; tables are distributions, "
                                          "transforms, functions, layers, optimizers, objectives, guides",
                                          table));
  }
  return rows;
}

std::string version() {
  return "0.1.0";
}

} // namespace plait
