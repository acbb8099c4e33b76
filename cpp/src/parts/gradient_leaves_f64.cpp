#include "../kernels/two_leaf_gradient-inl.hpp"

namespace gppcore::GPPCORE_ISA {
template void gradient_by_leaves(const TwoLeafParameters&, const TwoLeafColumn<double>*, int64_t,
                                 const TwoLeafRow<double>&, const int*, double* const*);
}
