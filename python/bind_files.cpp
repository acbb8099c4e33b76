// Memory-mapped files as arrays.
#include "../cpp/src/io/mapping.hpp"
#include "bind.hpp"

using gppcore::Mapping;
using gppcore::TruncationGuard;

namespace {

// Unlike numpy.memmap, the array keeps no file descriptor: a store may have more tiles than a process may open files.
py::array_t<uint8_t> map_file(const std::string& path) {
  auto* file = new Mapping(path);
  const py::capsule owner(file, [](void* p) { delete static_cast<Mapping*>(p); });
  py::array_t<uint8_t> bytes({static_cast<py::ssize_t>(file->size())}, reinterpret_cast<const uint8_t*>(file->data()),
                             owner);
  bytes.attr("setflags")(py::arg("write") = false);
  return bytes;
}

}  // namespace

void register_files(py::module_& m) {
  m.def("map_file", map_file, py::arg("path"), "The bytes of a regular file, mapped read-only.");
  py::class_<TruncationGuard>(
      m, "TruncationGuard", "For as long as it exists, mapped files may be cut short: they read as NaN from there on.")
      .def(py::init())
      .def("check", &TruncationGuard::check, "Raises ForestFormatError if a mapped file was cut short.");
}
