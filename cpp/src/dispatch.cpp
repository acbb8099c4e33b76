#include "dispatch.hpp"

#include <cstdlib>

#include "gppcore/error.hpp"

namespace gppcore {

namespace baseline {
extern const Kernels kernels;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Kernels kernels;
}
namespace avx512 {
extern const Kernels kernels;
}
namespace avx512_vbmi {
extern const Kernels kernels;
}
#endif

namespace {

std::vector<const Kernels*> supported() {
  std::vector<const Kernels*> list{&baseline::kernels};
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool scalar =
      __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  if (scalar && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) list.push_back(&avx2::kernels);
  if (scalar && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    list.push_back(&avx512::kernels);
    if (__builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2"))
      list.push_back(&avx512_vbmi::kernels);
  }
#endif
  return list;
}

const Kernels& choose() {
  const auto list = supported();
  const char* forced = std::getenv("GPPCORE_ISA");
  if (!forced || !*forced) return *list.back();
  std::string names;
  for (const Kernels* k : list) {
    if (std::string(forced) == k->isa) return *k;
    names += (names.empty() ? "" : ", ") + std::string(k->isa);
  }
  throw Error(ErrorCode::kernel,
              "GPPCORE_ISA: expected one of " + names + " (supported on this CPU), got '" + forced + "'");
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

std::vector<std::string> supported_isas() {
  std::vector<std::string> names;
  for (const Kernels* k : supported()) names.emplace_back(k->isa);
  return names;
}

}  // namespace gppcore
