// Cuts one piece of memory into arrays.
#pragma once
#include <cstdint>

#include "gppcore/forest.hpp"

namespace gppcore {

// Each array gets whole lines; without memory the lines are only counted.
class Cutter {
 public:
  explicit Cutter(ForestLine* memory) : memory_(memory) {}

  template <class T>
  void cut(T*& array, int64_t size) {
    if (memory_) array = reinterpret_cast<T*>(memory_[n_lines_].bytes);
    n_lines_ += (size * static_cast<int64_t>(sizeof(T)) + 63) / 64;
  }
  int64_t n_lines() const { return n_lines_; }

 private:
  ForestLine* memory_;
  int64_t n_lines_ = 0;
};

}  // namespace gppcore
