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

static int refusals(const gpp_forest* forest, const double* rows, double* out, int64_t n_features) {
  gpp_forest* none = NULL;
  CHECK(gpp_forest_load("no such file", &none), GPP_ERROR_MISSING_FILE);
  CHECK(gpp_forest_load(__FILE__, &none), GPP_ERROR_FOREST_FORMAT);
  CHECK(gpp_forest_load(NULL, &none), GPP_ERROR_RANGE);
  CHECK(gpp_forest_load("x", NULL), GPP_ERROR_RANGE);
  CHECK(gpp_forest_info(NULL, NULL, NULL), GPP_ERROR_RANGE);
  CHECK(gpp_isa(NULL), GPP_ERROR_RANGE);
  CHECK(gpp_forest_predict_f64(NULL, rows, 1, n_features, out), GPP_ERROR_RANGE);
  CHECK(gpp_forest_predict_f64(forest, NULL, 1, n_features, out), GPP_ERROR_RANGE);
  CHECK(gpp_forest_predict_f64(forest, rows, 1, n_features, NULL), GPP_ERROR_RANGE);
  CHECK(gpp_forest_predict_f64(forest, rows, -1, n_features, out), GPP_ERROR_RANGE);
  CHECK(gpp_forest_predict_f64(forest, rows, 1, n_features + 1, out), GPP_ERROR_SHAPE);
  CHECK(gpp_forest_predict_columns_f64(forest, NULL, NULL, 1, out), GPP_ERROR_RANGE);
  CHECK(gpp_forest_predict_f64(forest, NULL, 0, n_features, NULL), GPP_OK);
  gpp_forest_free(none);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 5 || gpp_abi_version() != GPPCORE_ABI_VERSION) return 2;
  const int64_t n = atoll(argv[3]);
  gpp_forest* forest = NULL;
  int64_t n_features = 0, n_trees = 0;
  CHECK(gpp_forest_load(argv[1], &forest), GPP_OK);
  CHECK(gpp_forest_info(forest, &n_features, &n_trees), GPP_OK);
  const char* isa = NULL;
  CHECK(gpp_isa(&isa), GPP_OK);
  printf("%lld features, %lld trees\n", (long long)n_features, (long long)n_trees);

  const size_t size = (size_t)(n * n_features);
  double *rows = malloc(size * sizeof *rows), *out = malloc((size_t)n * sizeof *out);
  float *rows32 = malloc(size * sizeof *rows32), *out32 = malloc((size_t)n * sizeof *out32);
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
  CHECK(gpp_forest_predict_f64(forest, rows, n, n_features, out), GPP_OK);
  fwrite(out, sizeof *out, (size_t)n, to);
  CHECK(gpp_forest_predict_columns_f64(forest, columns, strides, n, out), GPP_OK);
  fwrite(out, sizeof *out, (size_t)n, to);
  CHECK(gpp_forest_predict_f32(forest, rows32, n, n_features, out32), GPP_OK);
  fwrite(out32, sizeof *out32, (size_t)n, to);
  CHECK(gpp_forest_predict_columns_f32(forest, columns32, strides, n, out32), GPP_OK);
  fwrite(out32, sizeof *out32, (size_t)n, to);
  if (fclose(to) != 0) return 2;
  const int failed = refusals(forest, rows, out, n_features);
  gpp_forest_free(forest);
  free(rows);
  free(rows32);
  free(out);
  free(out32);
  free(columns);
  free(columns32);
  free(strides);
  return failed;
}
