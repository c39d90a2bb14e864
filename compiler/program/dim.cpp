#include "compiler/program/dim.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <tuple>

namespace plait::program {

namespace {

auto key(const SizeTerm& term) {
  bool by_text = term.row == SizeTerm::Row::other;
  return std::make_tuple(std::cref(term.name), term.row, term.plate,
                         by_text ? std::string_view(term.row_text) : std::string_view());
}

// A size beyond this is nonsense; sums stop there rather than overflow.
constexpr std::int64_t largest = 1'000'000'000'000'000;

std::int64_t add(std::int64_t a, std::int64_t b) {
  return std::clamp(a + b, -largest, largest);
}

std::int64_t multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product))
    return (a < 0) == (b < 0) ? largest : -largest;
  return std::clamp(product, -largest, largest);
}

void add_term(Dim& dim, const SizeTerm& term) {
  auto place = std::lower_bound(dim.terms.begin(), dim.terms.end(), term,
                                [](const SizeTerm& a, const SizeTerm& b) { return key(a) < key(b); });
  if (place != dim.terms.end() && same_size(*place, term)) {
    place->factor = add(place->factor, term.factor);
    if (place->factor == 0)
      dim.terms.erase(place);
  } else if (term.factor != 0) {
    dim.terms.insert(place, term);
  }
}

} // namespace

bool same_size(const SizeTerm& a, const SizeTerm& b) {
  return key(a) == key(b);
}

Dim Dim::named(std::string name) {
  Dim dim;
  dim.terms.push_back({std::move(name), SizeTerm::Row::none, -1, {}, 1});
  return dim;
}

Dim Dim::ragged(std::string name) {
  Dim dim;
  dim.terms.push_back({std::move(name), SizeTerm::Row::open, -1, {}, 1});
  return dim;
}

std::optional<std::int64_t> Dim::value() const {
  if (!is_known())
    return std::nullopt;
  return constant;
}

const SizeTerm* Dim::single() const {
  return constant == 0 && terms.size() == 1 && terms[0].factor == 1 ? &terms[0] : nullptr;
}

bool Dim::is_ragged() const {
  return std::any_of(terms.begin(), terms.end(),
                     [](const SizeTerm& term) { return term.row != SizeTerm::Row::none; });
}

bool operator==(const Dim& a, const Dim& b) {
  return a.constant == b.constant && std::equal(a.terms.begin(), a.terms.end(), b.terms.begin(),
                                                b.terms.end(), [](const SizeTerm& x, const SizeTerm& y) {
                                                  return same_size(x, y) && x.factor == y.factor;
                                                });
}

Dim operator+(const Dim& a, const Dim& b) {
  Dim result = a;
  result.constant = add(result.constant, b.constant);
  for (const SizeTerm& term : b.terms)
    add_term(result, term);
  return result;
}

Dim operator-(const Dim& a, const Dim& b) {
  return a + scale(b, -1);
}

Dim scale(const Dim& a, std::int64_t factor) {
  if (factor == 0)
    return Dim::known(0);
  Dim result = a;
  result.constant = multiply(result.constant, factor);
  for (SizeTerm& term : result.terms)
    term.factor = multiply(term.factor, factor);
  return result;
}

std::optional<std::int64_t> evaluate(const Dim& dim, const std::map<std::string, std::int64_t>& sizes) {
  std::int64_t total = dim.constant;
  for (const SizeTerm& term : dim.terms) {
    auto found = sizes.find(term.name);
    if (term.row != SizeTerm::Row::none || found == sizes.end())
      return std::nullopt;
    total = add(total, multiply(term.factor, found->second));
  }
  return total;
}

std::string to_string(const Dim& dim) {
  std::string text;
  for (const SizeTerm& term : dim.terms) {
    if (text.empty())
      text += term.factor < 0 ? "-" : "";
    else
      text += term.factor < 0 ? " - " : " + ";
    if (std::int64_t size = term.factor < 0 ? -term.factor : term.factor; size != 1)
      text += std::to_string(size) + "*";
    text += term.name;
    if (term.row == SizeTerm::Row::plate || term.row == SizeTerm::Row::other)
      text += "[" + term.row_text + "]";
  }
  if (text.empty())
    return std::to_string(dim.constant);
  if (dim.constant > 0)
    text += " + " + std::to_string(dim.constant);
  else if (dim.constant < 0)
    text += " - " + std::to_string(dim.constant).substr(1);
  return text;
}

std::string to_string(const std::vector<Dim>& dims) {
  if (dims.empty())
    return "";
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i)
    text += (i ? ", " : "") + to_string(dims[i]);
  return text + "]";
}

} // namespace plait::program
