// Prints the largest error, in ULP, of the library's elementary functions on many arguments, against long double.
#define GPPCORE_ISA baseline
#define GPPCORE_VECTOR_BYTES 16
#include <cmath>
#include <cstdio>
#include <random>

#include "trigonometry-inl.hpp"

namespace here = gppcore::baseline;

template <class E, class Ours, class Exact>
void measure(const char* name, double low, double high, bool logarithmic, Ours ours, Exact exact) {
  using L = here::Lanes<E>;
  std::mt19937_64 random(0);
  std::uniform_real_distribution<double> uniform(logarithmic ? std::log(low) : low,
                                                 logarithmic ? std::log(high) : high);
  long double worst = 0;
  for (int i = 0; i < 2000000; ++i) {
    const double at = uniform(random);
    const E x = static_cast<E>(logarithmic ? std::exp(at) : at);
    L lanes;
    for (int l = 0; l < L::kCount; ++l) lanes.v[l] = x;
    const E got = ours(lanes).v[0];
    const long double want = exact(static_cast<long double>(x));
    const E near = static_cast<E>(std::fabs(want));
    const long double ulp = std::nextafter(near, static_cast<E>(INFINITY)) - near;
    const long double error = std::fabs(got - want) / ulp;
    if (!(error <= worst)) worst = error;
  }
  std::printf("%s %.3Lf\n", name, worst);
}

int main() {
  using Doubles = here::Lanes<double>;
  using Floats = here::Lanes<float>;
  using Wide = long double;
  measure<double>(
      "exp_f64", -708, 709, false, [](Doubles x) { return here::exp(x); }, [](Wide x) { return std::exp(x); });
  measure<float>("exp_f32", -87, 88, false, [](Floats x) { return here::exp(x); }, [](Wide x) { return std::exp(x); });
  measure<double>(
      "log_f64", 1e-300, 1e300, true, [](Doubles x) { return here::log(x); }, [](Wide x) { return std::log(x); });
  measure<double>(
      "log_f64_near_1", 0.5, 2, false, [](Doubles x) { return here::log(x); }, [](Wide x) { return std::log(x); });
  measure<float>(
      "log_f32", 1e-37, 1e38, true, [](Floats x) { return here::log(x); }, [](Wide x) { return std::log(x); });
  measure<float>(
      "log_f32_near_1", 0.5, 2, false, [](Floats x) { return here::log(x); }, [](Wide x) { return std::log(x); });
  measure<double>(
      "acos_f64", -1, 1, false, [](Doubles x) { return here::acos(x); }, [](Wide x) { return std::acos(x); });
  measure<double>(
      "cos_f64", 0, 1.04719755, false, [](Doubles x) { return here::cos_sin(x).cos; },
      [](Wide x) { return std::cos(x); });
  measure<double>(
      "sin_f64", 0, 1.04719755, false, [](Doubles x) { return here::cos_sin(x).sin; },
      [](Wide x) { return std::sin(x); });
}
