// The table of kernels of one instruction set. Plain types only: this is included by the ISA files.
#pragma once
#include "forest.hpp"
#include "regrid.hpp"
#include "soil_water.hpp"
#include "two_leaf.hpp"

namespace gppcore {

struct Kernels {
  const char* isa;
  const TwoLeafKernels& two_leaf;
  const RegridKernels& regrid;
  SoilWaterKernel soil_water;
  ForestKernels forest;
};

}  // namespace gppcore
