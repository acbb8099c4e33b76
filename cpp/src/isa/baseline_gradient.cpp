#define GPPCORE_ISA baseline
#define GPPCORE_VECTOR_BYTES 16
#include "../kernels/two_leaf_gradient-inl.hpp"
