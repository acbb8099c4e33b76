#include "../kernels/kernels.hpp"
#include "../kernels/two_leaf_compat-inl.hpp"

namespace gppcore::GPPCORE_ISA {

#ifdef GPPCORE_GRADIENT

template <class E>
void gradient_by_weather(const TwoLeafParameters&, const TwoLeafColumn<E>* inputs, int64_t n, const TwoLeafRow<E>& out,
                         const int* by, E* const* d);
template <class E>
void gradient_by_leaves(const TwoLeafParameters&, const TwoLeafColumn<E>* inputs, int64_t n, const TwoLeafRow<E>& out,
                        const int* by, E* const* d);

// Derivatives by leaves alone cost less.
template <class E>
void gradient(const TwoLeafParameters& p, const TwoLeafColumn<E>* inputs, int64_t n, const TwoLeafRow<E>& out,
              const int* by, E* const* d) {
  bool by_weather = false;
  for (int c = 0; c < kTwoLeafComponents; ++c) by_weather |= (by[c] >= 0 && by[c] < kLai) || by[c] == kDiffuseFraction;
  const auto chosen = by_weather ? gradient_by_weather<E> : gradient_by_leaves<E>;
  chosen(p, inputs, n, out, by, d);
}

#else

template <class E>
constexpr decltype(TwoLeafKernelsOf<E>::gradient) gradient = nullptr;

#endif

// Compat mode, second of each pair, computes in double alone.
extern const TwoLeafKernels two_leaf_kernels;
const TwoLeafKernels two_leaf_kernels = {
    {{canopy<double>, compat_canopy}, gradient<double>, {leaf<double>, compat_leaf}, within<double>},
    {{canopy<float>, nullptr}, gradient<float>, {leaf<float>, nullptr}, within<float>}};

}  // namespace gppcore::GPPCORE_ISA
