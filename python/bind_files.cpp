// Memory-mapped files as arrays, and files whose descriptor cannot be lost.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

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

[[noreturn]] void raise_os_error(const std::string& path) {
  PyErr_SetFromErrnoWithFilename(PyExc_OSError, path.c_str());
  throw py::error_already_set();
}

int open_descriptor(const std::string& path, int flags, int permissions) {
  if (path.find('\0') != std::string::npos) throw py::value_error("embedded null byte");
  const py::gil_scoped_release release;
  return ::open(path.c_str(), flags | O_CLOEXEC, permissions);
}

// Ctrl-C raises its exception between two calls of Python: a number that os.open returned is lost there and the file
// stays open, with its lock. An object closes it.
py::object open_file(const py::bytes& path, int flags, int permissions) {
  const py::object type = py::module_::import("io").attr("FileIO");
  const int descriptor = open_descriptor(path, flags, permissions);
  if (descriptor < 0) raise_os_error(path);
  const int access = flags & O_ACCMODE;
  try {
    return type(descriptor, access == O_RDONLY ? "rb" : access == O_WRONLY ? "wb" : "rb+");
  } catch (py::error_already_set&) {
    ::close(descriptor);
    throw;
  }
}

void sync_file(const py::bytes& path) {
  const int descriptor = open_descriptor(path, O_RDONLY, 0);
  if (descriptor < 0) raise_os_error(path);
  int failed, reason;
  {
    const py::gil_scoped_release release;
    failed = ::fsync(descriptor);
    reason = errno;
    ::close(descriptor);
  }
  errno = reason;
  if (failed) raise_os_error(path);
}

}  // namespace

void register_files(py::module_& m) {
  m.def("open_file", open_file, py::arg("path"), py::arg("flags"), py::arg("permissions"),
        "A file as io.FileIO, opened with the flags of os.open; the path is encoded.");
  m.def("sync_file", sync_file, py::arg("path"), "Writes a file or a folder to the disk.");
  m.def("map_file", map_file, py::arg("path"), "The bytes of a regular file, mapped read-only.");
  py::class_<TruncationGuard>(
      m, "TruncationGuard", "For as long as it exists, mapped files may be cut short: they read as NaN from there on.")
      .def(py::init())
      .def("check", &TruncationGuard::check, "Raises ForestFormatError if a mapped file was cut short.");
}
