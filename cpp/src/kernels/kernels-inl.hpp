// The table of kernels in the namespace of one instruction set. Included once by each file of ../isa.
// Nothing here may include a standard header other than <cstdint>, allocate or throw: an inline function of
// the standard library compiled with AVX flags could be the copy that the linker keeps for every CPU.
#include "forest-inl.hpp"
#include "kernels.hpp"

// An instruction set takes ../parts from another one where they would be the same machine code.
#ifndef GPPCORE_PARTS_ISA
#define GPPCORE_PARTS_ISA GPPCORE_ISA
#endif

#define GPPCORE_STRING_(x) #x
#define GPPCORE_STRING(x) GPPCORE_STRING_(x)

namespace gppcore::GPPCORE_PARTS_ISA {

extern const TwoLeafKernels two_leaf_kernels;
extern const RegridKernels regrid_kernels;
extern const SoilWaterKernel soil_water_kernel;

}  // namespace gppcore::GPPCORE_PARTS_ISA

namespace gppcore::GPPCORE_ISA {

extern const Kernels kernels;
const Kernels kernels = {GPPCORE_STRING(GPPCORE_ISA), GPPCORE_PARTS_ISA::two_leaf_kernels,
                         GPPCORE_PARTS_ISA::regrid_kernels, GPPCORE_PARTS_ISA::soil_water_kernel, forest_kernels};

}  // namespace gppcore::GPPCORE_ISA
