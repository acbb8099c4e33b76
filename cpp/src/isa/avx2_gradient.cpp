#define GPPCORE_ISA avx2
#define GPPCORE_VECTOR_BYTES 32
#include "../kernels/two_leaf_gradient-inl.hpp"
