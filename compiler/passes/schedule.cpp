#include "compiler/passes/schedule_internal.hpp"

#include <algorithm>
#include <limits>

namespace plait::passes {

using ir::AxisId;
using ir::Extent;
using ir::Graph;
using ir::Kind;
using ir::LoopResult;
using ir::Node;
using ir::NodeId;
using ir::Output;
using ir::OutputKind;
using ir::Type;

namespace {

constexpr std::int64_t register_elements = 8; ///< event elements kept in registers or on the stack

constexpr std::int64_t lane_sum_bytes =
    64 * 1024; ///< a larger accumulator holds one sum per element, not one per lane

std::size_t at(NodeId id) {
  return static_cast<std::size_t>(id);
}

/** A statement with the place the scheduler moves it to. */
struct Task {
  Statement statement;
  AxisId home = no_axis;
  int level = 0;
  bool finishes_later = false; ///< sums over the home's rows: complete when the phase is over
  int updates = -1;            ///< parameter that it stores
  std::vector<NodeId> defines; ///< materialized nodes it computes
  std::set<std::pair<NodeId, bool>> reads;
  std::set<std::pair<int, bool>>
      parameters; ///< parameters whose memory it reads; true: at other rows than its own
};

class Scheduler {
public:
  Scheduler(const Graph& graph, const ScheduleOptions& options) : graph_(graph), options_(options) {
    schedule_.lanes = options.lanes;
    schedule_.real_bytes = options.real_bytes;
    schedule_.placements.resize(graph.nodes.size());
    schedule_.next_values.resize(graph.nodes.size());
    defined_by_.assign(graph.nodes.size(), -1);
  }

  Schedule run() {
    usage_ = analyse_usage(graph_, options_.lanes);
    copy_overwritten_parameters();
    for (NodeId id : graph_.regions[0].order)
      if (usage_.live[at(id)])
        add_node(id);
    add_outputs();
    sink();
    delay_updates();
    make_phases();
    place();
    choose_tiles(graph_, options_, schedule_);
    name_arguments(graph_, schedule_);
    return std::move(schedule_);
  }

private:
  // ---- Tasks ----

  /** A parameter that another parameter's update reads, or that its own reads elsewhere than at the element
   * written, is copied before updates begin. */
  void copy_overwritten_parameters() {
    for (const Output& output : graph_.outputs) {
      if (output.kind != OutputKind::store_parameter && output.kind != OutputKind::store_slot)
        continue;
      std::set<std::pair<NodeId, bool>> seen;
      const auto walk = [&](const auto& self, NodeId id, bool same_place) -> void {
        if (!seen.insert({id, same_place}).second || usage_.materialized[at(id)])
          return;
        const Node& node = graph_.node(id);
        if (node.kind == Kind::parameter || node.kind == Kind::slot) {
          if (node.index != output.index || !same_place)
            usage_.materialized[at(id)] = 1;
          return;
        }
        for (NodeId operand : node.operands)
          self(self, operand, same_place && (node.kind == Kind::map || node.kind == Kind::broadcast));
      };
      walk(walk, output.node, true);
    }
  }

  void collect(Task& task, NodeId value) {
    const auto read = [&](NodeId id, bool crossed) { task.reads.insert({id, crossed}); };
    if (usage_.materialized[at(value)])
      read(value, false);
    else
      collect_operands(task, value);
  }

  void collect_operands(Task& task, NodeId id) {
    for_each_read(graph_, usage_, id, [&](NodeId node, bool crossed) { task.reads.insert({node, crossed}); });
    collect_parameters(task, id);
  }

  void collect_parameters(Task& task, NodeId id) {
    std::set<std::pair<NodeId, bool>> seen;
    const auto walk = [&](const auto& self, NodeId at_id, bool crossed) -> void {
      if (!seen.insert({at_id, crossed}).second)
        return;
      const Node& node = graph_.node(at_id);
      if (node.kind == Kind::parameter || node.kind == Kind::slot)
        task.parameters.insert({node.index, crossed});
      if (at_id != id && usage_.materialized[at(at_id)])
        return;
      for (NodeId operand : node.operands)
        self(self, operand, crossed || node.kind == Kind::axis_to_dim);
    };
    walk(walk, id, false);
  }

