// Stands for kernels/kernels-inl.hpp: the kernels of forests alone, since the others take sanitisers minutes.
#include "kernels/forest-inl.hpp"
#include "kernels/kernels.hpp"

#define GPPCORE_STRING_(x) #x
#define GPPCORE_STRING(x) GPPCORE_STRING_(x)

namespace gppcore::GPPCORE_ISA {

extern const Kernels kernels;
const Kernels kernels = {GPPCORE_STRING(GPPCORE_ISA), {}, {}, nullptr, forest_kernels};

}  // namespace gppcore::GPPCORE_ISA
