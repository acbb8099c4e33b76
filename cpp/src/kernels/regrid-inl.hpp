// The regrid kernels of one instruction set, gathered in their table.
#include "regrid_bilinear-inl.hpp"
#include "regrid_nested-inl.hpp"
#include "regrid_separable-inl.hpp"
#include "regrid_smooth-inl.hpp"

namespace gppcore::GPPCORE_ISA {
namespace regrid {

template <class T>
constexpr RegridKernelsOf<T> kernels_of{aggregate_row<T>, replicate_row<T>, covariate_row<T>, expand_row<T>,
                                        blend_rows<T>,    fit_rows<T>,      weigh_rows<T>};

}  // namespace regrid

extern const RegridKernels regrid_kernels;
const RegridKernels regrid_kernels = {regrid::relax_row, regrid::kernels_of<float>, regrid::kernels_of<double>};

}  // namespace gppcore::GPPCORE_ISA
