/* Predicts the same rows through every function of the C interface, and writes the bits.
 * Arguments: forest file, file of float64 rows, number of rows, output file. */
#include <gppcore/gppcore.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(call, expected)                                                                      \
  do {                                                                                             \
    const gpp_status status = (call);                                                              \
    if (status != (expected)) {                                                                    \
      fprintf(stderr, "%s: expected %d, got %d: %s\n", #call, expected, status, gpp_last_error()); \
      return 1;                                                                                    \
    }                                                                                              \
  } while (0)

static int refusals(const gpp_forest* forest, gpp_workspace* work, const double* rows, double* out,
                    int64_t n_features) {
  gpp_forest* none = NULL;
  CHECK(gpp_forest_load("no such file", &none), GPP_ERROR_MISSING_FILE);
  CHECK(gpp_forest_load(__FILE__, &none), GPP_ERROR_FOREST_FORMAT);
  CHECK(gpp_forest_load(NULL, &none), GPP_ERROR_RANGE);
  CHECK(gpp_forest_load("x", NULL), GPP_ERROR_RANGE);
  CHECK(gpp_forest_info(NULL, NULL, NULL, NULL), GPP_ERROR_RANGE);
  CHECK(gpp_workspace_new(NULL, &work), GPP_ERROR_RANGE);
  CHECK(gpp_workspace_new(forest, NULL), GPP_ERROR_RANGE);
  CHECK(gpp_isa(NULL), GPP_ERROR_RANGE);
  CHECK(gpp_forest_predict_f64(NULL, work, rows, 1, n_features, 0, out), GPP_ERROR_RANGE);
  CHECK(gpp_forest_predict_f64(forest, NULL, rows, 1, n_features, 0, out), GPP_ERROR_RANGE);
  CHECK(gpp_forest_predict_f64(forest, work, NULL, 1, n_features, 0, out), GPP_ERROR_RANGE);
  CHECK(gpp_forest_predict_f64(forest, work, rows, 1, n_features, 0, NULL), GPP_ERROR_RANGE);
  CHECK(gpp_forest_predict_f64(forest, work, rows, -1, n_features, 0, out), GPP_ERROR_RANGE);
  CHECK(gpp_forest_predict_f64(forest, work, rows, 1, n_features + 1, 0, out), GPP_ERROR_SHAPE);
  CHECK(gpp_forest_apply_f64(forest, work, rows, 1, n_features + 1, (int32_t*)out), GPP_ERROR_SHAPE);
  CHECK(gpp_forest_predict_columns_f64(forest, work, NULL, NULL, 1, 0, out), GPP_ERROR_RANGE);
  CHECK(gpp_forest_predict_f64(forest, work, NULL, 0, n_features, 0, NULL), GPP_OK);
  gpp_forest_free(none);
  gpp_workspace_free(NULL);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 5 || gpp_abi_version() != GPPCORE_ABI_VERSION) return 2;
  const int64_t n = atoll(argv[3]);
  gpp_forest* forest = NULL;
  gpp_workspace* work = NULL;
  int64_t n_features = 0, n_outputs = 0, n_trees = 0;
  CHECK(gpp_forest_load(argv[1], &forest), GPP_OK);
  CHECK(gpp_forest_info(forest, &n_features, &n_outputs, &n_trees), GPP_OK);
  CHECK(gpp_workspace_new(forest, &work), GPP_OK);
  const char* isa = NULL;
  CHECK(gpp_isa(&isa), GPP_OK);
  printf("%lld features, %lld outputs, %lld trees\n", (long long)n_features, (long long)n_outputs, (long long)n_trees);

  const size_t size = (size_t)(n * n_features), n_values = (size_t)(n * n_outputs), n_leaves = (size_t)(n * n_trees);
  double *rows = malloc(size * sizeof *rows), *out = malloc(n_values * sizeof *out);
  float *rows32 = malloc(size * sizeof *rows32), *out32 = malloc(n_values * sizeof *out32);
  int32_t* leaves = malloc(n_leaves * sizeof *leaves);
  const double** columns = malloc((size_t)n_features * sizeof *columns);
  const float** columns32 = malloc((size_t)n_features * sizeof *columns32);
  int64_t* strides = malloc((size_t)n_features * sizeof *strides);
  FILE* in = fopen(argv[2], "rb");
  if (!in || fread(rows, sizeof *rows, size, in) != size) return 2;
  fclose(in);
  for (size_t i = 0; i < size; ++i) rows32[i] = (float)rows[i];
  for (int64_t f = 0; f < n_features; ++f) {
    columns[f] = rows + f;
    columns32[f] = rows32 + f;
    strides[f] = n_features;
  }

  FILE* to = fopen(argv[4], "wb");
  if (!to) return 2;
  CHECK(gpp_forest_predict_f64(forest, work, rows, n, n_features, 0, out), GPP_OK);
  fwrite(out, sizeof *out, n_values, to);
  CHECK(gpp_forest_predict_columns_f64(forest, work, columns, strides, n, 0, out), GPP_OK);
  fwrite(out, sizeof *out, n_values, to);
  CHECK(gpp_forest_predict_f64(forest, work, rows, n, n_features, 1, out), GPP_OK);
  fwrite(out, sizeof *out, n_values, to);
  CHECK(gpp_forest_predict_f32(forest, work, rows32, n, n_features, 0, out32), GPP_OK);
  fwrite(out32, sizeof *out32, n_values, to);
  CHECK(gpp_forest_predict_columns_f32(forest, work, columns32, strides, n, 0, out32), GPP_OK);
  fwrite(out32, sizeof *out32, n_values, to);
  CHECK(gpp_forest_apply_f64(forest, work, rows, n, n_features, leaves), GPP_OK);
  fwrite(leaves, sizeof *leaves, n_leaves, to);
  CHECK(gpp_forest_apply_f32(forest, work, rows32, n, n_features, leaves), GPP_OK);
  fwrite(leaves, sizeof *leaves, n_leaves, to);
  if (fclose(to) != 0) return 2;
  const int failed = refusals(forest, work, rows, out, n_features);
  gpp_workspace_free(work);
  gpp_forest_free(forest);
  free(rows);
  free(rows32);
  free(out);
  free(out32);
  free(leaves);
  free(columns);
  free(columns32);
  free(strides);
  return failed;
}
