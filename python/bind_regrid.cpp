#include "bind.hpp"

void register_regrid(py::module_&) {}