  /** Whether a reader over `home` needs a later level than the task. Work at the root comes first in its
   * level: plates may read it in the same one. */
  bool is_later(const Task& source, NodeId id, AxisId home, bool crossed) const {
    // A loop that adds up sums over rows also hands on values of the rows themselves, which are there at
    // once.
    return (source.finishes_later && !graph_.type(id).has_axis(source.home)) ||
           (source.home != home && source.home != no_axis) || (crossed && home != no_axis);
  }

  int ready(NodeId id, bool crossed, AxisId home) const {
    const int task = defined_by_[at(id)];
    if (task < 0)
      return 0;
    const Task& source = tasks_[static_cast<std::size_t>(task)];
    return source.level + (is_later(source, id, home, crossed) ? 1 : 0);
  }

  void add(Task task) {
    for (const auto& [id, crossed] : task.reads) {
      task.level = std::max(task.level, ready(id, crossed, task.home));
      task.statement.reads.push_back(id);
    }
    for (NodeId id : task.defines)
      defined_by_[at(id)] = static_cast<int>(tasks_.size());
    tasks_.push_back(std::move(task));
  }

  void add_node(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.kind == Kind::loop) {
      add_loop(id);
      return;
    }
    if (!usage_.materialized[at(id)] || node.kind == Kind::loop_result)
      return;
    Task task;
    task.statement.kind = StatementKind::compute;
    task.statement.node = id;
    task.home = home_axis(graph_, iteration_axes(graph_, id));
    if (is_reduction(node.kind) && ir::contains(node.axes, task.home)) {
      task.statement.kind = StatementKind::accumulate;
      task.statement.target = id;
      task.finishes_later = true;
    }
    if (find_product(graph_, id))
      task.statement.kind = StatementKind::product;
    task.defines = {id};
    collect_operands(task, id);
    add(std::move(task));
  }

  void add_loop(NodeId id) {
    Task task;
    task.home = loop_home(graph_, usage_, id);
    task.statement = loop_statement(id, task.home, task);
    for (NodeId result : results_of(id))
      task.defines.push_back(result);
    add(std::move(task));
  }

  std::vector<NodeId> results_of(NodeId loop) const {
    std::vector<NodeId> results;
    for (NodeId user : usage_.users[at(loop)])
      if (graph_.node(user).kind == Kind::loop_result)
        results.push_back(user);
    return results;
  }

