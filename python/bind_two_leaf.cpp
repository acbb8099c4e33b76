#include "bind.hpp"

void register_two_leaf(py::module_&) {}
