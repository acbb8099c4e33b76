/* The C interface of libgppcore: the only stable header. C99, no dependency.
 *
 * Every function returns a gpp_status; gpp_last_error() tells more about the last failure of this thread.
 * Sizes are int64_t, buffers belong to the caller. Every call computes in the default floating-point environment and
 * gives the caller's back: no trap fires, no flag is left, and results do not depend on the caller's rounding mode. */
#ifndef GPPCORE_H
#define GPPCORE_H
#include <stdint.h>

#ifndef GPP_API
#if defined(_WIN32) && !defined(GPPCORE_STATIC)
#ifdef GPPCORE_BUILD
#define GPP_API __declspec(dllexport)
#else
#define GPP_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define GPP_API __attribute__((visibility("default")))
#else
#define GPP_API
#endif
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
  GPP_ERROR_FILE_ACCESS = 9,
  GPP_ERROR_BUSY = 10 /* the workspace is in use by another thread */
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

/* The same from the bytes of such a file, which are copied: one process may read them and send them to others. */
GPP_API gpp_status gpp_forest_load_buffer(const void* data, int64_t size, gpp_forest** forest);

/* Frees a forest; NULL is allowed. */
GPP_API void gpp_forest_free(gpp_forest* forest);

/* Number of features, of outputs per row and of trees; pointers may be NULL. */
GPP_API gpp_status gpp_forest_info(const gpp_forest* forest, int64_t* n_features, int64_t* n_outputs, int64_t* n_trees);

/* Name of feature i, counted from 0; empty if the forest has no names. It lives as long as the forest. */
GPP_API gpp_status gpp_forest_feature(const gpp_forest* forest, int64_t i, const char** name);

/* Scratch memory for predictions: one per thread, best made by the thread that uses it. It serves the forest that
 * it was made for and every one that needs no more. A call with a workspace that another thread is using returns
 * GPP_ERROR_BUSY and writes nothing. */
typedef struct gpp_workspace gpp_workspace;

/* *workspace is set only on success and must be freed. */
GPP_API gpp_status gpp_workspace_new(const gpp_forest* forest, gpp_workspace** workspace);

/* Frees a workspace; NULL is allowed. */
GPP_API void gpp_workspace_free(gpp_workspace* workspace);

/* From now on values equal to `missing` (rounded to float in the functions for float) are missing in predictions and
 * checks with this workspace, as NaN is. NaN, the default, leaves only NaN missing. */
GPP_API gpp_status gpp_workspace_set_missing(gpp_workspace* workspace, double missing);

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

/* Reads a folder with model.gppm and its forests, or a zip of these files, checking all of it; *model is set only on
 * success and must be freed. */
GPP_API gpp_status gpp_model_load(const char* path, gpp_model** model);

/* The same from the bytes of such a zip, which are copied. */
GPP_API gpp_status gpp_model_load_buffer(const void* data, int64_t size, gpp_model** model);

/* Frees a model; NULL is allowed. */
GPP_API void gpp_model_free(gpp_model* model);

/* Number of predictors, of source forests and of member forests, and whether there are prediction intervals (0 or 1);
 * pointers may be NULL. */
GPP_API gpp_status gpp_model_info(const gpp_model* model, int64_t* n_predictors, int64_t* n_sources, int64_t* n_members,
                                  int* has_interval);

/* Name of predictor i, counted from 0; it lives as long as the model. */
GPP_API gpp_status gpp_model_predictor(const gpp_model* model, int64_t i, const char** name);

/* Unit and valid range of predictor i; pointers may be NULL. The unit lives as long as the model; it is empty, and the
 * range infinite, where the model does not know them. */
GPP_API gpp_status gpp_model_predictor_unit(const gpp_model* model, int64_t i, const char** unit, double* low,
                                            double* high);

/* As gpp_workspace_new, for models. */
GPP_API gpp_status gpp_model_workspace_new(const gpp_model* model, gpp_workspace** workspace);

/* Predicts GPP of n_rows from one array per predictor, as gpp_forest_predict_columns does. low and high, the borders
 * of the prediction interval, may be NULL; else the model must have intervals. Where all predictors of a row are
 * missing, its outputs are NaN. No output may cover a column. */
GPP_API gpp_status gpp_model_predict_columns_f32(const gpp_model* model, gpp_workspace* workspace,
                                                 const float* const* columns, const int64_t* strides, int64_t n_rows,
                                                 float* gpp, float* low, float* high);
GPP_API gpp_status gpp_model_predict_columns_f64(const gpp_model* model, gpp_workspace* workspace,
                                                 const double* const* columns, const int64_t* strides, int64_t n_rows,
                                                 double* gpp, double* low, double* high);