  Statement loop_statement(NodeId id, AxisId home, Task& task) {
    const ir::Loop& loop = graph_.loop_of(id);
    Statement statement;
    statement.kind = StatementKind::loop;
    statement.node = id;
    const std::vector<NodeId> results = results_of(id);
    // Sums over rows go straight into the accumulators of the results that total them.
    struct Wanted {
      NodeId target;
      SumTerm term;
    };
    std::map<NodeId, Wanted> wanted;
    std::set<NodeId> absorbed, filled;
    for (std::size_t k = 0; home != no_axis && k < loop.accumulated.size(); ++k) {
      if (graph_.type(loop.accumulated[k]).has_axis(home))
        continue;
      const auto sums = sum_terms(graph_, usage_, loop.accumulated[k], home, loop.body);
      if (!sums)
        continue;
      absorbed.insert(sums->absorbed.begin(), sums->absorbed.end());
      for (NodeId result : results) {
        const Node& handed = graph_.node(result);
        if (handed.result == LoopResult::accumulated && static_cast<std::size_t>(handed.index) == k)
          for (const SumTerm& term : sums->terms)
            wanted[term.reduction] = {result, term};
      }
    }
    Task inner;
    for (const auto* list : {&loop.inits, &loop.nexts, &loop.stacked, &loop.accumulated})
      for (NodeId value : *list)
        collect(inner, value);
    if (loop.lengths != ir::no_node)
      collect(inner, loop.lengths);
    for (NodeId node_id : graph_.regions[static_cast<std::size_t>(loop.body)].order) {
      const Node& node = graph_.node(node_id);
      if (!usage_.live[at(node_id)] || absorbed.contains(node_id))
        continue;
      Statement part;
      Task reads;
      if (node.kind == Kind::loop) {
        part = loop_statement(node_id, home, reads);
      } else {
        if (!usage_.materialized[at(node_id)] || node.kind == Kind::loop_result ||
            node.kind == Kind::loop_argument)
          continue;
        part.node = node_id;
        collect_operands(reads, node_id);
        const auto product = find_product(graph_, node_id);
        const bool over_rows = home != no_axis && is_reduction(node.kind) && ir::contains(node.axes, home);
        if (over_rows) {
          const auto sum = wanted.find(node_id);
          if (sum == wanted.end())
            continue; // nobody wants this sum
          part.kind = StatementKind::accumulate;
          part.target = sum->second.target;
          part.sign = sum->second.term.sign;
          part.factors = sum->second.term.factors;
          part.joins = !filled.insert(part.target).second;
          for (NodeId factor : part.factors)
            collect(reads, factor);
          task.finishes_later = true;
        }
        const auto fits = [&](Product::Form form) {
          return form == Product::Form::at_root     ? home == no_axis
                 : form == Product::Form::over_rows ? over_rows
                                                    : node.type.axes == std::vector<AxisId>{home};
        };
        if (product && fits(product->form)) {
          part.kind = StatementKind::product;
          part.deferred =
              over_rows && std::none_of(part.factors.begin(), part.factors.end(), [&](NodeId factor) {
                return inside(graph_.node(factor).region, loop.body);
              });
        }
      }
      for (const auto& [read, crossed] : reads.reads)
        part.reads.push_back(read);
      inner.reads.insert(reads.reads.begin(), reads.reads.end());
      inner.parameters.insert(reads.parameters.begin(), reads.parameters.end());
      task.finishes_later = task.finishes_later || reads.finishes_later;
      statement.by_tiles = statement.by_tiles || (home != no_axis && needs_tile(part));
      statement.body.push_back(std::move(part));
    }
    if (statement.by_tiles)
      cut_body(statement);
    // What the body reads from outside of it is read by the loop.
    for (const auto& [read, crossed] : inner.reads)
      if (!inside(graph_.node(read).region, loop.body))
        task.reads.insert({read, crossed});
    task.parameters.insert(inner.parameters.begin(), inner.parameters.end());
    return statement;
  }

  /** Segments of a loop body, as of a phase. */
  void cut_body(Statement& loop) {
    std::map<NodeId, std::pair<int, bool>> sources; // node -> segment, of a whole tile
    for (Statement& part : loop.body) {
      for (NodeId read : part.reads)
        if (const auto source = sources.find(read); source != sources.end()) {
          const auto [segment, of_tile] = source->second;
          part.segment = std::max(part.segment, segment + (of_tile && !needs_tile(part) ? 1 : 0));
        }
      loop.segments = std::max(loop.segments, part.segment + 1);
      const std::pair<int, bool> place{part.segment, needs_tile(part)};
      if (part.kind == StatementKind::loop)
        for (NodeId result : results_of(part.node))
          sources[result] = place;
      else
        sources[part.node] = place;
    }
  }

  bool inside(ir::RegionId region, ir::RegionId outer) const {
    for (; region >= 0; region = graph_.regions[static_cast<std::size_t>(region)].parent)
      if (region == outer)
        return true;
    return false;
  }

  void add_outputs() {
    std::map<int, std::vector<int>> updates; // parameter -> outputs
    for (std::size_t k = 0; k < graph_.outputs.size(); ++k) {
      const Output& output = graph_.outputs[k];
      if (output.kind == OutputKind::store_parameter || output.kind == OutputKind::store_slot)
        updates[output.index].push_back(static_cast<int>(k));
      else
        add_store({static_cast<int>(k)}, -1);
    }
    for (const auto& [parameter, outputs] : updates)
      add_store(outputs, parameter);
  }

