// Scratch memory of one caller at a time, and the value that stands for missing ones in its columns.
#pragma once
#include <atomic>
#include <cmath>
#include <limits>

#include "../src/cutter.hpp"
#include "gppcore/forest.hpp"
#include "guard.hpp"

struct gpp_workspace {
  gpp_workspace(size_t n_lines, int64_t most_columns) : memory(n_lines), n_columns(most_columns) {}

  gppcore::ForestMemory memory;
  int64_t n_columns;
  double missing = std::numeric_limits<double>::quiet_NaN();
  gppcore::ForestMemory copies;  // of columns whose missing values become NaN; empty where NaN alone is missing
  std::atomic<bool> busy{false};
};

namespace gppcore {

// Holds a workspace for the time of a call.
class WorkspaceUse {
 public:
  WorkspaceUse(gpp_workspace* workspace, size_t n_lines) : workspace_(workspace) {
    require(workspace, "workspace");
    if (workspace->memory.size() < n_lines)
      throw Error(ErrorCode::shape,
                  "workspace: expected one made for this forest, or model, or a larger one, got a smaller one");
    if (workspace->busy.exchange(true, std::memory_order_acquire))
      throw Error(ErrorCode::busy, "workspace: expected one for each thread, got one that another thread is using");
  }
  ~WorkspaceUse() { workspace_->busy.store(false, std::memory_order_release); }
  WorkspaceUse(const WorkspaceUse&) = delete;
  WorkspaceUse& operator=(const WorkspaceUse&) = delete;

 private:
  gpp_workspace* workspace_;
};

constexpr int64_t kCopiedRows = 2048;  // rows whose missing values are replaced together

template <class T>
struct Copies {
  const T** columns = nullptr;
  int64_t* strides = nullptr;
  T* values = nullptr;
  int64_t n_lines;

  Copies(int64_t n_columns, ForestLine* memory) {
    Cutter cutter(memory);
    cutter.cut(columns, n_columns);
    cutter.cut(strides, n_columns);
    cutter.cut(values, n_columns * kCopiedRows);
    n_lines = cutter.n_lines();
  }
};

// Calls predict(columns, strides, begin, n) for all rows: at once, or block by block with missing values made NaN.
// column(f) gives the first element of column f, and stride(f) its stride.
template <class T, class Column, class Stride, class Predict>
void each_block(gpp_workspace& workspace, int64_t n_columns, int64_t n_rows, const Column& column, const Stride& stride,
                const Predict& predict) {
  if (workspace.n_columns < n_columns)
    throw Error(ErrorCode::shape, "workspace: expected one made for at least " + std::to_string(n_columns) +
                                      " columns, since it has a missing value, got one for " +
                                      std::to_string(workspace.n_columns));
  const Copies<T> copies(workspace.n_columns, workspace.copies.data());
  const T missing = static_cast<T>(workspace.missing);
  for (int64_t begin = 0; begin < n_rows; begin += kCopiedRows) {
    const int64_t n = std::min(kCopiedRows, n_rows - begin);
    for (int64_t f = 0; f < n_columns; ++f) {
      T* to = copies.values + f * kCopiedRows;
      copies.columns[f] = to;
      copies.strides[f] = stride(f) == 0 ? 0 : 1;
      const T* from = column(f) + begin * stride(f);
      for (int64_t i = 0; i < (stride(f) == 0 ? 1 : n); ++i) {
        const T x = from[i * stride(f)];
        to[i] = x == missing ? std::numeric_limits<T>::quiet_NaN() : x;
      }
    }
    predict(copies.columns, copies.strides, begin, n);
  }
}

}  // namespace gppcore
