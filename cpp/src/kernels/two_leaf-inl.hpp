#include <cstdint>

#include "two_leaf.hpp"

namespace gppcore::GPPCORE_ISA {

constexpr TwoLeafKernels two_leaf_kernels{};

}  // namespace gppcore::GPPCORE_ISA
