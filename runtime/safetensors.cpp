#include "runtime/safetensors.hpp"

#include "runtime/data_error.hpp"
#include "runtime/readers/mapped_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>

namespace plait::runtime {

namespace {

using nlohmann::json;

// The format's own limit, against headers that would exhaust memory.
constexpr std::uint64_t longest_header = 100'000'000;
constexpr std::size_t alignment = 8;

struct TypeName {
  const char* name;
  Element element;
};
constexpr TypeName type_names[] = {{"F64", Element::f64}, {"F32", Element::f32}, {"I64", Element::i64},
                                   {"I32", Element::i32}, {"I16", Element::i16}, {"I8", Element::i8},
                                   {"U32", Element::u32}, {"U16", Element::u16}, {"U8", Element::u8}};

const char* type_name(Element element) {
  for (const TypeName& type : type_names)
    if (type.element == element)
      return type.name;
  return "U8";
}

struct Entry {
  Tensor tensor;
  std::uint64_t begin = 0, end = 0;
};

class Reader {
public:
  explicit Reader(const std::string& path) : path_(path) {}

  TensorFile read() {
    std::shared_ptr<const MappedFile> file;
    try {
      file = MappedFile::open(path_);
    } catch (const DataFailure& failure) {
      fail(failure.error.message);
    }
    std::string_view bytes = file->bytes();
    std::uint64_t length = 0;
    if (bytes.size() < sizeof length)
      fail("the file is truncated");
    std::memcpy(&length, bytes.data(), sizeof length);
    if (length > longest_header)
      fail("this is not a safetensors file: its header would be impossibly long");
    if (length > bytes.size() - sizeof length)
      fail("the file is truncated inside its header");
    json header = parse(bytes.substr(sizeof length, length));
    std::string_view values = bytes.substr(sizeof length + length);

    TensorFile result;
    std::vector<Entry> entries;
    for (const auto& [name, description] : header.items()) {
      if (name == "__metadata__")
        result.metadata = read_metadata(description);
      else
        entries.push_back(read_entry(name, description));
    }
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::uint64_t at = 0;
    for (Entry& entry : entries) {
      if (entry.begin != at)
        fail(fmt::format("the values of {} do not follow those before", entry.tensor.name));
      if (entry.end > values.size())
        fail(fmt::format("the file is truncated: {} ends at byte {} of {}", entry.tensor.name, entry.end,
                         values.size()));
      at = entry.end;
      place(entry, values, file);
      result.tensors.push_back(std::move(entry.tensor));
    }
    if (at != values.size())
      fail(fmt::format("the file has {} bytes after its last tensor", values.size() - at));
    return result;
  }

private:
  [[noreturn]] void fail(const std::string& message) const { throw StorageError(path_, message); }

  json parse(std::string_view text) const {
    std::set<std::string> names;
    bool twice = false;
    json header = json::parse(
        text.begin(), text.end(),
        [&](int depth, json::parse_event_t event, json& parsed) {
          if (event == json::parse_event_t::key && depth == 1)
            twice = !names.insert(parsed.get<std::string>()).second || twice;
          return true;
        },
        false);
    if (header.is_discarded() || !header.is_object())
      fail("the header is not a JSON object");
    if (twice)
      fail("the header names a tensor twice");
    return header;
  }

  std::map<std::string, std::string> read_metadata(const json& description) const {
    std::map<std::string, std::string> metadata;
    if (!description.is_object())
      fail("the metadata is not a JSON object");
    for (const auto& [key, value] : description.items()) {
      if (!value.is_string())
        fail(fmt::format("the metadata {} is not text", key));
      metadata[key] = value.get<std::string>();
    }
    return metadata;
  }

  Entry read_entry(const std::string& name, const json& description) const {
    auto broken = [&](const char* what) { fail(fmt::format("{} of {} is missing or broken", what, name)); };
    if (!description.is_object() || description.size() != 3)
      broken("the description");
    auto type = description.find("dtype"), shape = description.find("shape"),
         offsets = description.find("data_offsets");
    if (type == description.end() || !type->is_string())
      broken("the type");
    if (shape == description.end() || !shape->is_array())
      broken("the shape");
    if (offsets == description.end() || !offsets->is_array() || offsets->size() != 2 ||
        !(*offsets)[0].is_number_unsigned() || !(*offsets)[1].is_number_unsigned())
      broken("the place");
    Entry entry;
    entry.tensor.name = name;
    Array& values = entry.tensor.values;
    auto known = std::find_if(std::begin(type_names), std::end(type_names),
                              [&](const TypeName& candidate) { return *type == candidate.name; });
    if (known == std::end(type_names))
      fail(fmt::format("{} has the type {}, which cannot be read", name, type->get<std::string>()));
    values.element = known->element;
    std::uint64_t bytes = element_size(values.element);
    for (const json& extent : *shape) {
      if (!extent.is_number_unsigned())
        broken("the shape");
      auto count = extent.get<std::uint64_t>();
      if (count != 0 && bytes > std::numeric_limits<std::int64_t>::max() / count)
        broken("the shape");
      bytes *= count;
      values.shape.push_back(static_cast<std::int64_t>(count));
    }
    entry.begin = (*offsets)[0].get<std::uint64_t>();
    entry.end = (*offsets)[1].get<std::uint64_t>();
    if (entry.end < entry.begin || entry.end - entry.begin != bytes)
      fail(fmt::format("{} has {} bytes of values, but its shape and type need {}", name,
                       static_cast<std::int64_t>(entry.end - entry.begin), bytes));
    return entry;
  }

  static void place(Entry& entry, std::string_view values, const std::shared_ptr<const MappedFile>& file) {
    Array& array = entry.tensor.values;
    const char* at = values.data() + entry.begin;
    array.data = at;
    array.owner = file;
    array.mapped = true;
    if (reinterpret_cast<std::uintptr_t>(at) % element_size(array.element) == 0)
      return;
    auto copy = std::make_shared<std::vector<char>>(at, at + (entry.end - entry.begin));
    array.data = copy->data();
    array.owner = std::move(copy);
    array.mapped = false;
  }

  const std::string& path_;
};

} // namespace

const Tensor* find_tensor(const std::vector<Tensor>& tensors, std::string_view name) {
  auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const Tensor& tensor) { return tensor.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

const Tensor* TensorFile::find(std::string_view name) const {
  return find_tensor(tensors, name);
}

TensorFile read_safetensors(const std::string& path) {
  return Reader(path).read();
}

void write_safetensors(const std::string& path, const TensorFile& file) {
  json header = json::object();
  if (!file.metadata.empty())
    header["__metadata__"] = file.metadata;
  std::uint64_t at = 0;
  for (const Tensor& tensor : file.tensors) {
    if (header.contains(tensor.name))
      throw StorageError(path, fmt::format("two tensors are named {}", tensor.name));
    std::uint64_t end =
        at + static_cast<std::uint64_t>(tensor.values.size()) * element_size(tensor.values.element);
    header[tensor.name] = {{"dtype", type_name(tensor.values.element)},
                           {"shape", tensor.values.shape},
                           {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.resize((text.size() + alignment - 1) / alignment * alignment, ' ');
  std::uint64_t length = text.size();
  char length_bytes[sizeof length];
  std::memcpy(length_bytes, &length, sizeof length);
  std::vector<std::string_view> pieces{{length_bytes, sizeof length}, text};
  for (const Tensor& tensor : file.tensors)
    pieces.emplace_back(static_cast<const char*>(tensor.values.data),
                        static_cast<std::size_t>(tensor.values.size()) * element_size(tensor.values.element));
  write_atomically(path, pieces);
}

} // namespace plait::runtime
