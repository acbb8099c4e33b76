// A zip archive in memory, read as untrusted input: stored or deflated files without encryption, ZIP64 or folders.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace gppcore {

class Zip {
 public:
  static constexpr size_t kMaxRatio = 200;  // of the content to the zip: forests shrink to a third

  // Looks into `data`; `name` stands in messages. Throws Error(forest_format) unless it is a whole archive.
  Zip(std::string name, const char* data, size_t size);

  // The content of a file of at most `most` bytes. Throws Error(forest_format) if it is damaged, missing or larger.
  std::vector<char> read(const std::string& file, size_t most) const;

  // Throws Error(forest_format) if there is a file of another name.
  void require_only(const std::set<std::string>& names) const;

 private:
  struct Entry {
    uint32_t method, crc, packed_size, size;
    size_t begin;  // of its local header
  };

  [[noreturn]] void refuse(const std::string& got) const;
  uint32_t number(size_t at, int n_bytes) const;
  size_t find_end() const;

  std::string name_;
  const char* data_;
  size_t size_;
  std::map<std::string, Entry> entries_;
};

}  // namespace gppcore
