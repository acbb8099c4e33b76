#include "../kernels/two_leaf_gradient-inl.hpp"

namespace gppcore::GPPCORE_ISA {
template void gradient_by_leaves(const TwoLeafParameters&, const TwoLeafColumn<float>*, int64_t,
                                 const TwoLeafRow<float>&, const int*, float* const*);
}
