// The outer border: every function is a translation, and guard() lets no exception out.
#include "gppcore/gppcore.h"

#include <exception>
#include <new>
#include <string>

#include "../src/dispatch.hpp"
#include "gppcore/error.hpp"
#include "gppcore/forest.hpp"

namespace {

thread_local std::string last_error;

template <class Body>
gpp_status guard(Body&& body) noexcept {
  try {
    body();
    return GPP_OK;
  } catch (const gppcore::Error& e) {
    last_error = e.what();
    return static_cast<gpp_status>(e.code());
  } catch (const std::bad_alloc&) {
    last_error = "out of memory";
    return GPP_ERROR_OUT_OF_MEMORY;
  } catch (const std::exception& e) {
    last_error = e.what();
  } catch (...) {
    last_error = "unknown exception";
  }
  return GPP_ERROR_KERNEL;
}

void require(const void* pointer, const char* name) {
  if (!pointer) throw gppcore::Error(gppcore::ErrorCode::range, std::string(name) + ": expected a pointer, got NULL");
}

void require_size(int64_t size, const char* name) {
  if (size < 0)
    throw gppcore::Error(gppcore::ErrorCode::range, std::string(name) + ": expected >= 0, got " + std::to_string(size));
}

}  // namespace

struct gpp_forest {
  gppcore::Forest forest;
};

namespace {

template <class T>
gpp_status predict(const gpp_forest* forest, const T* rows, int64_t n_rows, int64_t n_features, T* out) {
  return guard([&] {
    require(forest, "forest");
    require_size(n_rows, "n_rows");
    if (n_features != forest->forest.n_features())
      throw gppcore::Error(gppcore::ErrorCode::shape, "n_features: expected " +
                                                          std::to_string(forest->forest.n_features()) + ", got " +
                                                          std::to_string(n_features));
    if (n_rows == 0) return;
    require(rows, "rows");
    require(out, "out");
    forest->forest.predict(rows, n_rows, out);
  });
}

template <class T>
gpp_status predict_columns(const gpp_forest* forest, const T* const* columns, const int64_t* strides, int64_t n_rows,
                           T* out) {
  return guard([&] {
    require(forest, "forest");
    require_size(n_rows, "n_rows");
    if (n_rows == 0) return;
    require(columns, "columns");
    require(strides, "strides");
    require(out, "out");
    for (int64_t f = 0; f < forest->forest.n_features(); ++f) require(columns[f], "columns[i]");
    forest->forest.predict_columns(columns, strides, n_rows, out);
  });
}

}  // namespace

int gpp_abi_version(void) { return GPPCORE_ABI_VERSION; }

const char* gpp_last_error(void) { return last_error.c_str(); }

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

gpp_status gpp_forest_info(const gpp_forest* forest, int64_t* n_features, int64_t* n_trees) {
  return guard([&] {
    require(forest, "forest");
    if (n_features) *n_features = forest->forest.n_features();
    if (n_trees) *n_trees = forest->forest.n_trees();
  });
}

gpp_status gpp_forest_predict_f32(const gpp_forest* forest, const float* rows, int64_t n_rows, int64_t n_features,
                                  float* out) {
  return predict(forest, rows, n_rows, n_features, out);
}

gpp_status gpp_forest_predict_f64(const gpp_forest* forest, const double* rows, int64_t n_rows, int64_t n_features,
                                  double* out) {
  return predict(forest, rows, n_rows, n_features, out);
}

gpp_status gpp_forest_predict_columns_f32(const gpp_forest* forest, const float* const* columns, const int64_t* strides,
                                          int64_t n_rows, float* out) {
  return predict_columns(forest, columns, strides, n_rows, out);
}

gpp_status gpp_forest_predict_columns_f64(const gpp_forest* forest, const double* const* columns,
                                          const int64_t* strides, int64_t n_rows, double* out) {
  return predict_columns(forest, columns, strides, n_rows, out);
}
