// All kernels in the namespace of one instruction set. Included once by each file of ../isa.
// Nothing here may include a standard header other than <cstdint>, allocate or throw: an inline function of
// the standard library compiled with AVX flags could be the copy that the linker keeps for every CPU.
#include "forest-inl.hpp"
#include "kernels.hpp"
#include "regrid-inl.hpp"
#include "two_leaf_compat-inl.hpp"

#define GPPCORE_STRING_(x) #x
#define GPPCORE_STRING(x) GPPCORE_STRING_(x)

namespace gppcore::GPPCORE_ISA {

// In two_leaf_gradient-inl.hpp, which is compiled apart.
template <class E>
void gradient(const TwoLeafParameters&, const TwoLeafColumn<E>* inputs, int64_t n, const TwoLeafRow<E>& out,
              const int* by, E* const* d);

// Compat mode, second of each pair, computes in double alone.
constexpr TwoLeafKernels two_leaf_kernels{
    {{canopy<double>, compat_canopy}, gradient<double>, {leaf<double>, compat_leaf}, within<double>},
    {{canopy<float>, nullptr}, gradient<float>, {leaf<float>, nullptr}, within<float>}};

extern const Kernels kernels;
const Kernels kernels = {GPPCORE_STRING(GPPCORE_ISA), two_leaf_kernels, regrid_kernels, forest_kernels};

}  // namespace gppcore::GPPCORE_ISA