  /** An update waits for every other reader of the old value. */
  void delay_updates() {
    for (Task& update : tasks_) {
      if (update.updates < 0)
        continue;
      for (const Task& task : tasks_)
        for (bool crossed : {false, true})
          if (&task != &update && task.parameters.contains({update.updates, crossed})) {
            const bool elsewhere =
                (task.home != update.home && task.home != no_axis) || (crossed && update.home != no_axis);
            update.level = std::max(update.level, task.level + (elsewhere ? 1 : 0));
          }
    }
  }

  void add_store(std::vector<int> outputs, int updates) {
    Task task;
    task.statement.kind = StatementKind::store;
    task.updates = updates;
    std::vector<AxisId> axes;
    for (int k : outputs) {
      const Output& output = graph_.outputs[static_cast<std::size_t>(k)];
      axes = ir::unite(axes, graph_.type(output.node).axes);
      if (output.kind != OutputKind::scalar && output.kind != OutputKind::value)
        axes = ir::unite(axes, graph_.parameters[static_cast<std::size_t>(output.index)].axes);
      collect(task, output.node);
    }
    task.home = home_axis(graph_, axes);
    task.statement.outputs = std::move(outputs);
    add(std::move(task));
  }

  /** Moves statements of plates down to the level of their first reader, so that values need not be kept
   * between phases. Sums stay: their operands are at hand where they are. */
  void sink() {
    std::vector<int> wanted(tasks_.size(), std::numeric_limits<int>::max());
    for (std::size_t k = tasks_.size(); k-- > 0;) {
      Task& task = tasks_[k];
      if (task.home != no_axis && !task.finishes_later && !task.defines.empty() &&
          wanted[k] != std::numeric_limits<int>::max())
        task.level = std::max(task.level, wanted[k]);
      for (const auto& [id, crossed] : task.reads) {
        const int source = defined_by_[at(id)];
        if (source < 0)
          continue;
        const Task& from = tasks_[static_cast<std::size_t>(source)];
        int& want = wanted[static_cast<std::size_t>(source)];
        want = std::min(want, task.level - (is_later(from, id, task.home, crossed) ? 1 : 0));
      }
    }
  }

  // ---- Phases and memory ----

  void make_phases() {
    std::map<std::pair<int, AxisId>, int> index;
    for (const Task& task : tasks_)
      index.emplace(std::pair{task.level, task.home}, 0);
    for (auto& [key, number] : index) {
      number = static_cast<int>(schedule_.phases.size());
      Phase phase;
      phase.level = key.first;
      phase.home = key.second;
      phase.maximum_chunks = phase.home == no_axis ? 1 : options_.maximum_chunks;
      schedule_.phases.push_back(std::move(phase));
    }
    phase_of_.resize(tasks_.size());
    for (std::size_t k = 0; k < tasks_.size(); ++k)
      phase_of_[k] = index.at({tasks_[k].level, tasks_[k].home});
    cut_segments();
    for (std::size_t k = 0; k < tasks_.size(); ++k) {
      schedule_.phases[static_cast<std::size_t>(phase_of_[k])].statements.push_back(tasks_[k].statement);
    }
    // Whether a value is read in other phases than its own.
    kept_.assign(graph_.nodes.size(), 0);
    for (std::size_t k = 0; k < tasks_.size(); ++k)
      for (const auto& [id, crossed] : tasks_[k].reads) {
        const int source = defined_by_[at(id)];
        if (source < 0)
          continue;
        const Task& from = tasks_[static_cast<std::size_t>(source)];
        if (from.home == no_axis ? tasks_[k].home != no_axis
                                 : phase_of_[static_cast<std::size_t>(source)] != phase_of_[k] || crossed)
          kept_[at(id)] = 1;
      }
  }

