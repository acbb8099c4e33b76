// What the two-leaf kernels of one instruction set offer. Plain types only: this is included by the ISA
// files.
#pragma once
#include <cstdint>

#include "gppcore/two_leaf.hpp"

namespace gppcore {

// One input: element i of a row lies at data[i * stride]; stride 0 broadcasts.
struct TwoLeafColumn {
  const double* data;
  int64_t stride;
};

struct TwoLeafKernels {
  // n canopy hours; sunlit and shaded GPP (umol m-2 s-1) are written to rows of n.
  void (*canopy)(const TwoLeafParameters& pft, const TwoLeafColumn* inputs, int64_t n, double* gpp_sunlit,
                 double* gpp_shaded);
};

}  // namespace gppcore
