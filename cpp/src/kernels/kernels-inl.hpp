// All kernels in the namespace of one instruction set. Included once by each file of ../isa.
// Nothing here may include a standard header other than <cstdint>, allocate or throw: an inline function of
// the standard library compiled with AVX flags could be the copy that the linker keeps for every CPU.
#include "forest-inl.hpp"
#include "kernels.hpp"
#include "regrid-inl.hpp"
#include "rows-inl.hpp"

#define GPPCORE_STRING_(x) #x
#define GPPCORE_STRING(x) GPPCORE_STRING_(x)

namespace gppcore::GPPCORE_ISA {

extern const Kernels kernels;
const Kernels kernels = {GPPCORE_STRING(GPPCORE_ISA), two_leaf_kernels, regrid_kernels, forest_kernels};

}  // namespace gppcore::GPPCORE_ISA
