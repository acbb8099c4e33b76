// A whole file in memory, read-only; and the way to write one wholly or not at all.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace gppcore {

class Mapping {
 public:
  // Throws Error(missing_file) or Error(forest_format). The pages are read now, not when they are used.
  explicit Mapping(const std::string& path);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  const char* data() const noexcept { return static_cast<const char*>(data_); }
  size_t size() const noexcept { return size_; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

// Writes a temporary file beside `path`, syncs and renames it.
void replace_file(const std::string& path, const std::vector<char>& bytes);

}  // namespace gppcore
