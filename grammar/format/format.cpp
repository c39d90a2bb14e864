#include "grammar/format/format.hpp"

#include "grammar/format/comments.hpp"
#include "grammar/format/expression.hpp"

#include <algorithm>

namespace plait {

namespace {

using namespace formatting;

constexpr std::size_t widest_line = 100;
constexpr std::size_t indent_step = 2;
constexpr std::size_t continuation_indent = 4;

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// Turns the soft breaks into spaces, and into line breaks where the line would become too wide.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::string result(indent, ' ');
  std::size_t column = indent;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = std::min(text.find(soft_break, begin), text.size());
    std::string piece = text.substr(begin, end - begin);
    if (begin > 0) {
      if (column + 1 + width_of(piece) > widest_line) {
        column = indent + continuation_indent;
        result += '\n' + std::string(column, ' ');
      } else {
        result += ' ';
        ++column;
      }
    }
    result += piece;
    column += width_of(piece);
    begin = end + 1;
  }
  return result;
}

class Formatter {
public:
  explicit Formatter(const Source& source) : source_(source), comments_(comments_of(source)) {}

  std::string run(const ast::Program& program) {
    bool first = true;
    bool apart = false;
    for (const ast::Item& item : program.items) {
      bool has_body = item_has_body(item);
      want_blank_ = !first && (apart || has_body);
      first = false;
      apart = has_body;
      std::visit([&](const auto& node) { write(node, item.span); }, item.node);
    }
    write_comments_before(source_.text.size() + 1);
    return std::move(out_);
  }

private:
  static bool item_has_body(const ast::Item& item) {
    auto* guide = ast::get_if<ast::Guide>(item);
    return ast::get_if<ast::Function>(item) || ast::get_if<ast::Model>(item) ||
           ast::get_if<ast::Predict>(item) || (guide && guide->body);
  }

  // ---- lines, blank lines and comments

  /// Before something that begins at a source offset: a blank line, where the source has one or one is
  /// wanted.
  void separate(std::size_t begin) {
    begin = std::min(begin, source_.text.size());
    bool blank = want_blank_;
    if (!at_block_start_ && begin > written_up_to_) {
      auto from = source_.text.begin();
      blank = blank || std::count(from + static_cast<std::ptrdiff_t>(written_up_to_),
                                  from + static_cast<std::ptrdiff_t>(begin), '\n') > 1;
    }
    if (blank && !out_.empty())
      out_ += '\n';
    want_blank_ = false;
    at_block_start_ = false;
  }

  void advance(std::size_t end) { written_up_to_ = std::max(written_up_to_, end); }

  void write_comments_before(std::size_t offset) {
    for (; next_comment_ < comments_.size() && comments_[next_comment_].span.begin < offset;
         ++next_comment_) {
      const Comment& comment = comments_[next_comment_];
      separate(comment.span.begin);
      out_ += std::string(indent_, ' ') + comment.text + '\n';
      advance(comment.span.end);
    }
  }

  /// Ends the current line, with the comment that follows on the same line of the source.
  void end_line(std::size_t offset) {
    advance(offset);
    if (next_comment_ < comments_.size()) {
      const Comment& comment = comments_[next_comment_];
      bool follows =
          comment.span.begin >= offset &&
          source_.slice({offset, comment.span.begin}).find_first_not_of(" \t") == std::string_view::npos;
      if (follows) {
        out_ += "  " + comment.text;
        advance(comment.span.end);
        ++next_comment_;
      }
    }
    out_ += '\n';
  }

  /// A statement or item on lines of its own. Comments inside it move before it.
  void write_line(const std::string& text, Span span) {
    write_comments_before(span.end);
    separate(span.begin);
    out_ += wrapped(text, indent_);
    end_line(span.end);
  }

  /// A header up to the `{` of its body, then the body. `tail` says that text follows the `}` on its line.
  void write_block(const std::string& header, Span span, const ast::Block& body, bool tail = false) {
    write_comments_before(body.span.begin);
    separate(span.begin);
    out_ += wrapped(header + " ", indent_);
    write_body(body, span.end, tail);
  }

  void write_body(const ast::Block& body, std::size_t end, bool tail) {
    std::size_t inner_end = std::max(body.span.begin + 1, body.span.end) - 1;
    bool has_comment = next_comment_ < comments_.size() && comments_[next_comment_].span.begin < inner_end;
    if (body.statements.empty() && !has_comment) {
      out_ += "{}";
    } else {
      out_ += '{';
      end_line(body.span.begin + 1);
      at_block_start_ = true;
      indent_ += indent_step;
      for (const ast::Statement& statement : body.statements)
        std::visit([&](const auto& node) { write(node, statement.span); }, statement.node);
      write_comments_before(inner_end);
      indent_ -= indent_step;
      out_ += std::string(indent_, ' ') + '}';
    }
    at_block_start_ = false;
    if (tail)
      advance(body.span.end);
    else
      end_line(end);
  }

