#define GPPCORE_ISA avx512_vbmi
#define GPPCORE_VECTOR_BYTES 64
#define GPPCORE_PARTS_ISA avx512
#include "../kernels/kernels-inl.hpp"
