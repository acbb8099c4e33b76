// The outer border: every function is a translation, and guard() lets no exception out.
#include "gppcore/gppcore.h"

#include <string>

#include "../src/dispatch.hpp"
#include "workspace.hpp"

using gppcore::Error;
using gppcore::ErrorCode;
using gppcore::guard;
using gppcore::require;
using gppcore::require_size;
using gppcore::WorkspaceUse;

struct gpp_forest {
  gppcore::Forest forest;
  std::vector<std::string> names;

  explicit gpp_forest(gppcore::Forest from) : forest(std::move(from)), names(forest.feature_names()) {}
};

namespace {

[[noreturn]] void refuse_shape(const char* name, int64_t expected, int64_t got) {
  throw Error(ErrorCode::shape,
              std::string(name) + ": expected " + std::to_string(expected) + ", got " + std::to_string(got));
}

// Calls work(columns, strides, begin, n) for rows that lie in columns.
template <class T, class Work>
void for_columns(const gpp_forest& forest, gpp_workspace& workspace, const T* const* columns, const int64_t* strides,
                 int64_t n_rows, const Work& work) {
  const int64_t n_features = forest.forest.n_features();
  gppcore::require_columns(columns, strides, n_features);
  if (workspace.copies.empty()) return work(columns, strides, 0, n_rows);
  const auto column = [&](int64_t f) { return columns[f]; };
  const auto stride = [&](int64_t f) { return strides[f]; };
  gppcore::each_block<T>(workspace, n_features, n_rows, column, stride, work);
}

// The same for the rows of a matrix; whole(rows) does all of them where nothing is to be replaced.
template <class T, class Work, class Whole>
void for_rows(const gpp_forest& forest, gpp_workspace& workspace, const T* rows, int64_t n_rows, int64_t n_features,
              const Whole& whole, const Work& work) {
  require(rows, "rows");
  if (n_features != forest.forest.n_features()) refuse_shape("n_features", forest.forest.n_features(), n_features);
  if (workspace.copies.empty()) return whole();
  const auto column = [&](int64_t f) { return rows + f; };
  const auto stride = [&](int64_t) { return n_features; };
  gppcore::each_block<T>(workspace, n_features, n_rows, column, stride, work);
}

// Checks what every call on a forest has in common, and calls body() if there is anything to do.
template <class Body>
gpp_status with_rows(const gpp_forest* forest, gpp_workspace* workspace, int64_t n_rows, const void* out,
                     const Body& body) {
  return guard([&] {
    require(forest, "forest");
    require_size(n_rows, "n_rows");
    const WorkspaceUse use(workspace, forest->forest.memory_lines());
    if (n_rows == 0) return;
    require(out, "out");
    body(forest->forest);
  });
}

template <class T>
gpp_status predict(const gpp_forest* forest, gpp_workspace* workspace, const T* rows, int64_t n_rows,
                   int64_t n_features, int raw, T* out) {
  return with_rows(forest, workspace, n_rows, out, [&](const gppcore::Forest& f) {
    const auto whole = [&] { f.predict_rows(rows, n_rows, out, raw != 0, workspace->memory); };
    for_rows(*forest, *workspace, rows, n_rows, n_features, whole,
             [&](const T* const* columns, const int64_t* strides, int64_t begin, int64_t n) {
               f.predict_columns(columns, strides, n, out + begin * f.n_outputs(), raw != 0, workspace->memory);
             });
  });
}

template <class T>
gpp_status predict_columns(const gpp_forest* forest, gpp_workspace* workspace, const T* const* columns,
                           const int64_t* strides, int64_t n_rows, int raw, T* out) {
  return with_rows(forest, workspace, n_rows, out, [&](const gppcore::Forest& f) {
    for_columns(*forest, *workspace, columns, strides, n_rows,
                [&](const T* const* part, const int64_t* steps, int64_t begin, int64_t n) {
                  f.predict_columns(part, steps, n, out + begin * f.n_outputs(), raw != 0, workspace->memory);
                });
  });
}

template <class T>
gpp_status apply(const gpp_forest* forest, gpp_workspace* workspace, const T* rows, int64_t n_rows, int64_t n_features,
                 int32_t* leaves) {
  return with_rows(forest, workspace, n_rows, leaves, [&](const gppcore::Forest& f) {
    const auto whole = [&] { f.apply_rows(rows, n_rows, leaves, workspace->memory); };
    for_rows(*forest, *workspace, rows, n_rows, n_features, whole,
             [&](const T* const* columns, const int64_t* strides, int64_t begin, int64_t n) {
               f.apply_columns(columns, strides, n, leaves + begin * f.n_trees(), workspace->memory);
             });
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
    *forest = new gpp_forest(gppcore::Forest::load(path));
  });
}

gpp_status gpp_forest_load_buffer(const void* data, int64_t size, gpp_forest** forest) {
  return guard([&] {
    require(data, "data");
    require_size(size, "size");
    require(forest, "forest");
    *forest = new gpp_forest(gppcore::Forest::from_bytes(data, static_cast<size_t>(size)));
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

gpp_status gpp_forest_feature(const gpp_forest* forest, int64_t i, const char** name) {
  return guard([&] {
    require(forest, "forest");
    require(name, "name");
    const size_t at = gppcore::require_index(i, forest->forest.n_features());
    *name = forest->names.empty() ? "" : forest->names[at].c_str();
  });
}

gpp_status gpp_workspace_new(const gpp_forest* forest, gpp_workspace** workspace) {
  return guard([&] {
    require(forest, "forest");
    require(workspace, "workspace");
    *workspace = new gpp_workspace(forest->forest.memory_lines(), forest->forest.n_features());
  });
}

void gpp_workspace_free(gpp_workspace* workspace) { delete workspace; }

gpp_status gpp_workspace_set_missing(gpp_workspace* workspace, double missing) {
  return guard([&] {
    const WorkspaceUse use(workspace, 0);
    if (std::isnan(missing)) {
      workspace->copies = {};
    } else {
      workspace->copies.resize(static_cast<size_t>(gppcore::Copies<double>(workspace->n_columns, nullptr).n_lines));
    }
    workspace->missing = missing;
  });
}

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
