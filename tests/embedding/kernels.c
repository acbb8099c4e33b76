/* Runs the two-leaf model, single leaves and regridding, and writes the bits.
 * Arguments: file of float64 inputs (12 columns of n hours), n, output file. */
#include <gppcore/gppcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(call, expected)                                                                      \
  do {                                                                                             \
    const gpp_status status = (call);                                                              \
    if (status != (expected)) {                                                                    \
      fprintf(stderr, "%s: expected %d, got %d: %s\n", #call, expected, status, gpp_last_error()); \
      return 1;                                                                                    \
    }                                                                                              \
  } while (0)

static int refusals(const gpp_pft_parameters* pft, const double* const* in, const int64_t* strides,
                    double* const* out) {
  gpp_pft_parameters old = *pft;
  gpp_two_leaf_options options = {sizeof options, GPP_MODE_BEPS, 1, 0, 1};
  const double kelvin[2] = {21.0, 295.0};
  const double* other[GPP_TWO_LEAF_INPUTS];
  int64_t steps[GPP_TWO_LEAF_INPUTS];
  memcpy(other, in, sizeof other);
  memcpy(steps, strides, sizeof steps);
  CHECK(gpp_pft("oak", &old), GPP_ERROR_RANGE);
  old.size = 8;
  CHECK(gpp_pft("dbf", &old), GPP_ERROR_SHAPE);
  CHECK(gpp_two_leaf_f64(&old, NULL, in, strides, 1, out), GPP_ERROR_SHAPE);
  CHECK(gpp_two_leaf_f64(pft, &options, in, strides, 1, out), GPP_ERROR_RANGE);
  options = (gpp_two_leaf_options){sizeof options, 2, 0, 0, 1};
  CHECK(gpp_two_leaf_f64(pft, &options, in, strides, 1, out), GPP_ERROR_RANGE);
  options = (gpp_two_leaf_options){sizeof options, 0, 0, 0, -1};
  CHECK(gpp_two_leaf_f64(pft, &options, in, strides, 1, out), GPP_ERROR_RANGE);
  CHECK(gpp_two_leaf_f64(pft, NULL, in, strides, -1, out), GPP_ERROR_RANGE);
  other[GPP_TAIR] = kelvin;
  steps[GPP_TAIR] = 1;
  CHECK(gpp_two_leaf_f64(pft, NULL, other, steps, 2, out), GPP_ERROR_RANGE);
  printf("%s\n", gpp_last_error());
  other[GPP_TAIR] = NULL;
  CHECK(gpp_two_leaf_f64(pft, NULL, other, steps, 2, out), GPP_ERROR_RANGE);
  gpp_regrid_plan* plan = NULL;
  CHECK(gpp_regrid_plan_new(0, 1, 1, NULL, 0, 1, &plan), GPP_ERROR_SHAPE);
  CHECK(gpp_regrid_plan_new(INT64_MAX, 4, 2, NULL, 0, 1, &plan), GPP_ERROR_SHAPE);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int64_t n = atoll(argv[2]);
  double* values = malloc((size_t)n * GPP_TWO_LEAF_INPUTS * sizeof *values);
  float* values32 = malloc((size_t)n * GPP_TWO_LEAF_INPUTS * sizeof *values32);
  double* results = malloc((size_t)n * 22 * sizeof *results);
  float* results32 = malloc((size_t)n * 22 * sizeof *results32);
  FILE* from = fopen(argv[1], "rb");
  FILE* to = fopen(argv[3], "wb");
  if (!from || !to || fread(values, sizeof *values, (size_t)n * GPP_TWO_LEAF_INPUTS, from) == 0) return 2;
  for (int64_t i = 0; i < n * GPP_TWO_LEAF_INPUTS; ++i) values32[i] = (float)values[i];

  gpp_pft_parameters pft = {sizeof pft, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK(gpp_pft("dbf", &pft), GPP_OK);
  const double* in[GPP_TWO_LEAF_INPUTS];
  const float* in32[GPP_TWO_LEAF_INPUTS];
  int64_t strides[GPP_TWO_LEAF_INPUTS];
  double* out[GPP_TWO_LEAF_OUTPUTS];
  float* out32[GPP_TWO_LEAF_OUTPUTS];
  for (int j = 0; j < GPP_TWO_LEAF_INPUTS; ++j) {
    in[j] = values + j * n;
    in32[j] = values32 + j * n;
    strides[j] = 1;
  }
  for (int j = 0; j < GPP_TWO_LEAF_OUTPUTS; ++j) {
    out[j] = results + (j < 2 ? j : 2 + 4 * (j - 2)) * n;
    out32[j] = results32 + (j < 2 ? j : 2 + 4 * (j - 2)) * n;
  }
  if (refusals(&pft, in, strides, out)) return 1;
  gpp_two_leaf_options options = {sizeof options, GPP_MODE_DEFAULT, 0, 0, 1};
  CHECK(gpp_two_leaf_f64(&pft, &options, in, strides, n, out), GPP_OK);
  fwrite(results, sizeof *results, (size_t)n * 22, to);
  options.mode = GPP_MODE_BEPS;
  CHECK(gpp_two_leaf_f64(&pft, &options, in, strides, n, out), GPP_OK);
  fwrite(results, sizeof *results, (size_t)n * 22, to);
  CHECK(gpp_two_leaf_f32(&pft, &options, in32, strides, n, out32), GPP_ERROR_DTYPE);
  options.mode = GPP_MODE_DEFAULT;
  CHECK(gpp_two_leaf_f32(&pft, &options, in32, strides, n, out32), GPP_OK);
  fwrite(results32, sizeof *results32, (size_t)n * 22, to);
  /* What the type gives, one value for all hours, every other hour, and no outputs by class. */
  const double ca = 410.0;
  in[GPP_WIND] = in[GPP_CLUMPING] = in[GPP_SOIL_WATER_STRESS] = in[GPP_VCMAX25] = in[GPP_G1] = NULL;
  in[GPP_DIFFUSE_FRACTION] = NULL;
  in[GPP_CA] = &ca;
  for (int j = 0; j < GPP_TWO_LEAF_INPUTS; ++j) strides[j] = 2;
  strides[GPP_CA] = 0;
  for (int j = 2; j < GPP_TWO_LEAF_OUTPUTS; ++j) out[j] = NULL;
  out[1] = results + n / 2;
  CHECK(gpp_two_leaf_f64(&pft, NULL, in, strides, n / 2, out), GPP_OK);
  fwrite(results, sizeof *results, (size_t)n / 2 * 2, to);

  const double g0 = 0.01, conductance = 1.0;
  const double* leaf[GPP_LEAF_INPUTS] = {
      values + 9 * n, values, values + n, values + 11 * n, &conductance, values + 5 * n, values + 10 * n,
      values + 8 * n, &g0,    NULL};
  const int64_t steps[GPP_LEAF_INPUTS] = {1, 1, 1, 1, 0, 1, 1, 1, 0, 0};
  double* exchange[GPP_LEAF_OUTPUTS] = {results, results + n, results + 2 * n, results + 3 * n};
  CHECK(gpp_leaf_f64(NULL, leaf, steps, n, exchange), GPP_OK);
  fwrite(results, sizeof *results, (size_t)n * 4, to);

  /* A field of 12 x 24 out of the first inputs, on a grid that spans the globe. */
  double edges[13], area[12], coarse[18], fraction[18], fine[288];
  for (int i = 0; i < 13; ++i) edges[i] = 90.0 - 15.0 * i;
  CHECK(gpp_row_area(edges, 12, area), GPP_OK);
  fwrite(area, sizeof *area, 12, to);
  gpp_regrid_plan* plan = NULL;
  CHECK(gpp_regrid_plan_new(3, 6, 4, area, 1, 2, &plan), GPP_OK);
  CHECK(gpp_aggregate_f64(plan, values, 0.5, coarse, fraction), GPP_OK);
  fwrite(coarse, sizeof *coarse, 18, to);
  fwrite(fraction, sizeof *fraction, 18, to);
  for (int method = 0; method < 4; ++method) {
    CHECK(gpp_downscale_f64(plan, method, coarse, values + 2 * n, fine), GPP_OK);
    fwrite(fine, sizeof *fine, 288, to);
  }
  CHECK(gpp_downscale_f64(plan, 4, coarse, NULL, fine), GPP_ERROR_RANGE);
  CHECK(gpp_downscale_f64(plan, GPP_DOWNSCALE_COVARIATE, coarse, NULL, fine), GPP_ERROR_RANGE);
  gpp_regrid_plan_free(plan);
  fclose(from);
  return fclose(to);
}
