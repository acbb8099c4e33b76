// Which build of the kernels runs on this machine: chosen once, at first use, at the whole-array call.
#pragma once
#include <string>
#include <vector>

#include "gppcore/visibility.hpp"
#include "kernels/kernels.hpp"

namespace gppcore GPPCORE_VISIBLE {

// The kernels of the best instruction set of this CPU, or of the one that GPPCORE_ISA names
// (baseline, avx2, avx512, avx512_vbmi); throws Error(kernel) if that one is unknown or not supported here.
const Kernels& kernels();

// Names of the instruction sets that this CPU can run, best last.
std::vector<std::string> supported_isas();

}  // namespace gppcore GPPCORE_VISIBLE
