// What the two_leaf kernels of one instruction set offer. Plain types only: this is included by the ISA files.
#pragma once
#include <cstdint>

namespace gppcore {

struct TwoLeafKernels {};

}  // namespace gppcore
