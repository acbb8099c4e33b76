/* A transfer model for .C of R: the matrix of predictors is read where R holds it, NA is a missing value.
 * PKG_CFLAGS="$(gppcore config --cflags)" PKG_LIBS="$(gppcore config --libs)" R CMD SHLIB shim.c */
#include <gppcore/gppcore.h>

enum { MOST = 256 };
static gpp_model* model;
static gpp_workspace* work;

static void finish(gpp_status status, int* code, char** message) {
  *code = status;
  if (status != GPP_OK) *message = (char*)gpp_last_error();
}

void r_gpp_load(char** path, int* code, char** message) {
  gpp_workspace_free(work);
  gpp_model_free(model);
  work = 0;
  model = 0;
  gpp_status status = gpp_model_load(*path, &model);
  if (status == GPP_OK) status = gpp_model_workspace_new(model, &work);
  finish(status, code, message);
}

/* x is [n_predictors][n] as R lays out a matrix of n rows. */
void r_gpp_predict(const double* x, const int* n, const int* n_predictors, double* gpp, int* code, char** message) {
  const double* columns[MOST];
  int64_t strides[MOST], expected = 0;
  gpp_status status = gpp_model_info(model, &expected, 0, 0, 0);
  if (status == GPP_OK && (expected != *n_predictors || expected > MOST)) {
    *code = GPP_ERROR_SHAPE;
    *message = "x: expected one column for each predictor";
    return;
  }
  for (int j = 0; j < *n_predictors && j < MOST; ++j) columns[j] = x + (int64_t)j * *n, strides[j] = 1;
  if (status == GPP_OK) status = gpp_model_predict_columns_f64(model, work, columns, strides, *n, gpp, 0, 0);
  finish(status, code, message);
}
