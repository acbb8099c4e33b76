// Shared by the binding files: one bind_<concept>.cpp per concept, each with one register function.
#pragma once
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "../cpp/src/io/truncation.hpp"

namespace py = pybind11;

// What a call returns that reads mapped files: an error if one of them was cut short meanwhile.
template <class Call>
auto guarded(const Call& call) {
  const gppcore::TruncationGuard guard;
  if constexpr (std::is_void_v<decltype(call())>) {
    call();
    guard.check();
  } else {
    auto result = call();
    guard.check();
    return result;
  }
}

// A C-contiguous array of T; used with py::arg().noconvert(), so that nothing is copied silently.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

void register_two_leaf(py::module_& m);
void register_regrid(py::module_& m);
void register_soil_water(py::module_& m);
void register_forest(py::module_& m);
void register_model(py::module_& m);
void register_files(py::module_& m);
void register_interrupt(py::module_& m);
