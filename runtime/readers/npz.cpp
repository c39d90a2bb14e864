#include "runtime/data_error.hpp"
#include "runtime/names.hpp"
#include "runtime/readers/npy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace plait::runtime {

namespace {

// Signatures and record sizes of the zip format (PKWARE APPNOTE 6.3, sections 4.3.7 to 4.3.16).
constexpr std::uint32_t end_mark = 0x06054b50, end64_locator_mark = 0x07064b50, end64_mark = 0x06064b50;
constexpr std::uint32_t directory_mark = 0x02014b50, local_mark = 0x04034b50;
constexpr std::size_t end_size = 22, end64_locator_size = 20, end64_size = 56, directory_size = 46,
                      local_size = 30;
constexpr std::size_t longest_comment = 65535;

[[noreturn]] void fail(const std::string& file, const std::string& member, std::string message,
                       std::string hint = {}) {
  DataError error;
  error.file = file;
  error.key = member;
  error.message = member.empty() ? std::move(message) : fmt::format("member {}: {}", member, message);
  error.hint = std::move(hint);
  throw DataFailure(std::move(error));
}

template <class T>
T number_at(std::string_view bytes, std::uint64_t at) {
  T value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

bool inside(std::string_view bytes, std::uint64_t at, std::uint64_t count) {
  return at <= bytes.size() && count <= bytes.size() - at;
}

} // namespace

NpzFile::NpzFile(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {
  std::string_view bytes = file_->bytes();
  const std::string& path = file_->path();
  std::uint64_t end = 0;
  bool found = false;
  for (std::size_t back = end_size; back <= std::min(bytes.size(), end_size + longest_comment) && !found;
       ++back) {
    end = bytes.size() - back;
    found = number_at<std::uint32_t>(bytes, end) == end_mark;
  }
  if (!found)
    fail(path, "", "this is not an .npz archive, or it is truncated: the archive's directory is missing");
  std::uint64_t count = number_at<std::uint16_t>(bytes, end + 10);
  std::uint64_t at = number_at<std::uint32_t>(bytes, end + 16);
  if (end >= end64_locator_size &&
      number_at<std::uint32_t>(bytes, end - end64_locator_size) == end64_locator_mark) {
    auto end64 = number_at<std::uint64_t>(bytes, end - end64_locator_size + 8);
    if (!inside(bytes, end64, end64_size) || number_at<std::uint32_t>(bytes, end64) != end64_mark)
      fail(path, "", "the archive's directory is damaged");
    count = number_at<std::uint64_t>(bytes, end64 + 32);
    at = number_at<std::uint64_t>(bytes, end64 + 48);
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!inside(bytes, at, directory_size) || number_at<std::uint32_t>(bytes, at) != directory_mark)
      fail(path, "", "the archive's directory is damaged");
    Member member;
    member.flags = number_at<std::uint16_t>(bytes, at + 8);
    member.method = number_at<std::uint16_t>(bytes, at + 10);
    member.checksum = number_at<std::uint32_t>(bytes, at + 16);
    member.packed = number_at<std::uint32_t>(bytes, at + 20);
    member.unpacked = number_at<std::uint32_t>(bytes, at + 24);
    member.header = number_at<std::uint32_t>(bytes, at + 42);
    std::uint64_t name_length = number_at<std::uint16_t>(bytes, at + 28);
    std::uint64_t extra_length = number_at<std::uint16_t>(bytes, at + 30);
    std::uint64_t comment_length = number_at<std::uint16_t>(bytes, at + 32);
    if (!inside(bytes, at + directory_size, name_length + extra_length + comment_length))
      fail(path, "", "the archive's directory is damaged");
    std::string name(bytes.substr(at + directory_size, name_length));
    // The 64-bit extension (id 1) holds, in this order, only those fields that are all ones above.
    std::string_view extra = bytes.substr(at + directory_size + name_length, extra_length);
    while (extra.size() >= 4) {
      auto id = number_at<std::uint16_t>(extra, 0);
      std::size_t size = std::min<std::size_t>(number_at<std::uint16_t>(extra, 2), extra.size() - 4);
      std::string_view block = extra.substr(4, size);
      if (id == 1)
        for (std::uint64_t* field : {&member.unpacked, &member.packed, &member.header})
          if (*field == std::numeric_limits<std::uint32_t>::max() && block.size() >= 8) {
            *field = number_at<std::uint64_t>(block, 0);
            block.remove_prefix(8);
          }
      extra.remove_prefix(4 + size);
    }
    if (name.ends_with(".npy")) {
      names_.push_back(name.substr(0, name.size() - 4));
      members_.push_back(member);
    }
    at += directory_size + name_length + extra_length + comment_length;
  }
}

bool NpzFile::has(std::string_view name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

Array NpzFile::read(const std::string& name) const {
  std::string_view bytes = file_->bytes();
  const std::string& path = file_->path();
  auto position = std::find(names_.begin(), names_.end(), name);
  if (position == names_.end()) {
    fail(path, "", fmt::format("the archive has no member {}", name),
         fmt::format("{}its members are: {}", suggestion(name, names_), fmt::join(names_, ", ")));
  }
  const Member& member = members_[static_cast<std::size_t>(position - names_.begin())];
  if (member.flags & 1)
    fail(path, name, "it is encrypted");
  if (!inside(bytes, member.header, local_size) ||
      number_at<std::uint32_t>(bytes, member.header) != local_mark)
    fail(path, name, "its header is damaged");
  std::uint64_t begin = member.header + local_size + number_at<std::uint16_t>(bytes, member.header + 26) +
                        number_at<std::uint16_t>(bytes, member.header + 28);
  if (!inside(bytes, begin, member.packed))
    fail(path, name, "the archive is truncated inside it");
  std::string_view packed = bytes.substr(begin, member.packed);

  auto verify = [&](std::string_view image) {
    uLong sum = crc32_z(0, reinterpret_cast<const Bytef*>(image.data()), image.size());
    if (sum != member.checksum)
      fail(path, name, "its checksum is wrong: the archive is damaged");
  };
  Origin origin{Origin::Format::npz, path, name};
  if (member.method == 0) {
    verify(packed);
    return parse_npy(packed, file_, true, origin);
  }
  if (member.method != 8)
    fail(path, name, fmt::format("it is compressed by method {}, which cannot be read", member.method),
         "write the archive with numpy.savez or numpy.savez_compressed");
  // Deflate cannot expand more than about 1032 times; a larger claim is damage, not data worth allocating
  // for.
  if (member.unpacked / 1100 > member.packed)
    fail(path, name, "its size is impossible: the archive is damaged");

  auto image = std::make_shared<std::vector<char>>(member.unpacked);
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    fail(path, name, "the decompressor could not start");
  constexpr std::uint64_t most = 1u << 30; // zlib counts in 32 bits
  std::uint64_t taken = 0, made = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    auto in = static_cast<uInt>(std::min<std::uint64_t>(most, packed.size() - taken));
    auto out = static_cast<uInt>(std::min<std::uint64_t>(most, image->size() - made));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + taken));
    stream.avail_in = in;
    stream.next_out = reinterpret_cast<Bytef*>(image->data() + made);
    stream.avail_out = out;
    status = inflate(&stream, Z_NO_FLUSH);
    taken += in - stream.avail_in;
    made += out - stream.avail_out;
    if (status == Z_OK && in == stream.avail_in && out == stream.avail_out)
      status = Z_BUF_ERROR;
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END || made != member.unpacked)
    fail(path, name, "it cannot be decompressed: the archive is damaged");
  std::string_view unpacked(image->data(), image->size());
  verify(unpacked);
  return parse_npy(unpacked, image, false, origin);
}

} // namespace plait::runtime
