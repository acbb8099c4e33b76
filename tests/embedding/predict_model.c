/* Predicts with a transfer model through the C interface, and writes the bits of GPP, low and high.
 * Arguments: model folder, file of float64 columns, number of rows, output file. */
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

/* The program's malloc stands before that of the C library, for libgppcore too. */
static volatile long n_allocations;
extern void* __libc_malloc(size_t);
extern void* __libc_memalign(size_t, size_t);
void* malloc(size_t size) {
  ++n_allocations;
  return __libc_malloc(size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  ++n_allocations;
  return __libc_memalign(alignment, size);
}

static int refusals(const gpp_model* model, gpp_workspace* work, const double* const* columns, const int64_t* strides,
                    double* out) {
  gpp_model* none = NULL;
  gpp_workspace* nothing = NULL;
  const char* name = NULL;
  CHECK(gpp_model_load("no such folder", &none), GPP_ERROR_MISSING_FILE);
  CHECK(gpp_model_load(NULL, &none), GPP_ERROR_RANGE);
  CHECK(gpp_model_load("x", NULL), GPP_ERROR_RANGE);
  CHECK(gpp_model_info(NULL, NULL, NULL, NULL, NULL), GPP_ERROR_RANGE);
  CHECK(gpp_model_info(model, NULL, NULL, NULL, NULL), GPP_OK);
  CHECK(gpp_model_predictor(model, -1, &name), GPP_ERROR_RANGE);
  CHECK(gpp_model_predictor(model, 1000, &name), GPP_ERROR_RANGE);
  CHECK(gpp_model_predictor(model, 0, NULL), GPP_ERROR_RANGE);
  CHECK(gpp_model_workspace_new(NULL, &nothing), GPP_ERROR_RANGE);
  CHECK(gpp_model_workspace_new(model, NULL), GPP_ERROR_RANGE);
  CHECK(gpp_model_predict_columns_f64(NULL, work, columns, strides, 1, out, NULL, NULL), GPP_ERROR_RANGE);
  CHECK(gpp_model_predict_columns_f64(model, NULL, columns, strides, 1, out, NULL, NULL), GPP_ERROR_RANGE);
  CHECK(gpp_model_predict_columns_f64(model, work, NULL, strides, 1, out, NULL, NULL), GPP_ERROR_RANGE);
  CHECK(gpp_model_predict_columns_f64(model, work, columns, NULL, 1, out, NULL, NULL), GPP_ERROR_RANGE);
  CHECK(gpp_model_predict_columns_f64(model, work, columns, strides, 1, NULL, NULL, NULL), GPP_ERROR_RANGE);
  CHECK(gpp_model_predict_columns_f64(model, work, columns, strides, -1, out, NULL, NULL), GPP_ERROR_RANGE);
  CHECK(gpp_model_predict_columns_f64(model, work, NULL, NULL, 0, NULL, NULL, NULL), GPP_OK);
  gpp_model_free(none);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 5 || gpp_abi_version() != GPPCORE_ABI_VERSION) return 2;
  const int64_t n = atoll(argv[3]);
  gpp_model* model = NULL;
  gpp_workspace* work = NULL;
  int64_t n_predictors = 0, n_sources = 0, n_members = 0;
  int has_interval = 0;
  CHECK(gpp_model_load(argv[1], &model), GPP_OK);
  CHECK(gpp_model_info(model, &n_predictors, &n_sources, &n_members, &has_interval), GPP_OK);
  CHECK(gpp_model_workspace_new(model, &work), GPP_OK);
  printf("%lld %lld %lld %d", (long long)n_predictors, (long long)n_sources, (long long)n_members, has_interval);
  for (int64_t i = 0; i < n_predictors; ++i) {
    const char* name = NULL;
    CHECK(gpp_model_predictor(model, i, &name), GPP_OK);
    printf(" %s", name);
  }

  const size_t size = (size_t)(n * n_predictors), n_out = 3 * (size_t)n;
  double *values = malloc(size * sizeof *values), *out = malloc(n_out * sizeof *out);
  float *values32 = malloc(size * sizeof *values32), *out32 = malloc(n_out * sizeof *out32);
  const double** columns = malloc((size_t)n_predictors * sizeof *columns);
  const float** columns32 = malloc((size_t)n_predictors * sizeof *columns32);
  int64_t* strides = malloc((size_t)n_predictors * sizeof *strides);
  FILE* in = fopen(argv[2], "rb");
  if (!in || fread(values, sizeof *values, size, in) != size) return 2;
  fclose(in);
  for (size_t i = 0; i < size; ++i) values32[i] = (float)values[i];
  for (int64_t f = 0; f < n_predictors; ++f) {
    columns[f] = values + f * n;
    columns32[f] = values32 + f * n;
    strides[f] = 1;
  }

  FILE* to = fopen(argv[4], "wb");
  if (!to) return 2;
  const long before = n_allocations;
  CHECK(gpp_model_predict_columns_f64(model, work, columns, strides, n, out, out + n, out + 2 * n), GPP_OK);
  CHECK(gpp_model_predict_columns_f32(model, work, columns32, strides, n, out32, out32 + n, out32 + 2 * n), GPP_OK);
  printf(" %ld allocations\n", n_allocations - before);
  fwrite(out, sizeof *out, n_out, to);
  fwrite(out32, sizeof *out32, n_out, to);
  CHECK(gpp_model_predict_columns_f64(model, work, columns, strides, n, out, NULL, NULL), GPP_OK);
  fwrite(out, sizeof *out, (size_t)n, to);
  if (fclose(to) != 0) return 2;
  const int failed = refusals(model, work, columns, strides, out);
  gpp_workspace_free(work);
  gpp_model_free(model);
  free(values);
  free(values32);
  free(out);
  free(out32);
  free(columns);
  free(columns32);
  free(strides);
  return failed || n_allocations == before; /* the counter sees what the library allocates for its messages */
}
