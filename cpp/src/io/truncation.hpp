// Mapped files that another program cuts short while they are read.
#pragma once
#include <signal.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "gppcore/visibility.hpp"

namespace gppcore GPPCORE_VISIBLE {

// A mapped range of addresses. Reading past the end of a file that has become shorter raises SIGBUS; while a
// TruncationGuard exists, such a page becomes one of bits that are all 1, which are NaN, and the range remembers it.
class MappedRange {
 public:
  MappedRange(const void* begin, size_t size, std::string path);
  ~MappedRange();
  MappedRange(const MappedRange&) = delete;
  MappedRange& operator=(const MappedRange&) = delete;

 private:
  friend class TruncationGuard;
  struct Node;
  Node* node_;
};

// Handles SIGBUS in mapped ranges, of all threads, for as long as one exists. Only a host that owns the signals of its
// process, such as the Python module, may use it; the C interface does not.
class TruncationGuard {
 public:
  TruncationGuard();
  ~TruncationGuard();
  TruncationGuard(const TruncationGuard&) = delete;
  TruncationGuard& operator=(const TruncationGuard&) = delete;
  // Throws Error(forest_format) that names a file that was cut short since it was mapped, if there is one.
  void check() const;

 private:
  static void handle(int number, siginfo_t* info, void* context);
};

}  // namespace gppcore GPPCORE_VISIBLE
