// The outer border: every function is a translation, and guard() lets no exception out.
#include "gppcore/gppcore.h"

#include <string>

#include "../src/dispatch.hpp"
#include "guard.hpp"

using gppcore::Error;
using gppcore::ErrorCode;
using gppcore::guard;
using gppcore::require;
using gppcore::require_size;

struct gpp_forest {
  gppcore::Forest forest;
};

namespace {

[[noreturn]] void refuse_shape(const char* name, int64_t expected, int64_t got) {
  throw Error(ErrorCode::shape,
              std::string(name) + ": expected " + std::to_string(expected) + ", got " + std::to_string(got));
}

// Checks what every call on a forest has in common; returns whether there is anything to do.
bool has_rows(const gpp_forest* forest, const gpp_workspace* workspace, const void* in, const char* in_name,
              int64_t n_rows, const void* out) {
  require(forest, "forest");
  require_size(n_rows, "n_rows");
  gppcore::require_memory(workspace, forest->forest.memory_lines());
  if (n_rows == 0) return false;
  require(in, in_name);
  require(out, "out");
  return true;
}

template <class T>
gpp_status predict(const gpp_forest* forest, gpp_workspace* workspace, const T* rows, int64_t n_rows,
                   int64_t n_features, int raw, T* out) {
  return guard([&] {
    if (!has_rows(forest, workspace, rows, "rows", n_rows, out)) return;
    if (n_features != forest->forest.n_features()) refuse_shape("n_features", forest->forest.n_features(), n_features);
    forest->forest.predict_rows(rows, n_rows, out, raw != 0, workspace->memory);
  });
}

template <class T>
gpp_status predict_columns(const gpp_forest* forest, gpp_workspace* workspace, const T* const* columns,
                           const int64_t* strides, int64_t n_rows, int raw, T* out) {
  return guard([&] {
    if (!has_rows(forest, workspace, columns, "columns", n_rows, out)) return;
    require(strides, "strides");
    for (int64_t f = 0; f < forest->forest.n_features(); ++f) require(columns[f], "columns[i]");
    forest->forest.predict_columns(columns, strides, n_rows, out, raw != 0, workspace->memory);
  });
}

template <class T>
gpp_status apply(const gpp_forest* forest, gpp_workspace* workspace, const T* rows, int64_t n_rows, int64_t n_features,
                 int32_t* leaves) {
  return guard([&] {
    if (!has_rows(forest, workspace, rows, "rows", n_rows, leaves)) return;
    if (n_features != forest->forest.n_features()) refuse_shape("n_features", forest->forest.n_features(), n_features);
    forest->forest.apply_rows(rows, n_rows, leaves, workspace->memory);
  });
}

}  // namespace

int gpp_abi_version(void) { return GPPCORE_ABI_VERSION; }

const char* gpp_last_error(void) { return gppcore::last_error().text; }

gpp_status gpp_isa(const char** name) {
  return guard([&] {
    require(name, "name");
    *name = gppcore::kernels().isa;
  });
}

gpp_status gpp_forest_load(const char* path, gpp_forest** forest) {
  return guard([&] {
    require(path, "path");
    require(forest, "forest");
    *forest = new gpp_forest{gppcore::Forest::load(path)};
  });
}

void gpp_forest_free(gpp_forest* forest) { delete forest; }

gpp_status gpp_forest_info(const gpp_forest* forest, int64_t* n_features, int64_t* n_outputs, int64_t* n_trees) {
  return guard([&] {
    require(forest, "forest");
    if (n_features) *n_features = forest->forest.n_features();
    if (n_outputs) *n_outputs = forest->forest.n_outputs();
    if (n_trees) *n_trees = forest->forest.n_trees();
  });
}

gpp_status gpp_workspace_new(const gpp_forest* forest, gpp_workspace** workspace) {
  return guard([&] {
    require(forest, "forest");
    require(workspace, "workspace");
    *workspace = new gpp_workspace{gppcore::ForestMemory(forest->forest.memory_lines())};
  });
}

void gpp_workspace_free(gpp_workspace* workspace) { delete workspace; }

gpp_status gpp_forest_predict_f32(const gpp_forest* forest, gpp_workspace* workspace, const float* rows, int64_t n_rows,
                                  int64_t n_features, int raw, float* out) {
  return predict(forest, workspace, rows, n_rows, n_features, raw, out);
}

gpp_status gpp_forest_predict_f64(const gpp_forest* forest, gpp_workspace* workspace, const double* rows,
                                  int64_t n_rows, int64_t n_features, int raw, double* out) {
  return predict(forest, workspace, rows, n_rows, n_features, raw, out);
}

gpp_status gpp_forest_predict_columns_f32(const gpp_forest* forest, gpp_workspace* workspace,
                                          const float* const* columns, const int64_t* strides, int64_t n_rows, int raw,
                                          float* out) {
  return predict_columns(forest, workspace, columns, strides, n_rows, raw, out);
}

gpp_status gpp_forest_predict_columns_f64(const gpp_forest* forest, gpp_workspace* workspace,
                                          const double* const* columns, const int64_t* strides, int64_t n_rows, int raw,
                                          double* out) {
  return predict_columns(forest, workspace, columns, strides, n_rows, raw, out);
}

gpp_status gpp_forest_apply_f32(const gpp_forest* forest, gpp_workspace* workspace, const float* rows, int64_t n_rows,
                                int64_t n_features, int32_t* leaves) {
  return apply(forest, workspace, rows, n_rows, n_features, leaves);
}

gpp_status gpp_forest_apply_f64(const gpp_forest* forest, gpp_workspace* workspace, const double* rows, int64_t n_rows,
                                int64_t n_features, int32_t* leaves) {
  return apply(forest, workspace, rows, n_rows, n_features, leaves);
}
