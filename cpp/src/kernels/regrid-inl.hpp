#include <cstdint>

#include "regrid.hpp"

namespace gppcore::GPPCORE_ISA {

constexpr RegridKernels regrid_kernels{};

}  // namespace gppcore::GPPCORE_ISA
