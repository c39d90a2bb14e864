#include "compiler/program/builtins.hpp"

#include <algorithm>
#include <array>

namespace plait::program {

namespace {

using Values = std::span<const ExprPtr>;
using Sizes = std::span<const Dim>;

Type shaped(Element element, std::vector<Dim> dims) {
  Type type;
  type.element = element;
  type.dims = std::move(dims);
  return type;
}

Type shaped(const Type& like, std::vector<Dim> dims) {
  // Sums of bits and the like are ints.
  return shaped(like.element == Element::real ? Element::real : Element::integer, std::move(dims));
}

const Type& type_of(const ExprPtr& value) {
  return value->type;
}

BuiltinType refuse(std::string why) {
  return {{}, std::move(why)};
}
BuiltinType accept(Type type) {
  return {std::move(type), {}};
}

std::string got(const ExprPtr& value) {
  return ", but gets " + to_string(value->type);
}

BuiltinType dot_type(Values values, Sizes) {
  const auto& a = type_of(values[0]);
  const auto& b = type_of(values[1]);
  if (a.dims.size() != 1 || b.dims.size() != 1 || !(a.dims == b.dims))
    return refuse("needs two vectors of the same length, but gets " + to_string(a) + " and " + to_string(b));
  return accept(shaped(Element::real, {}));
}

BuiltinType reduction_type(Values values, Sizes) {
  const Type& type = type_of(values[0]);
  if (type.is_scalar())
    return refuse("needs an array" + got(values[0]));
  return accept(shaped(type, {}));
}

BuiltinType last_dimension_type(Values values, Sizes) {
  const Type& type = type_of(values[0]);
  if (type.is_scalar())
    return refuse("needs an array" + got(values[0]));
  return accept(shaped(type, type.dims));
}

BuiltinType softmax_type(Values values, Sizes sizes) {
  BuiltinType result = last_dimension_type(values, sizes);
  result.type.support.kind = catalog::SupportKind::simplex;
  return result;
}

BuiltinType fill_type(Values values, Sizes sizes) {
  Type type = type_of(values[0]);
  type.dims.insert(type.dims.begin(), sizes.begin(), sizes.end());
  return accept(std::move(type));
}

BuiltinType constant_type(Values, Sizes sizes) {
  return accept(shaped(Element::real, std::vector<Dim>(sizes.begin(), sizes.end())));
}

BuiltinType counts_type(Values values, Sizes sizes) {
  const Type& type = type_of(values[0]);
  if (type.dims.size() != 1 || type.element == Element::real)
    return refuse("needs a row of indices" + got(values[0]));
  if (type.index_size && !(*type.index_size == sizes[0]))
    return refuse("counts up to " + to_string(sizes[0]) + got(values[0]));
  return accept(shaped(Element::real, {sizes[0]}));
}

BuiltinType one_hot_type(Values values, Sizes sizes) {
  const Type& type = type_of(values[0]);
  if (type.element == Element::real)
    return refuse("needs an index" + got(values[0]));
  if (type.index_size && !(*type.index_size == sizes[0]))
    return refuse("has " + to_string(sizes[0]) + " places" + got(values[0]));
  std::vector<Dim> dims = type.dims;
  dims.push_back(sizes[0]);
  return accept(shaped(Element::real, std::move(dims)));
}

BuiltinType concat_type(Values values, Sizes) {
  Dim total = Dim::known(0);
  const ExprPtr* first = nullptr;
  for (const ExprPtr& value : values)
    if (!value->type.is_scalar() && !first)
      first = &value;
  std::vector<Dim> rest;
  if (first)
    rest.assign((*first)->type.dims.begin() + 1, (*first)->type.dims.end());
  Element element = Element::integer;
  for (const ExprPtr& value : values) {
    const Type& type = value->type;
    if (type.is_real())
      element = Element::real;
    if (type.is_scalar()) {
      if (!rest.empty())
        return refuse("cannot join " + to_string(type) + " to " + to_string((*first)->type));
      total = total + Dim::known(1);
      continue;
    }
    if (!std::equal(type.dims.begin() + 1, type.dims.end(), rest.begin(), rest.end()))
      return refuse("cannot join " + to_string(type) + " to " + to_string((*first)->type));
    total = total + type.dims[0];
  }
  rest.insert(rest.begin(), total);
  return accept(shaped(element, std::move(rest)));
}

BuiltinType size_type(Values values, Sizes) {
  if (type_of(values[0]).is_scalar())
    return refuse("needs an array" + got(values[0]));
  return accept(shaped(Element::integer, {}));
}

BuiltinType transpose_type(Values values, Sizes) {
  const Type& type = type_of(values[0]);
  if (type.dims.size() != 2)
    return refuse("needs a matrix" + got(values[0]));
  return accept(shaped(type, {type.dims[1], type.dims[0]}));
}

BuiltinType diag_type(Values values, Sizes) {
  const Type& type = type_of(values[0]);
  if (type.dims.size() != 1)
    return refuse("needs a vector" + got(values[0]));
  return accept(shaped(Element::real, {type.dims[0], type.dims[0]}));
}

bool is_square(const Type& type) {
  return type.dims.size() == 2 && type.dims[0] == type.dims[1];
}

BuiltinType diagonal_type(Values values, Sizes) {
  const Type& type = type_of(values[0]);
  if (!is_square(type))
    return refuse("needs a square matrix" + got(values[0]));
  return accept(shaped(Element::real, {type.dims[0]}));
}

BuiltinType cholesky_type(Values values, Sizes) {
  const Type& type = type_of(values[0]);
  if (!is_square(type))
    return refuse("needs a square matrix" + got(values[0]));
  Type result = shaped(Element::real, type.dims);
  result.support.kind = catalog::SupportKind::cholesky_cov;
  return accept(std::move(result));
}

BuiltinType triangular_solve_type(Values values, Sizes) {
  const Type& left = type_of(values[0]);
  const Type& right = type_of(values[1]);
  if (!is_square(left) || right.dims.empty() || right.dims.size() > 2 || !(right.dims[0] == left.dims[0]))
    return refuse("needs a square matrix and a right side of its height, but gets " + to_string(left) +
                  " and " + to_string(right));
  return accept(shaped(Element::real, right.dims));
}

BuiltinType log_determinant_type(Values values, Sizes) {
  if (!is_square(type_of(values[0])))
    return refuse("needs a square matrix" + got(values[0]));
  return accept(shaped(Element::real, {}));
}

BuiltinType outer_type(Values values, Sizes) {
  const Type& a = type_of(values[0]);
  const Type& b = type_of(values[1]);
  if (a.dims.size() != 1 || b.dims.size() != 1)
    return refuse("needs two vectors, but gets " + to_string(a) + " and " + to_string(b));
  return accept(shaped(Element::real, {a.dims[0], b.dims[0]}));
}

BuiltinType reverse_type(Values values, Sizes) {
  Type type = type_of(values[0]);
  if (type.is_scalar())
    return refuse("needs an array" + got(values[0]));
  type.support = {};
  return accept(std::move(type));
}

BuiltinType range_type(Values, Sizes sizes) {
  Type type = shaped(Element::index, {sizes[0]});
  type.support.kind = catalog::SupportKind::category;
  type.index_size = sizes[0];
  return accept(std::move(type));
}

constexpr std::array table{
    Builtin{BuiltinKind::cholesky, "cholesky", 1, 0, 0, true, cholesky_type},
    Builtin{BuiltinKind::concat, "concat", -1, 0, 0, false, concat_type},
    Builtin{BuiltinKind::counts, "counts", 1, 1, 1, false, counts_type},
    Builtin{BuiltinKind::cumulative_sum, "cumulative_sum", 1, 0, 0, true, last_dimension_type},
    Builtin{BuiltinKind::diag, "diag", 1, 0, 0, true, diag_type},
    Builtin{BuiltinKind::diagonal, "diagonal", 1, 0, 0, true, diagonal_type},
    Builtin{BuiltinKind::dot, "dot", 2, 0, 0, true, dot_type},
    Builtin{BuiltinKind::fill, "fill", 1, 1, -1, false, fill_type},
    Builtin{BuiltinKind::log_determinant, "log_determinant", 1, 0, 0, true, log_determinant_type},
    Builtin{BuiltinKind::log_softmax, "log_softmax", 1, 0, 0, true, last_dimension_type},
    Builtin{BuiltinKind::log_sum_exp, "log_sum_exp", 1, 0, 0, true, reduction_type},
    Builtin{BuiltinKind::max, "max", 1, 0, 0, false, reduction_type},
    Builtin{BuiltinKind::mean, "mean", 1, 0, 0, true, reduction_type},
    Builtin{BuiltinKind::min, "min", 1, 0, 0, false, reduction_type},
    Builtin{BuiltinKind::one_hot, "one_hot", 1, 1, 1, false, one_hot_type},
    Builtin{BuiltinKind::ones, "ones", 0, 1, -1, false, constant_type},
    Builtin{BuiltinKind::outer, "outer", 2, 0, 0, true, outer_type},
    Builtin{BuiltinKind::prod, "prod", 1, 0, 0, false, reduction_type},
    Builtin{BuiltinKind::range, "range", 0, 1, 1, false, range_type},
    Builtin{BuiltinKind::reverse, "reverse", 1, 0, 0, false, reverse_type},
    Builtin{BuiltinKind::size, "size", 1, 0, 0, false, size_type},
    Builtin{BuiltinKind::softmax, "softmax", 1, 0, 0, true, softmax_type},
    Builtin{BuiltinKind::sum, "sum", 1, 0, 0, false, reduction_type},
    Builtin{BuiltinKind::transpose, "transpose", 1, 0, 0, true, transpose_type},
    Builtin{BuiltinKind::triangular_solve, "triangular_solve", 2, 0, 0, true, triangular_solve_type},
    Builtin{BuiltinKind::variance, "variance", 1, 0, 0, true, reduction_type},
    Builtin{BuiltinKind::zeros, "zeros", 0, 1, -1, false, constant_type},
};

} // namespace

std::span<const Builtin> builtins() {
  return table;
}

const Builtin* find_builtin(std::string_view name) {
  auto found = std::find_if(table.begin(), table.end(), [&](const Builtin& row) { return row.name == name; });
  return found == table.end() ? nullptr : &*found;
}

} // namespace plait::program