  /** Matrix products want whole tiles: the lanes' work before and after them runs in passes of its own, and
   * what goes from one pass to another lies in buffers. */
  void cut_segments() {
    shared_.assign(graph_.nodes.size(), 0);
    const auto is_product = [](const Task& task) { return needs_tile(task.statement); };
    for (std::size_t k = 0; k < tasks_.size(); ++k) {
      Task& task = tasks_[k];
      Phase& phase = schedule_.phases[static_cast<std::size_t>(phase_of_[k])];
      if (phase.home == no_axis)
        continue;
      for (const auto& [id, crossed] : task.reads) {
        const int source = defined_by_[at(id)];
        if (source < 0 || phase_of_[static_cast<std::size_t>(source)] != phase_of_[k])
          continue;
        const Task& from = tasks_[static_cast<std::size_t>(source)];
        const bool after = is_product(from) && !is_product(task);
        task.statement.segment = std::max(task.statement.segment, from.statement.segment + (after ? 1 : 0));
      }
      if (task.updates >= 0) // after every reader of the old value
        for (std::size_t j = 0; j < k; ++j)
          if (phase_of_[j] == phase_of_[k])
            task.statement.segment = std::max(task.statement.segment, tasks_[j].statement.segment);
      phase.segments = std::max(phase.segments, task.statement.segment + 1);
    }
    for (std::size_t k = 0; k < tasks_.size(); ++k)
      for (const auto& [id, crossed] : tasks_[k].reads) {
        const int source = defined_by_[at(id)];
        if (source < 0)
          continue;
        const Task& from = tasks_[static_cast<std::size_t>(source)];
        if (is_product(from) || is_product(tasks_[k]) ||
            from.statement.segment != tasks_[k].statement.segment)
          shared_[at(id)] = 1;
      }
  }

  Buffer describe(NodeId node, const Type& type, Place place, AxisId lane_axis) const {
    Buffer buffer;
    buffer.node = node;
    buffer.place = place;
    buffer.element = type.element;
    buffer.wide = type.element == ir::Element::real && is_root_scalar(type);
    buffer.axes = type.axes;
    if (type.has_axis(lane_axis)) {
      buffer.lane_axis = lane_axis;
      std::erase(buffer.axes, lane_axis);
    }
    buffer.shape = type.shape;
    buffer.element_bytes = type.element == ir::Element::real      ? (buffer.wide ? 8 : options_.real_bytes)
                           : type.element == ir::Element::integer ? 4
                                                                  : 1;
    return buffer;
  }

  int add_buffer(Buffer buffer) {
    schedule_.buffers.push_back(std::move(buffer));
    return static_cast<int>(schedule_.buffers.size()) - 1;
  }

  /** Memory for a value computed in a phase. */
  Placement make_place(NodeId node, const Type& type, int phase_index, bool kept, bool by_tiles = false) {
    const Phase& phase = schedule_.phases[static_cast<std::size_t>(phase_index)];
    std::vector<AxisId> inner = type.axes;
    std::erase(inner, phase.home);
    const std::int64_t elements = known_elements(graph_, inner, type.shape);
    const bool is_small = elements >= 0 && elements <= register_elements;
    Place chosen;
    if (kept)
      chosen = is_root_scalar(type) ? Place::scalar : Place::whole;
    else if (phase.home == no_axis)
      chosen = is_root_scalar(type) ? Place::lane : Place::whole;
    else
      chosen = is_small && !shared_[at(node)] && !by_tiles ? Place::lane : Place::tile;
    Buffer buffer = describe(node, type, chosen, kept ? home_axis(graph_, type.axes) : phase.home);
    if (chosen == Place::lane)
      buffer.lane_rows = options_.lanes;
    if (chosen == Place::tile)
      buffer.chunks = phase.maximum_chunks;
    return {chosen, phase_index, add_buffer(std::move(buffer))};
  }

  void place() {
    for (std::size_t p = 0; p < schedule_.phases.size(); ++p)
      for (Statement& statement : schedule_.phases[p].statements)
        place_statement(statement, static_cast<int>(p), true, false);
  }

  Placement& placement(NodeId id) { return schedule_.placements[at(id)]; }

