#include "zip.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gppcore/error.hpp"

#ifdef GPPCORE_ZLIB
#include <zlib.h>
#endif

namespace gppcore {
namespace {

constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kMaxComment = 65535;
constexpr uint32_t kStored = 0, kDeflated = 8;

}  // namespace

void Zip::refuse(const std::string& got) const {
  throw Error(ErrorCode::forest_format, name_ + ": expected a whole zip of a saved model, got " + got);
}

uint32_t Zip::number(size_t at, int n_bytes) const {
  if (at > size_ || size_ - at < static_cast<size_t>(n_bytes)) refuse("one that ends early");
  uint32_t x = 0;
  for (int i = 0; i < n_bytes; ++i) x |= static_cast<uint32_t>(static_cast<unsigned char>(data_[at + i])) << (8 * i);
  return x;
}

// The record at the end, before a comment.
size_t Zip::find_end() const {
  if (size_ < kEndSize) refuse(std::to_string(size_) + " bytes");
  const size_t first = size_ - kEndSize - std::min(size_ - kEndSize, kMaxComment);
  for (size_t at = size_ - kEndSize + 1; at-- > first;)
    if (number(at, 4) == kEnd && at + kEndSize + number(at + 20, 2) == size_) return at;
  refuse("another format, or one that was cut");
}

Zip::Zip(std::string name, const char* data, size_t size) : name_(std::move(name)), data_(data), size_(size) {
  const size_t end = find_end();
  const uint32_t count = number(end + 10, 2);
  size_t at = number(end + 16, 4);
  if (number(end + 4, 4) != 0 || number(end + 8, 2) != count) refuse("a part of several");
  for (uint32_t i = 0; i < count; ++i) {
    if (number(at, 4) != kCentral) refuse("a damaged directory");
    const uint32_t flags = number(at + 8, 2), name_size = number(at + 28, 2);
    const Entry entry{number(at + 10, 2), number(at + 16, 4), number(at + 20, 4), number(at + 24, 4),
                      number(at + 42, 4)};
    if (at + kCentralSize + name_size > size_) refuse("a damaged directory");
    const std::string file(data_ + at + kCentralSize, name_size);
    if (flags & 1) refuse("the file " + file + ", which is encrypted");
    if (entry.method != kStored && entry.method != kDeflated)
      refuse("the file " + file + ", neither stored nor deflated (method " + std::to_string(entry.method) + ")");
    if (!entries_.emplace(file, entry).second) refuse("two files of the name " + file);
    at += kCentralSize + name_size + number(at + 30, 2) + number(at + 32, 2);
  }
}

void Zip::require_only(const std::set<std::string>& names) const {
  for (const auto& [file, entry] : entries_)
    if (!names.count(file)) refuse("a file " + file + ", which its recipe does not name");
}

#ifdef GPPCORE_ZLIB

std::vector<char> Zip::read(const std::string& file, size_t most) const {
  const auto found = entries_.find(file);
  if (found == entries_.end()) refuse("one without " + file);
  const Entry& e = found->second;
  if (e.size > most) refuse(file + " of " + std::to_string(e.size) + " bytes, more than " + std::to_string(most));
  if (number(e.begin, 4) != kLocal) refuse("a damaged header of " + file);
  const size_t begin = e.begin + kLocalSize + number(e.begin + 26, 2) + number(e.begin + 28, 2);
  if (begin > size_ || e.packed_size > size_ - begin) refuse("one that ends early");
  std::vector<char> content(e.size);
  if (e.method == kStored) {
    if (e.packed_size != e.size) refuse("a damaged header of " + file);
    std::memcpy(content.data(), data_ + begin, e.size);
  } else {
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Error(ErrorCode::out_of_memory, "out of memory");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data_ + begin));
    stream.avail_in = e.packed_size;
    char nothing = 0;
    stream.next_out = reinterpret_cast<Bytef*>(content.empty() ? &nothing : content.data());
    stream.avail_out = e.size;
    const int done = inflate(&stream, Z_FINISH);
    const bool whole = done == Z_STREAM_END && stream.avail_out == 0 && stream.avail_in == 0;
    inflateEnd(&stream);
    if (!whole) refuse("damaged bytes of " + file);
  }
  if (crc32(0, reinterpret_cast<const Bytef*>(content.data()), e.size) != e.crc) refuse("damaged bytes of " + file);
  return content;
}

#else

std::vector<char> Zip::read(const std::string&, size_t) const {
  throw Error(ErrorCode::kernel, name_ + ": expected a folder, since this library was built without zlib, got a zip");
}

#endif

}  // namespace gppcore
