// What the two-leaf kernels of one instruction set offer. Plain types only: this is included by the ISA
// files.
#pragma once
#include <cstdint>

#include "gppcore/two_leaf.hpp"

namespace gppcore {

// Element i of an input lies at data[i * stride]; stride 0 broadcasts.
template <class E>
struct TwoLeafColumn {
  const E* data;
  int64_t stride;
};

// Where n results of each output go; null for those that nobody asked for.
template <class E>
struct TwoLeafRow {
  E* to[kTwoLeafOutputs];
};

// E is double or float.
template <class E>
struct TwoLeafKernelsOf {
  // n canopy hours in each mode. Column kDiffuseFraction may be null: then clearness tells it (E2).
  void (*canopy[kTwoLeafModes])(const TwoLeafParameters&, const TwoLeafColumn<E>* inputs, int64_t n,
                                const TwoLeafRow<E>& out);
  // The robust mode with derivatives of the GPP of all leaves by kTwoLeafComponents inputs, to d[k].
  void (*gradient)(const TwoLeafParameters&, const TwoLeafColumn<E>* inputs, int64_t n, const TwoLeafRow<E>& out,
                   const int* by, E* const* d);
  // Single leaves.
  void (*leaf[kTwoLeafModes])(const LeafParameters&, const TwoLeafColumn<E>* inputs, int64_t n, E* const* out);
  // Whether all n values are NaN or within [low, high].
  bool (*within)(TwoLeafColumn<E>, int64_t n, double low, double high);
};

struct TwoLeafKernels {
  TwoLeafKernelsOf<double> f64;
  TwoLeafKernelsOf<float> f32;
};

}  // namespace gppcore
