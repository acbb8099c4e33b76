/* What a host can get wrong: one workspace in two threads, missing values, implausible values, damaged buffers.
 * Arguments: forest file, model folder, zip of the model, file of float64 columns, number of rows. */
#include <gppcore/gppcore.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(call, expected)                                                                      \
  do {                                                                                             \
    const gpp_status status = (call);                                                              \
    if (status != (expected)) {                                                                    \
      fprintf(stderr, "%s: expected %d, got %d: %s\n", #call, expected, status, gpp_last_error()); \
      exit(1);                                                                                     \
    }                                                                                              \
  } while (0)
#define REQUIRE(condition)                                        \
  do {                                                            \
    if (!(condition)) {                                           \
      fprintf(stderr, "line %d: not %s\n", __LINE__, #condition); \
      exit(1);                                                    \
    }                                                             \
  } while (0)

enum { PREDICTORS = 6, THREADS = 4 };

static gpp_model* model;
static gpp_workspace* shared;
static int64_t n;
static double *values, *wanted;
static const double* columns[PREDICTORS];
static int64_t strides[PREDICTORS];
static long busy, wrong;

static void* predict(void* unused) {
  double* gpp = malloc((size_t)n * sizeof *gpp);
  for (int k = 0; k < 50; ++k) {
    const gpp_status status = gpp_model_predict_columns_f64(model, shared, columns, strides, n, gpp, NULL, NULL);
    if (status == GPP_ERROR_BUSY) {
      __sync_fetch_and_add(&busy, 1);
    } else if (status != GPP_OK || memcmp(gpp, wanted, (size_t)n * sizeof *gpp) != 0) {
      __sync_fetch_and_add(&wrong, 1);
    }
  }
  free(gpp);
  return unused;
}

static char* read_file(const char* path, int64_t* size) {
  FILE* file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) exit(2);
  *size = ftell(file);
  rewind(file);
  char* bytes = malloc((size_t)*size + 1);
  if (fread(bytes, 1, (size_t)*size, file) != (size_t)*size) exit(2);
  fclose(file);
  return bytes;
}

static void buffers(const char* forest_file, const char* zip) {
  int64_t size = 0, n_trees[2];
  double out[2][2];
  gpp_forest* forests[2] = {NULL, NULL};
  char* bytes = read_file(forest_file, &size);
  CHECK(gpp_forest_load(forest_file, &forests[0]), GPP_OK);
  memmove(bytes + 1, bytes, (size_t)size); /* not aligned, as in a message */
  CHECK(gpp_forest_load_buffer(bytes + 1, size, &forests[1]), GPP_OK);
  gpp_forest* none = NULL;
  CHECK(gpp_forest_load_buffer(bytes + 1, size - 1, &none), GPP_ERROR_FOREST_FORMAT);
  CHECK(gpp_forest_load_buffer(bytes, 0, &none), GPP_ERROR_FOREST_FORMAT);
  free(bytes);
  for (int k = 0; k < 2; ++k) {
    gpp_workspace* own = NULL;
    const char* name = NULL;
    CHECK(gpp_workspace_new(forests[k], &own), GPP_OK);
    CHECK(gpp_forest_info(forests[k], NULL, NULL, &n_trees[k]), GPP_OK);
    CHECK(gpp_forest_feature(forests[k], 0, &name), GPP_OK);
    CHECK(gpp_forest_feature(forests[k], PREDICTORS, &name), GPP_ERROR_RANGE);
    CHECK(gpp_forest_predict_columns_f64(forests[k], own, columns, strides, 2, 0, out[k]), GPP_OK);
    gpp_workspace_free(own);
    gpp_forest_free(forests[k]);
  }
  REQUIRE(n_trees[0] == n_trees[1] && memcmp(out[0], out[1], sizeof out[0]) == 0);

  gpp_model* packed = NULL;
  bytes = read_file(zip, &size);
  CHECK(gpp_model_load_buffer(bytes, size, &packed), GPP_OK);
  gpp_workspace* own = NULL;
  double* gpp = malloc((size_t)n * sizeof *gpp);
  CHECK(gpp_model_workspace_new(packed, &own), GPP_OK);
  CHECK(gpp_model_predict_columns_f64(packed, own, columns, strides, n, gpp, NULL, NULL), GPP_OK);
  REQUIRE(memcmp(gpp, wanted, (size_t)n * sizeof *gpp) == 0);
  gpp_model_free(packed);
  CHECK(gpp_model_load(zip, &packed), GPP_OK);
  gpp_model_free(packed);
  long refused = 0;
  for (int64_t i = 0; i < size; i += 7) { /* one damaged byte at a time */
    bytes[i] = (char)(bytes[i] ^ 0x10);
    packed = NULL;
    const gpp_status status = gpp_model_load_buffer(bytes, size, &packed);
    if (status == GPP_OK) {
      CHECK(gpp_model_predict_columns_f64(packed, own, columns, strides, n, gpp, NULL, NULL), GPP_OK);
      REQUIRE(memcmp(gpp, wanted, (size_t)n * sizeof *gpp) == 0); /* a byte that says nothing: a date */
    } else {
      REQUIRE(status == GPP_ERROR_FOREST_FORMAT);
      ++refused;
    }
    gpp_model_free(packed);
    bytes[i] = (char)(bytes[i] ^ 0x10);
  }
  REQUIRE(refused > size / 7 / 2);
  for (int64_t cut = 0; cut < size; cut += 97)
    CHECK(gpp_model_load_buffer(bytes, cut, &packed), GPP_ERROR_FOREST_FORMAT);
  gpp_workspace_free(own);
  free(gpp);
  free(bytes);
}

static void missing_values(const char* forest_file) {
  double *gpp = malloc((size_t)n * sizeof *gpp), *other = malloc((size_t)n * PREDICTORS * sizeof *other);
  const double* filled[PREDICTORS];
  gpp_workspace* work = NULL;
  CHECK(gpp_model_workspace_new(model, &work), GPP_OK);
  for (int64_t i = 0; i < n * PREDICTORS; ++i) other[i] = isnan(values[i]) ? -9999.0 : values[i];
  for (int f = 0; f < PREDICTORS; ++f) filled[f] = other + f * n;
  CHECK(gpp_workspace_set_missing(work, -9999.0), GPP_OK);
  CHECK(gpp_model_predict_columns_f64(model, work, filled, strides, n, gpp, NULL, NULL), GPP_OK);
  REQUIRE(memcmp(gpp, wanted, (size_t)n * sizeof *gpp) == 0);
  gpp_forest* forest = NULL;
  CHECK(gpp_forest_load(forest_file, &forest), GPP_OK);
  double *a = malloc((size_t)n * sizeof *a), *b = malloc((size_t)n * sizeof *b);
  CHECK(gpp_forest_predict_columns_f64(forest, work, filled, strides, n, 0, a), GPP_OK);
  CHECK(gpp_workspace_set_missing(work, NAN), GPP_OK);
  CHECK(gpp_forest_predict_columns_f64(forest, work, columns, strides, n, 0, b), GPP_OK);
  REQUIRE(memcmp(a, b, (size_t)n * sizeof *a) == 0);

  /* Rows of which nothing is known are missing, and only they. */
  for (int f = 0; f < PREDICTORS; ++f) other[f * n + 5] = NAN;
  for (int64_t i = 0; i < n * PREDICTORS; ++i)
    if (i % n != 5) other[i] = values[i];
  double *low = malloc((size_t)n * sizeof *low), *high = malloc((size_t)n * sizeof *high);
  CHECK(gpp_model_predict_columns_f64(model, work, filled, strides, n, gpp, low, high), GPP_OK);
  for (int64_t i = 0; i < n; ++i) {
    int known = 0;
    for (int f = 0; f < PREDICTORS; ++f) known |= !isnan(other[f * n + i]);
    REQUIRE(isnan(gpp[i]) == !known && isnan(low[i]) == !known && isnan(high[i]) == !known);
  }
  gpp_forest_free(forest);
  gpp_workspace_free(work);
  free(gpp), free(other), free(a), free(b), free(low), free(high);
}

static void implausible_values(void) {
  enum { ROWS = 200 };
  double x[PREDICTORS][ROWS];
  const double* at[PREDICTORS];
  int64_t counts[PREDICTORS][GPP_CHECKS], steps[PREDICTORS];
  const double usual[PREDICTORS] = {12.0, 900.0, 210.0, 2.0, 3.0, 0.2};
  const char *name = NULL, *unit = NULL;
  double low = 0.0, high = 0.0;
  CHECK(gpp_model_predictor(model, 0, &name), GPP_OK);
  CHECK(gpp_model_predictor_unit(model, 0, &unit, &low, &high), GPP_OK);
  REQUIRE(strcmp(name, "tair") == 0 && strcmp(unit, "degC") == 0 && low == -90.0 && high == 65.0);
  for (int f = 0; f < PREDICTORS; ++f) {
    at[f] = x[f];
    steps[f] = 1;
    for (int i = 0; i < ROWS; ++i) x[f][i] = usual[f] * (0.9 + 0.001 * i);
  }
  CHECK(gpp_model_check_f64(model, NULL, at, steps, ROWS, &counts[0][0]), GPP_OK);
  x[4][0] = NAN, x[4][1] = INFINITY, x[4][2] = 1e20, x[4][3] = -9999.0, x[4][4] = -0.5, x[4][5] = 16.0;
  CHECK(gpp_model_check_f64(model, NULL, at, steps, ROWS, &counts[0][0]), GPP_ERROR_RANGE);
  const int64_t expected[GPP_CHECKS] = {1, 1, 2, 1, 1, 0};
  REQUIRE(memcmp(counts[4], expected, sizeof expected) == 0);
  printf("%s\n", gpp_last_error());
  for (int i = 0; i < ROWS; ++i) x[4][i] = 3.0, x[0][i] += 273.15;
  CHECK(gpp_model_check_f64(model, NULL, at, steps, ROWS, NULL), GPP_ERROR_RANGE);
  printf("%s\n", gpp_last_error());
  for (int i = 0; i < ROWS; ++i) x[0][i] = 12.0, x[1][i] /= 100.0;
  CHECK(gpp_model_check_f64(model, NULL, at, steps, ROWS, &counts[0][0]), GPP_ERROR_RANGE);
  printf("%s\n", gpp_last_error());
  CHECK(gpp_model_check_f64(model, NULL, at, steps, 99, NULL), GPP_OK); /* too few to tell a unit by */
}

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  int64_t size = 0;
  n = atoll(argv[5]);
  values = (double*)read_file(argv[4], &size);
  wanted = malloc((size_t)n * sizeof *wanted);
  for (int f = 0; f < PREDICTORS; ++f) {
    columns[f] = values + f * n;
    strides[f] = 1;
  }
  CHECK(gpp_model_load(argv[2], &model), GPP_OK);
  CHECK(gpp_model_workspace_new(model, &shared), GPP_OK);
  CHECK(gpp_model_predict_columns_f64(model, shared, columns, strides, n, wanted, NULL, NULL), GPP_OK);

  pthread_t threads[THREADS];
  while (busy == 0 && wrong == 0) {
    for (int i = 0; i < THREADS; ++i) pthread_create(&threads[i], NULL, predict, NULL);
    for (int i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
  }
  REQUIRE(wrong == 0);
  CHECK(gpp_model_predict_columns_f64(model, shared, columns, strides, n, wanted, NULL, NULL), GPP_OK);
  buffers(argv[1], argv[3]);
  missing_values(argv[1]);
  implausible_values();
  gpp_workspace_free(shared);
  gpp_model_free(model);
  return 0;
}