/* What gpp_model_check counts for each predictor. */
enum {
  GPP_CHECK_MISSING,
  GPP_CHECK_INFINITE,
  GPP_CHECK_FILL,
  GPP_CHECK_BELOW,
  GPP_CHECK_ABOVE,
  GPP_CHECK_OTHER_UNIT,
  GPP_CHECKS
};

/* Counts values that are missing, infinite, a usual fill value (-9999, -999, -32768, or 1e20 and more in size), below
 * and above the valid range, into counts[n_predictors][GPP_CHECKS], which may be NULL; and, in the last place, 100 or
 * more values within the range that are so small, or large, that all of them look like another unit (a vapour pressure
 * deficit of at most 100 in hPa): give it all seasons. If any but missing ones are found, returns GPP_ERROR_RANGE with
 * a message that names the first such predictor, its unit and its range. The workspace tells the missing value and may
 * be NULL. Columns are as for prediction. */
GPP_API gpp_status gpp_model_check_f32(const gpp_model* model, const gpp_workspace* workspace,
                                       const float* const* columns, const int64_t* strides, int64_t n_rows,
                                       int64_t* counts);
GPP_API gpp_status gpp_model_check_f64(const gpp_model* model, const gpp_workspace* workspace,
                                       const double* const* columns, const int64_t* strides, int64_t n_rows,
                                       int64_t* counts);

/* Parameters of a plant functional type; units and sources are those of gppcore.constants in Python. */
typedef struct gpp_pft_parameters {
  int64_t size; /* sizeof(gpp_pft_parameters), set by the caller: a later library knows which fields there are */
  double vcmax25, clumping, g1, g0, albedo;
  double height_overstory, height_understory, stem_area_overstory, stem_area_understory;
  double psi_min, psi_exponent;
  int32_t understory, c4; /* 0 or 1 */
} gpp_pft_parameters;

/* Fills *pft, whose size is set, with the parameters of a type: enf, ebf, dnf, dbf, mf, shrub, grass, crop, grass_c4
 * or crop_c4. */
GPP_API gpp_status gpp_pft(const char* name, gpp_pft_parameters* pft);

/* The default model, or BEPS as published, which computes in double alone. */
enum { GPP_MODE_DEFAULT, GPP_MODE_BEPS };

/* How to run the two-leaf model; all zero but the size is the default with all cores. */
typedef struct gpp_two_leaf_options {
  int64_t size;             /* sizeof(gpp_two_leaf_options), set by the caller */
  int32_t mode;             /* GPP_MODE_... */
  int32_t leaf_temperature; /* 1: biochemistry at the temperature of each leaf class, not of the air */
  int32_t gross;            /* 1: GPP before respiration of the leaves in light */
  int32_t n_threads;        /* 0: all cores */
} gpp_two_leaf_options;

/* Inputs of a canopy hour: W m-2, degC, Pa, m s-1, 1, umol mol-1, m2 m-2, 1, 1, umol m-2 s-1, 1, 1. */
enum {
  GPP_SW,
  GPP_TAIR,
  GPP_VPD,
  GPP_WIND,
  GPP_COS_ZENITH,
  GPP_CA,
  GPP_LAI,
  GPP_CLUMPING,
  GPP_SOIL_WATER_STRESS,
  GPP_VCMAX25,
  GPP_G1,
  GPP_DIFFUSE_FRACTION,
  GPP_TWO_LEAF_INPUTS
};

/* Outputs: [n] for the first two, [4][n] for the others, by leaf class: sunlit and shaded overstory, sunlit and shaded
 * understory. umol m-2 s-1, the same, the same, mol m-2 s-1, kg m-2 s-1, degC, umol m-2 s-1. */
enum {
  GPP_SUNLIT,
  GPP_SHADED,
  GPP_CLASSES,
  GPP_CONDUCTANCE,
  GPP_TRANSPIRATION,
  GPP_LEAF_TEMPERATURE,
  GPP_APAR,
  GPP_TWO_LEAF_OUTPUTS
};

/* GPP of n canopy hours. Input j of hour i is inputs[j][i * strides[j]]; stride 0 is one value for all. inputs[j] is
 * NULL for wind (2.5), soil-water stress (1), clumping, vcmax25 and g1 (from pft) and the diffuse fraction (from the
 * clearness of the sky) where there is none. outputs[j] is NULL where it is not wanted. options may be NULL: the
 * default in the calling thread. NaN gives NaN in that hour; a value out of its valid range is GPP_ERROR_RANGE, and
 * outputs are then unspecified. */
GPP_API gpp_status gpp_two_leaf_f32(const gpp_pft_parameters* pft, const gpp_two_leaf_options* options,
                                    const float* const* inputs, const int64_t* strides, int64_t n,
                                    float* const* outputs);
GPP_API gpp_status gpp_two_leaf_f64(const gpp_pft_parameters* pft, const gpp_two_leaf_options* options,
                                    const double* const* inputs, const int64_t* strides, int64_t n,
                                    double* const* outputs);

