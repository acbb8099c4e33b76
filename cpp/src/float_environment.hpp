// The floating-point environment of the caller: put aside while the library computes, so that no trap of the host
// fires, no flag is left behind, and results depend neither on its rounding mode nor on flush-to-zero.
#pragma once
#if defined(__SSE__)
#include <xmmintrin.h>
#else
#include <cfenv>
#endif

namespace gppcore {

#if defined(__SSE__)

// The kernels use SSE and its successors alone, whose control word costs a tenth of what <cfenv> does: that saves x87
// too.
class FloatEnvironment {
 public:
  FloatEnvironment() noexcept : callers_(_mm_getcsr()) { _mm_setcsr(kDefault); }
  ~FloatEnvironment() { _mm_setcsr(callers_); }
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
  static constexpr unsigned kDefault = 0x1f80;  // all traps masked, no flag, to nearest, denormals kept
  unsigned callers_;
};

#else

class FloatEnvironment {
 public:
  FloatEnvironment() noexcept {
    std::fegetenv(&callers_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~FloatEnvironment() { std::fesetenv(&callers_); }
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
  std::fenv_t callers_;
};

#endif

}  // namespace gppcore
