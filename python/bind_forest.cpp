#include "bind.hpp"

void register_forest(py::module_&) {}
