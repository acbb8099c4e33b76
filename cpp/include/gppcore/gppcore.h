/* The C interface of libgppcore: the only stable header. C99, no dependency.
 *
 * Every function returns a gpp_status; gpp_last_error() tells more about the last failure of this thread.
 * Sizes are int64_t, buffers belong to the caller. */
#ifndef GPPCORE_H
#define GPPCORE_H
#include <stdint.h>

#if defined(__GNUC__)
#define GPP_API __attribute__((visibility("default")))
#else
#define GPP_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define GPPCORE_ABI_VERSION 1

typedef enum gpp_status {
  GPP_OK = 0,
  GPP_ERROR_SHAPE = 1,
  GPP_ERROR_DTYPE = 2,
  GPP_ERROR_RANGE = 3,
  GPP_ERROR_FOREST_FORMAT = 4,
  GPP_ERROR_MISSING_FILE = 5,
  GPP_ERROR_OUT_OF_MEMORY = 6,
  GPP_ERROR_KERNEL = 7
} gpp_status;

/* The version of this interface that the library implements; compare with GPPCORE_ABI_VERSION. */
GPP_API int gpp_abi_version(void);

/* What went wrong in this thread's last call that did not return GPP_OK; never NULL. */
GPP_API const char* gpp_last_error(void);

/* Name of the instruction set in use: baseline, avx2 or avx512. */
GPP_API gpp_status gpp_isa(const char** name);

/* A forest of regression trees. One handle may be used by many threads at once, except to free it. */
typedef struct gpp_forest gpp_forest;

/* Reads a .gppf file, checking all of it; *forest is set only on success and must be freed. */
GPP_API gpp_status gpp_forest_load(const char* path, gpp_forest** forest);

/* Frees a forest; NULL is allowed. */
GPP_API void gpp_forest_free(gpp_forest* forest);

/* Number of features and of trees; either pointer may be NULL. */
GPP_API gpp_status gpp_forest_info(const gpp_forest* forest, int64_t* n_features, int64_t* n_trees);

/* Predicts rows[n_rows][n_features] into out[n_rows], in the calling thread, without a lock; NaN is a missing
 * value. Memory is allocated only in a thread's first call, or when it meets a larger forest. n_features must be
 * that of the forest. n_rows may be 0. */
GPP_API gpp_status gpp_forest_predict_f32(const gpp_forest* forest, const float* rows, int64_t n_rows,
                                          int64_t n_features, float* out);
GPP_API gpp_status gpp_forest_predict_f64(const gpp_forest* forest, const double* rows, int64_t n_rows,
                                          int64_t n_features, double* out);

/* The same with one array per feature: feature f of row i is columns[f][i * strides[f]]; stride 0 (counted in
 * elements) is one value for all rows. columns and strides hold as many entries as the forest has features. */
GPP_API gpp_status gpp_forest_predict_columns_f32(const gpp_forest* forest, const float* const* columns,
                                                  const int64_t* strides, int64_t n_rows, float* out);
GPP_API gpp_status gpp_forest_predict_columns_f64(const gpp_forest* forest, const double* const* columns,
                                                  const int64_t* strides, int64_t n_rows, double* out);

#ifdef __cplusplus
}
#endif
#endif
