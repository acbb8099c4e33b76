// The vector of doubles of the instruction set, for kernels that need no more than arithmetic and compares.
#pragma once
#include "vector-inl.hpp"

namespace gppcore::GPPCORE_ISA {

typedef Native<double>::V V;
typedef Native<double>::I VI;
constexpr int kLanes = GPPCORE_VECTOR_BYTES / sizeof(double);

GPPCORE_INLINE V splat(double x) { return V{} + x; }

}  // namespace gppcore::GPPCORE_ISA
