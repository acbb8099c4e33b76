// The library's forest with the switch taken out that looks for rows that resemble each other: no block is pruned.
// A shared library for benchmarks, of the kernels of one instruction set.
#include <cstdio>

// As forest-inl.hpp has them, since a later one hides a name of the first.
#include "kernels/forest_link-inl.hpp"
#include "kernels/forest_prune-inl.hpp"
#include "kernels/forest_search-inl.hpp"
#define find_range(ranks, n, least, largest) static_cast<void>(0)
#define find_ends(column, n, least, largest) static_cast<void>(0)
#define count_mixed(plan, group, work) (group).n_conditions
#include "kernels/forest-inl.hpp"
#undef find_range
#undef find_ends
#undef count_mixed

#include "dispatch.hpp"
#include "gppcore/error.hpp"
#include "gppcore/forest.hpp"

namespace gppcore {

const Kernels& kernels() {
  static const Kernels unpruned{"unpruned", {}, {}, GPPCORE_ISA::forest_kernels};
  return unpruned;
}

}  // namespace gppcore

// Null if the file is no forest; never freed.
extern "C" void* unpruned_load(const char* path) {
  try {
    return new gppcore::Forest(gppcore::Forest::load(path));
  } catch (const gppcore::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return nullptr;
  }
}

extern "C" void unpruned_predict(const void* forest, const float* const* columns, const int64_t* strides,
                                 int64_t n_rows, float* out) {
  static_cast<const gppcore::Forest*>(forest)->predict_columns(columns, strides, n_rows, out);
}
