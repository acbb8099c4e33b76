#include <cstdint>

#include "forest.hpp"

namespace gppcore::GPPCORE_ISA {

constexpr ForestKernels forest_kernels{};

}  // namespace gppcore::GPPCORE_ISA
