// Table of contents of gppcore._core, and the translation of C++ errors to those of gppcore.errors.
#include "../cpp/src/dispatch.hpp"
#include "bind.hpp"
#include "gppcore/error.hpp"

namespace {

const char* python_error(gppcore::ErrorCode code) {
  switch (code) {
    case gppcore::ErrorCode::shape: return "ShapeError";
    case gppcore::ErrorCode::dtype: return "DtypeError";
    case gppcore::ErrorCode::range: return "RangeError";
    case gppcore::ErrorCode::forest_format: return "ForestFormatError";
    case gppcore::ErrorCode::missing_file: return "MissingFileError";
    case gppcore::ErrorCode::disk_full: return "DiskFullError";
    case gppcore::ErrorCode::file_access: return "FileAccessError";
    default: return "KernelError";
  }
}

}  // namespace

// Handles are immutable, scratch memory is of one thread, and the pool has a lock: no interpreter lock is needed.
PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  m.doc() =
      "Compiled kernels of gppcore; use them through gppcore.process.two_leaf, gppcore.regrid, gppcore.forest.forest "
      "and gppcore.transfer.model.";
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const gppcore::Error& e) {
      const py::object type = py::module_::import("gppcore.errors").attr(python_error(e.code()));
      const py::object error = type(e.what());
      if (e.reason() != 0) error.attr("errno") = e.reason();
      PyErr_SetObject(type.ptr(), error.ptr());
    }
  });
  m.def("isa", [] { return std::string(gppcore::kernels().isa); }, "Name of the instruction set in use.");
  m.def("supported_isas", &gppcore::supported_isas, "Instruction sets that this CPU can run, best last.");
  register_two_leaf(m);
  register_regrid(m);
  register_soil_water(m);
  register_forest(m);
  register_model(m);
  register_files(m);
  register_interrupt(m);
}
