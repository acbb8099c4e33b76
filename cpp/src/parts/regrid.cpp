#include "../kernels/regrid-inl.hpp"