/* Unit and valid range of input j of the two-leaf model, and its name; pointers may be NULL. */
GPP_API gpp_status gpp_two_leaf_input(int64_t j, const char** name, const char** unit, double* low, double* high);

/* How to solve single leaves. */
typedef struct gpp_leaf_options {
  int64_t size;         /* sizeof(gpp_leaf_options), set by the caller */
  int32_t c4;           /* 1: a C4 leaf */
  int32_t mode;         /* GPP_MODE_...: the exact coupled minimum of the rates, or as BEPS does */
  int32_t biochemistry; /* GPP_MODE_...: whose rates; in BEPS mode its own alone */
  int32_t n_threads;    /* 0: all cores */
} gpp_leaf_options;

/* Inputs of a leaf: umol m-2 s-1, umol m-2 s-1, degC, 1, mol m-2 s-1, umol mol-1, 1, 1, mol m-2 s-1, umol mol-1. */
enum {
  GPP_LEAF_VCMAX25,
  GPP_LEAF_PPFD,
  GPP_LEAF_TAIR,
  GPP_LEAF_HUMIDITY,
  GPP_LEAF_BOUNDARY_CONDUCTANCE,
  GPP_LEAF_CA,
  GPP_LEAF_G1,
  GPP_LEAF_SOIL_WATER_STRESS,
  GPP_LEAF_G0,
  GPP_LEAF_CI_GUESS,
  GPP_LEAF_INPUTS
};

/* Outputs of a leaf, each [n]: net assimilation, CO2 inside, conductance for water vapour, respiration in light. */
enum { GPP_LEAF_NET, GPP_LEAF_CI, GPP_LEAF_CONDUCTANCE, GPP_LEAF_RESPIRATION, GPP_LEAF_OUTPUTS };

/* Gas exchange of n leaves, as gpp_two_leaf. inputs[j] is NULL for soil-water stress (1) and the guess of ci (0.7 of
 * ca) where there is none. */
GPP_API gpp_status gpp_leaf_f32(const gpp_leaf_options* options, const float* const* inputs, const int64_t* strides,
                                int64_t n, float* const* outputs);
GPP_API gpp_status gpp_leaf_f64(const gpp_leaf_options* options, const double* const* inputs, const int64_t* strides,
                                int64_t n, double* const* outputs);

/* A coarse grid of n_lat x n_lon cells, each cut into factor x factor cells of a fine grid. Fields are C-contiguous
 * (lat, lon); NaN is a missing cell. One plan may be used by many threads at once, except to free it. */
typedef struct gpp_regrid_plan gpp_regrid_plan;

/* fine_row_area[n_lat * factor] holds the area of a cell in each fine row, in any unit (gpp_row_area); NULL: all the
 * same. periodic_lon is 1 if the grid spans the globe. n_threads: 0 means all cores. *plan must be freed. */
GPP_API gpp_status gpp_regrid_plan_new(int64_t n_lat, int64_t n_lon, int64_t factor, const double* fine_row_area,
                                       int periodic_lon, int n_threads, gpp_regrid_plan** plan);

/* Frees a plan; NULL is allowed. */
GPP_API void gpp_regrid_plan_free(gpp_regrid_plan* plan);

/* Areas of the cells of n rows between n + 1 latitudes in degrees, relative to the square of the radius and to a
 * radian of longitude. */
GPP_API gpp_status gpp_row_area(const double* lat_edges, int64_t n, double* area);

/* Mean of the valid fine cells of every coarse cell by area, NaN where their share is 0 or below min_valid; the share
 * itself goes to fraction, which may be NULL. */
GPP_API gpp_status gpp_aggregate_f32(const gpp_regrid_plan* plan, const float* fine, double min_valid, float* coarse,
                                     float* fraction);
GPP_API gpp_status gpp_aggregate_f64(const gpp_regrid_plan* plan, const double* fine, double min_valid, double* coarse,
                                     double* fraction);

/* How to downscale: the value of the coarse cell; in proportion to a covariate; linear between centres; smooth with
 * the means of the coarse cells. */
enum { GPP_DOWNSCALE_CONSERVATIVE, GPP_DOWNSCALE_COVARIATE, GPP_DOWNSCALE_BILINEAR, GPP_DOWNSCALE_SMOOTH };

/* Downscales a coarse field. covariate, a fine field of values >= 0, is used by GPP_DOWNSCALE_COVARIATE alone. */
GPP_API gpp_status gpp_downscale_f32(const gpp_regrid_plan* plan, int method, const float* coarse,
                                     const float* covariate, float* fine);
GPP_API gpp_status gpp_downscale_f64(const gpp_regrid_plan* plan, int method, const double* coarse,
                                     const double* covariate, double* fine);

#ifdef __cplusplus
}
#endif
#endif
