#define GPPCORE_ISA avx512_vbmi
#define GPPCORE_VECTOR_BYTES 64
#include "../kernels/two_leaf_gradient-inl.hpp"
