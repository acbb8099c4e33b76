// What forests and models share: input column by column, and the way to stop a long call.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "bind.hpp"
#include "gppcore/error.hpp"

// Columns that are read in place: of shape (n_steps, n_rows), (n_rows,) the same at all steps, or () one value for all.
template <class T>
struct Columns {
  std::vector<const T*> data;
  std::vector<int64_t> strides, step_strides;

  Columns(int64_t n_features, const std::vector<py::array_t<T>>& columns, int64_t n_steps, int64_t n_rows) {
    using gppcore::Error, gppcore::ErrorCode;
    if (static_cast<int64_t>(columns.size()) != n_features)
      throw Error(ErrorCode::shape, "columns: expected " + std::to_string(n_features) + " of them");
    for (const auto& column : columns) {
      const auto n = column.ndim();
      const bool fits = n == 0 || (column.shape(n - 1) == n_rows && (n == 1 || (n == 2 && column.shape(0) == n_steps)));
      if (!fits) throw Error(ErrorCode::shape, "columns: expected arrays of " + std::to_string(n_rows) + " rows");
      data.push_back(column.data());
      strides.push_back(n > 0 ? stride(column, n - 1) : 0);
      step_strides.push_back(n > 1 ? stride(column, 0) : 0);
    }
  }

 private:
  static int64_t stride(const py::array_t<T>& column, py::ssize_t axis) {
    if (column.strides(axis) % column.itemsize() != 0)
      throw gppcore::Error(gppcore::ErrorCode::shape, "columns: expected aligned arrays");
    return column.strides(axis) / column.itemsize();
  }
};

// What a long call does now and then: seldom enough to cost nothing, often enough for Ctrl-C to be felt.
class SignalCheck {
 public:
  void operator()() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(20)) return;
    last_ = now;
    py::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};