  // ---- statements

  void write(const ast::Assign& assign, Span span) {
    std::string targets;
    for (const ast::LValue& target : assign.targets)
      targets += (targets.empty() ? "" : ", ") + text_of(target);
    if (assign.targets.size() > 1)
      targets = "(" + targets + ")";
    write_line(targets + " = " + text_of(assign.value) + ";", span);
  }

  void write(const ast::Sample& sample, Span span) {
    std::string text = text_of(sample.target) + " ~ " + text_of(sample.distribution);
    if (!sample.copies.empty())
      text += "[" + text_of(sample.copies) + "]";
    if (sample.strategy)
      text += std::string(1, soft_break) + "using " + text_of(*sample.strategy);
    write_line(text + ";", span);
  }

  void write(const ast::ParamDecl& param, Span span) {
    std::string text = "param " + param.name.name + " : " + text_of(param.type);
    if (param.init)
      text += " = " + text_of(param.init);
    write_line(text + ";", span);
  }

  void write(const ast::Plate& plate, Span span) {
    std::string text = plate.kind == ast::PlateKind::iarange ? "iarange " : "irange ";
    text += plate.index.name + " in " + text_of(plate.size);
    if (plate.alias)
      text += " as " + plate.alias->name;
    if (plate.subsample)
      text += " subsample " + text_of(plate.subsample);
    write_block(text, span, plate.body);
  }

  void write(const ast::For& loop, Span span) {
    write_block("for " + loop.index.name + " in " + (loop.reverse ? "reverse " : "") +
                    range_text(loop.lower, loop.upper),
                span, loop.body);
  }

  void write(const ast::If& statement, Span span) {
    write_block("if (" + text_of(statement.condition) + ")", span, statement.then_body,
                statement.else_body.has_value());
    const ast::If* current = &statement;
    while (current->else_body) {
      const ast::Block& body = *current->else_body;
      const ast::If* inner =
          body.statements.size() == 1 ? ast::get_if<ast::If>(body.statements.front()) : nullptr;
      if (!inner) {
        out_ += " else ";
        write_body(body, span.end, false);
        return;
      }
      std::string text = " else if (" + text_of(inner->condition) + ") ";
      std::replace(text.begin(), text.end(), soft_break, ' ');
      out_ += text;
      write_body(inner->then_body, span.end, inner->else_body.has_value());
      current = inner;
    }
  }

  void write(const ast::Factor& factor, Span span) {
    write_line("factor(" + text_of(factor.value) + ");", span);
  }
  void write(const ast::Return& statement, Span span) {
    write_line("return " + text_of(statement.value) + ";", span);
  }

  // ---- items

  void write(const ast::Const& item, Span span) {
    std::string type = item.type ? " : " + text_of(*item.type) : "";
    write_line("const " + item.name.name + type + " = " + text_of(item.value) + ";", span);
  }

  void write(const ast::Data& item, Span span) {
    write_line("data " + item.name.name + " : " + text_of(item.type) + ";", span);
  }

  void write(const ast::Function& function, Span span) {
    std::string text = (function.is_net ? "net " : "fun ") + function.name.name + "(";
    for (const ast::Parameter& parameter : function.parameters) {
      if (&parameter != &function.parameters.front())
        text += std::string(",") + soft_break;
      text += parameter.name.name + " : " + text_of(parameter.type);
    }
    text += std::string(")") + soft_break + "-> ";
    std::string results;
    for (const ast::Type& type : function.results)
      results += (results.empty() ? "" : ", ") + text_of(type);
    text += function.results.size() > 1 ? "(" + results + ")" : results;
    write_block(text, span, function.body);
  }

  void write(const ast::Model& model, Span span) { write_block("model", span, model.body); }
  void write(const ast::Predict& predict, Span span) { write_block("predict", span, predict.body); }

  void write(const ast::Guide& guide, Span span) {
    if (guide.body) {
      write_block("guide", span, *guide.body);
      return;
    }
    ast::Choice family = *guide.family;
    std::string name = family.name.name;
    family.name.name.clear();
    std::string arguments = text_of(family); // "(…)" or nothing
    if (!arguments.empty())
      name += ", " + arguments.substr(1, arguments.size() - 2);
    write_line("guide auto(" + name + ");", span);
  }

  const Source& source_;
  std::vector<Comment> comments_;
  std::size_t next_comment_ = 0;
  std::string out_;
  std::size_t indent_ = 0;
  std::size_t written_up_to_ = 0; ///< source offset behind the last thing written
  bool want_blank_ = false;
  bool at_block_start_ = false;
};

} // namespace

std::string format(const ast::Program& program, const Source& source) {
  return Formatter(source).run(program);
}

} // namespace plait
