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

#define GPPCORE_ABI_VERSION 2

typedef enum gpp_status {
  GPP_OK = 0,
  GPP_ERROR_SHAPE = 1,
  GPP_ERROR_DTYPE = 2,
  GPP_ERROR_RANGE = 3,
  GPP_ERROR_FOREST_FORMAT = 4,
  GPP_ERROR_MISSING_FILE = 5,
  GPP_ERROR_OUT_OF_MEMORY = 6,
  GPP_ERROR_KERNEL = 7,
  GPP_ERROR_DISK_FULL = 8,
  GPP_ERROR_FILE_ACCESS = 9
} gpp_status;

/* The version of this interface that the library implements; compare with GPPCORE_ABI_VERSION. */
GPP_API int gpp_abi_version(void);

/* What went wrong in this thread's last call that did not return GPP_OK; never NULL. */
GPP_API const char* gpp_last_error(void);

/* Name of the instruction set in use: baseline, avx2, avx512 or avx512_vbmi. */
GPP_API gpp_status gpp_isa(const char** name);

/* A forest of trees. One handle may be used by many threads at once, except to free it. */
typedef struct gpp_forest gpp_forest;

/* Maps a .gppf file, checking all of it; *forest is set only on success and must be freed. The file may be
 * replaced meanwhile, but must not be changed in place. */
GPP_API gpp_status gpp_forest_load(const char* path, gpp_forest** forest);

/* Frees a forest; NULL is allowed. */
GPP_API void gpp_forest_free(gpp_forest* forest);

/* Number of features, of outputs per row and of trees; pointers may be NULL. */
GPP_API gpp_status gpp_forest_info(const gpp_forest* forest, int64_t* n_features, int64_t* n_outputs, int64_t* n_trees);

/* Scratch memory for predictions: one per thread, best made by the thread that uses it. It serves the forest that
 * it was made for and every one that needs no more; it holds nothing between calls. */
typedef struct gpp_workspace gpp_workspace;

/* *workspace is set only on success and must be freed. */
GPP_API gpp_status gpp_workspace_new(const gpp_forest* forest, gpp_workspace** workspace);

/* Frees a workspace; NULL is allowed. */
GPP_API void gpp_workspace_free(gpp_workspace* workspace);

/* Predicts rows[n_rows][n_features] into out[n_rows][n_outputs], in the calling thread, without a lock and without
 * allocating memory; NaN is a missing value. n_features must be that of the forest. n_rows may be 0. raw, if not 0,
 * leaves out the link (exponential, sigmoid, softmax) and its scale. */
GPP_API gpp_status gpp_forest_predict_f32(const gpp_forest* forest, gpp_workspace* workspace, const float* rows,
                                          int64_t n_rows, int64_t n_features, int raw, float* out);
GPP_API gpp_status gpp_forest_predict_f64(const gpp_forest* forest, gpp_workspace* workspace, const double* rows,
                                          int64_t n_rows, int64_t n_features, int raw, double* out);

/* The same with one array per feature: feature f of row i is columns[f][i * strides[f]]; stride 0 (counted in
 * elements) is one value for all rows. columns and strides hold as many entries as the forest has features. */
GPP_API gpp_status gpp_forest_predict_columns_f32(const gpp_forest* forest, gpp_workspace* workspace,
                                                  const float* const* columns, const int64_t* strides, int64_t n_rows,
                                                  int raw, float* out);
GPP_API gpp_status gpp_forest_predict_columns_f64(const gpp_forest* forest, gpp_workspace* workspace,
                                                  const double* const* columns, const int64_t* strides, int64_t n_rows,
                                                  int raw, double* out);

/* Writes leaves[n_rows][n_trees]: the leaf that each row reaches in each tree, counted from 0 in the order of the
 * file. The rest is as for prediction. */
GPP_API gpp_status gpp_forest_apply_f32(const gpp_forest* forest, gpp_workspace* workspace, const float* rows,
                                        int64_t n_rows, int64_t n_features, int32_t* leaves);
GPP_API gpp_status gpp_forest_apply_f64(const gpp_forest* forest, gpp_workspace* workspace, const double* rows,
                                        int64_t n_rows, int64_t n_features, int32_t* leaves);

/* A transfer model: forests and the recipe that joins them. Used by threads as a forest is. */
typedef struct gpp_model gpp_model;

/* Reads a folder with model.gppm and its forests, checking all of it; *model is set only on success and must be
 * freed. */
GPP_API gpp_status gpp_model_load(const char* folder, gpp_model** model);

/* Frees a model; NULL is allowed. */
GPP_API void gpp_model_free(gpp_model* model);

/* Number of predictors, of source forests and of member forests, and whether there are prediction intervals (0 or 1);
 * pointers may be NULL. */
GPP_API gpp_status gpp_model_info(const gpp_model* model, int64_t* n_predictors, int64_t* n_sources, int64_t* n_members,
                                  int* has_interval);

/* Name of predictor i, counted from 0; it lives as long as the model. */
GPP_API gpp_status gpp_model_predictor(const gpp_model* model, int64_t i, const char** name);

/* As gpp_workspace_new, for models. */
GPP_API gpp_status gpp_model_workspace_new(const gpp_model* model, gpp_workspace** workspace);

/* Predicts GPP of n_rows from one array per predictor, as gpp_forest_predict_columns does. low and high, the borders
 * of the prediction interval, may be NULL; else the model must have intervals. No output may cover a column. */
GPP_API gpp_status gpp_model_predict_columns_f32(const gpp_model* model, gpp_workspace* workspace,
                                                 const float* const* columns, const int64_t* strides, int64_t n_rows,
                                                 float* gpp, float* low, float* high);
GPP_API gpp_status gpp_model_predict_columns_f64(const gpp_model* model, gpp_workspace* workspace,
                                                 const double* const* columns, const int64_t* strides, int64_t n_rows,
                                                 double* gpp, double* low, double* high);

#ifdef __cplusplus
}
#endif
#endif
