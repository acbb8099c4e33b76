#include "allocation.hpp"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {
size_t in_use = 0, peak = 0;  // the driver has one thread

void* take(void* at) {
  if (!at) throw std::bad_alloc();
  in_use += malloc_usable_size(at);
  peak = std::max(peak, in_use);
  return at;
}

void give(void* at) noexcept {
  in_use -= at ? malloc_usable_size(at) : 0;
  std::free(at);
}
}  // namespace

size_t start_of_peak() { return peak = in_use; }
size_t peak_bytes() { return peak; }

void* operator new(size_t size) { return take(std::malloc(size)); }
void* operator new(size_t size, std::align_val_t alignment) {
  void* at = nullptr;
  return take(posix_memalign(&at, static_cast<size_t>(alignment), size) == 0 ? at : nullptr);
}
void operator delete(void* at) noexcept { give(at); }
void operator delete(void* at, size_t) noexcept { give(at); }
void operator delete(void* at, std::align_val_t) noexcept { give(at); }
void operator delete(void* at, size_t, std::align_val_t) noexcept { give(at); }
