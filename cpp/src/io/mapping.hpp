// A whole file in memory, read-only; and the way to write one wholly or not at all.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "gppcore/visibility.hpp"
#include "truncation.hpp"

namespace gppcore GPPCORE_VISIBLE {

class Mapping {
 public:
  // Throws Error(missing_file), Error(file_access) or Error(forest_format). The pages are read now, not when they are
  // used.
  explicit Mapping(const std::string& path);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  const char* data() const noexcept { return static_cast<const char*>(data_); }
  size_t size() const noexcept { return size_; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
  std::optional<MappedRange> range_;  // after the memory in time: it ends first
};

// Writes a temporary file beside `path`, syncs and renames it. Throws Error(missing_file), Error(disk_full) or
// Error(file_access).
void replace_file(const std::string& path, const std::vector<char>& bytes);

}  // namespace gppcore GPPCORE_VISIBLE
