// What the regrid kernels of one instruction set offer. Plain types only: this is included by the ISA files.
#pragma once
#include <cstdint>

namespace gppcore {

struct RegridKernels {};

}  // namespace gppcore