  void place_statement(Statement& statement, int phase, bool outer, bool by_tiles) {
    const bool sums = statement.kind == StatementKind::accumulate ||
                      (statement.kind == StatementKind::product &&
                       find_product(graph_, statement.node)->form == Product::Form::over_rows);
    if (!sums && statement.kind != StatementKind::loop && statement.kind != StatementKind::store) {
      const NodeId id = statement.node;
      placement(id) = make_place(id, graph_.type(id), phase, outer && kept_[at(id)], by_tiles);
    } else if (sums && statement.joins) {
      for (const Statement* earlier : accumulating_)
        if (earlier->target == statement.target) {
          statement.accumulator = earlier->accumulator;
          statement.in_registers = earlier->in_registers;
        }
    } else if (sums) {
      const NodeId target = statement.target;
      const Type& type = graph_.type(target);
      placement(target) = make_place(target, type, phase, true);
      Buffer partial = describe(target, type, Place::whole, home_axis(graph_, type.axes));
      partial.chunks = schedule_.phases[static_cast<std::size_t>(phase)].maximum_chunks;
      const std::int64_t elements = known_elements(graph_, type.axes, type.shape);
      const Node& node = graph_.node(statement.node);
      const bool scattered = node.kind == Kind::scatter_add;
      // Rows summed as they lie in memory fill the lanes with neighbouring elements.
      const bool lies_in_rows = find_row_contraction(graph_, statement.node, options_.lanes).has_value();
      const bool one_by_one = scattered || lies_in_rows || statement.kind == StatementKind::product;
      statement.in_registers = elements >= 0 && elements <= register_sums && !one_by_one && type.axes.empty();
      if (!statement.in_registers && !one_by_one && elements >= 0 &&
          elements * options_.lanes * options_.real_bytes <= lane_sum_bytes)
        partial.width = options_.lanes;
      statement.accumulator = add_buffer(std::move(partial));
      accumulating_.push_back(&statement);
    } else if (statement.kind == StatementKind::loop) {
      place_loop(statement, phase, outer, by_tiles || statement.by_tiles);
    }
  }

  void place_loop(Statement& statement, int phase, bool outer, bool by_tiles) {
    const ir::Loop& loop = graph_.loop_of(statement.node);
    for (NodeId result : results_of(statement.node)) {
      const Node& node = graph_.node(result);
      // Sums over rows have accumulators of their own.
      const bool summed_over_rows = std::any_of(statement.body.begin(), statement.body.end(),
                                                [&](const Statement& part) { return part.target == result; });
      if (!summed_over_rows)
        placement(result) = make_place(result, node.type, phase, outer && kept_[at(result)], by_tiles);
      if (node.result == LoopResult::carried)
        placement(loop.arguments[static_cast<std::size_t>(node.index)]) = placement(result);
    }
    for (NodeId argument : loop.arguments) {
      const Type& type = graph_.type(argument);
      if (placement(argument).place == Place::inlined)
        placement(argument) = make_place(argument, type, phase, false, by_tiles);
      schedule_.next_values[at(argument)] = make_place(argument, type, phase, false, by_tiles);
    }
    for (Statement& part : statement.body) {
      place_statement(part, phase, false, by_tiles);
      if (part.deferred)
        place_panels(statement, part, phase);
    }
  }

  void place_panels(Statement& loop, const Statement& part, int phase) {
    const Product product = *find_product(graph_, part.node);
    for (NodeId operand : {product.a, product.b}) {
      if (std::any_of(loop.panels.begin(), loop.panels.end(),
                      [&](const Panel& panel) { return panel.operand == operand; }))
        continue;
      Buffer buffer = describe(operand, graph_.type(operand), Place::whole, no_axis);
      buffer.axes.clear();
      buffer.shape.push_back(Extent::known(panel_columns + panel_padding));
      buffer.chunks = schedule_.phases[static_cast<std::size_t>(phase)].maximum_chunks;
      loop.panels.push_back({operand, add_buffer(std::move(buffer))});
    }
  }

  const Graph& graph_;
  ScheduleOptions options_;
  Usage usage_;
  Schedule schedule_;
  std::vector<Task> tasks_;
  std::vector<int> defined_by_; ///< per node: the task that computes it
  std::vector<int> phase_of_;   ///< per task
  std::vector<const Statement*> accumulating_;
  std::vector<char> shared_; ///< per node: read by a matrix product or in another pass over the tile
  std::vector<char> kept_;   ///< per node: read outside of its phase
};

} // namespace

Schedule schedule(const Graph& graph, const ScheduleOptions& options) {
  return Scheduler(graph, options).run();
}

} // namespace plait::passes
