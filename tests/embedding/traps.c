/* Runs every kernel with the floating-point environment of a host that is being debugged: traps on, another rounding
 * mode, denormals flushed. No trap may fire, no flag may be left, and the bits must be those of the default
 * environment. Arguments: forest file, model folder. Prints the number of calls and a digest of all results. */
#define _GNU_SOURCE
#ifdef NO_TRAPS
#define feenableexcept host_feenableexcept
#define fedisableexcept host_fedisableexcept
#define fegetexcept host_fegetexcept
#endif
#include <fenv.h>
#ifdef NO_TRAPS
#undef feenableexcept
#undef fedisableexcept
#undef fegetexcept
#endif
#include <gppcore/gppcore.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

/* Traps of the host. ARM processors may have none: there the environment is one without. */
#ifdef NO_TRAPS
enum { TRAPS = 0 };
static int feenableexcept(int traps) { return traps & 0; }
static int fedisableexcept(int traps) { return traps & 0; }
static int fegetexcept(void) { return 0; }
#else
enum { TRAPS = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW };
#endif

enum { N = 5000, MOST = 32, FINE = 48 * 96 };

static double in64[MOST][N], out64[40 * N], first64[40 * N];
static float in32[MOST][N], out32[40 * N], first32[40 * N];
static gpp_forest* forest;
static gpp_model* model;
static gpp_workspace *of_forest, *of_model;
static gpp_regrid_plan* plan;
static int64_t n_features, n_predictors;
static gpp_pft_parameters pft;
static const char* what = "";

static void trapped(int signal) {
  static const char text[] = "a trap fired in ";
  (void)signal;
  if (write(2, text, sizeof text - 1) < 0 || write(2, what, strlen(what)) < 0) _exit(4);
  _exit(3);
}

/* Values of all kinds: usual ones, NaN, infinity, zero, denormals, and the largest. */
static void fill(int kind) {
  srand(7);
  for (int f = 0; f < MOST; ++f)
    for (int i = 0; i < N; ++i) {
      double x = rand() / (double)RAND_MAX * 4.0 - 1.0, y = x;
      if (kind == 1 && rand() % 5 == 0) x = y = NAN;
      if (kind == 2 && rand() % 5 == 0) x = y = rand() % 2 ? INFINITY : -INFINITY;
      if (kind == 3) x = rand() % 2 ? 1e-310 : 1e300, y = rand() % 2 ? 1e-40 : 1e38;
      in64[f][i] = x;
      in32[f][i] = (float)y;
    }
}

static void weather(int kind) {
  static const double low[12] = {0, -20, 0, 0, -0.5, 300, 0, 0.3, 0, 0, 1, 0};
  static const double high[12] = {1000, 45, 6000, 15, 1, 800, 8, 1, 1, 150, 12, 1};
  srand(11);
  for (int f = 0; f < 12; ++f)
    for (int i = 0; i < N; ++i) {
      double x = low[f] + (high[f] - low[f]) * (rand() / (double)RAND_MAX), y;
      if (kind == 1 && rand() % 10 == 0) x = NAN;
      if (kind == 2 && rand() % 3 == 0 && low[f] >= 0 && f != 5 && f != 7) x = 0.0;
      y = x;
      if (kind == 3 && rand() % 3 == 0 && (f == 6 || f == 0 || f == 2)) x = 1e-310, y = 1e-40;
      in64[f][i] = x;
      in32[f][i] = (float)y;
    }
}

static gpp_status forest64(int64_t n) {
  const double* columns[MOST];
  int64_t strides[MOST];
  for (int f = 0; f < MOST; ++f) columns[f] = in64[f], strides[f] = 1;
  return gpp_forest_predict_columns_f64(forest, of_forest, columns, strides, n, 0, out64);
}
static gpp_status forest32(int64_t n) {
  const float* columns[MOST];
  int64_t strides[MOST];
  for (int f = 0; f < MOST; ++f) columns[f] = in32[f], strides[f] = 1;
  return gpp_forest_predict_columns_f32(forest, of_forest, columns, strides, n, 0, out32);
}
static gpp_status model64(int64_t n) {
  const double* columns[MOST];
  int64_t strides[MOST];
  for (int f = 0; f < MOST; ++f) columns[f] = in64[f], strides[f] = 1;
  return gpp_model_predict_columns_f64(model, of_model, columns, strides, n, out64, out64 + N, out64 + 2 * N);
}
static gpp_status model32(int64_t n) {
  const float* columns[MOST];
  int64_t strides[MOST];
  for (int f = 0; f < MOST; ++f) columns[f] = in32[f], strides[f] = 1;
  return gpp_model_predict_columns_f32(model, of_model, columns, strides, n, out32, out32 + N, out32 + 2 * N);
}
static gpp_status load(int64_t n) {
  gpp_model* again = NULL;
  gpp_status status =
      n == 1 ? gpp_model_load("nowhere", &again) == GPP_ERROR_MISSING_FILE ? GPP_OK : GPP_ERROR_KERNEL : GPP_OK;
  gpp_model_free(again);
  return status;
}

static gpp_status two_leaf64(int64_t n, int mode) {
  const double* in[GPP_TWO_LEAF_INPUTS];
  double* out[GPP_TWO_LEAF_OUTPUTS];
  int64_t strides[GPP_TWO_LEAF_INPUTS];
  const gpp_two_leaf_options options = {sizeof options, mode, 0, 0, 1};
  for (int f = 0; f < GPP_TWO_LEAF_INPUTS; ++f) in[f] = in64[f], strides[f] = 1;
  for (int f = 0; f < GPP_TWO_LEAF_OUTPUTS; ++f) out[f] = out64 + (f < 2 ? f : 2 + 4 * (f - 2)) * n;
  return gpp_two_leaf_f64(&pft, &options, in, strides, n, out);
}
static gpp_status default64(int64_t n) { return two_leaf64(n, GPP_MODE_DEFAULT); }
static gpp_status beps64(int64_t n) { return two_leaf64(n, GPP_MODE_BEPS); }
static gpp_status default32(int64_t n) {
  const float* in[GPP_TWO_LEAF_INPUTS];
  float* out[GPP_TWO_LEAF_OUTPUTS];
  int64_t strides[GPP_TWO_LEAF_INPUTS];
  const gpp_two_leaf_options options = {sizeof options, GPP_MODE_DEFAULT, 1, 1, 1};
  for (int f = 0; f < GPP_TWO_LEAF_INPUTS; ++f) in[f] = in32[f], strides[f] = 1;
  for (int f = 0; f < GPP_TWO_LEAF_OUTPUTS; ++f) out[f] = out32 + (f < 2 ? f : 2 + 4 * (f - 2)) * n;
  return gpp_two_leaf_f32(&pft, &options, in, strides, n, out);
}
static gpp_status leaf64(int64_t n) {
  /* vcmax25, ppfd, tair, humidity, boundary conductance, ca, g1, stress, g0 among the weather columns, or constants */
  static const double conductance = 1.0, g0 = 0.01;
  const double* in[GPP_LEAF_INPUTS] = {in64[9], in64[0],  in64[1], in64[11], &conductance,
                                       in64[5], in64[10], in64[8], &g0,      NULL};
  const int64_t strides[GPP_LEAF_INPUTS] = {1, 1, 1, 1, 0, 1, 1, 1, 0, 0};
  double* out[GPP_LEAF_OUTPUTS] = {out64, out64 + n, out64 + 2 * n, out64 + 3 * n};
  return gpp_leaf_f64(NULL, in, strides, n, out);
}

/* Regridding takes the first FINE values of a column as a field of 48 x 96, nested in one of 12 x 24. */
static gpp_status regrid64(int64_t n) {
  (void)n;
  gpp_status status = gpp_aggregate_f64(plan, in64[0], 0.3, out64, out64 + 288);
  double* to = out64 + 576;
  for (int method = 0; method < 4 && status == GPP_OK; ++method, to += FINE)
    status = gpp_downscale_f64(plan, method, out64, in64[2], to);
  return status;
}
static gpp_status regrid32(int64_t n) {
  (void)n;
  gpp_status status = gpp_aggregate_f32(plan, in32[0], 0.3, out32, out32 + 288);
  float* to = out32 + 576;
  for (int method = 0; method < 4 && status == GPP_OK; ++method, to += FINE)
    status = gpp_downscale_f32(plan, method, out32, in32[2], to);
  return status;
}

static void flush_denormals(int on) {
#if defined(__SSE__)
  _mm_setcsr((_mm_getcsr() & ~0x8040u) | (on ? 0x8040u : 0u));
#else
  (void)on;
#endif
}

static void require(int good, const char* fault) {
  if (good) return;
  fprintf(stderr, "%s: %s\n", what, fault);
  exit(1);
}

static long calls = 0;
static uint64_t digest = 1469598103934665603u;

static void digest_of(const void* bytes, size_t size) {
  for (size_t i = 0; i < size; ++i) digest = (digest ^ ((const unsigned char*)bytes)[i]) * 1099511628211u;
}

static void run(const char* name, gpp_status (*call)(int64_t), int64_t n) {
  static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST};
  what = name;
  memset(out64, 0, sizeof out64);
  memset(out32, 0, sizeof out32);
  require(call(n) == GPP_OK, gpp_last_error());
  memcpy(first64, out64, sizeof out64);
  memcpy(first32, out32, sizeof out32);
  digest_of(out64, sizeof out64);
  digest_of(out32, sizeof out32);
  for (int k = 0; k < 4; ++k) {
    memset(out64, 0, sizeof out64);
    memset(out32, 0, sizeof out32);
    feclearexcept(FE_ALL_EXCEPT);
    fesetround(modes[k]);
    flush_denormals(1);
    feenableexcept(TRAPS);
    const gpp_status status = call(n);
    const int traps = fegetexcept(), flags = fetestexcept(FE_ALL_EXCEPT), mode = fegetround();
    fedisableexcept(FE_ALL_EXCEPT);
    flush_denormals(0);
    fesetround(FE_TONEAREST);
    ++calls;
    require(status == GPP_OK, gpp_last_error());
    require(traps == TRAPS, "the traps of the host were not given back");
    require(flags == 0, "a flag was left");
    require(mode == modes[k], "the rounding mode of the host was not given back");
    require(memcmp(first64, out64, sizeof out64) == 0 && memcmp(first32, out32, sizeof out32) == 0,
            "the bits depend on the environment of the host");
  }
}

int main(int argc, char** argv) {
  static const int64_t rows[] = {1, 2, 15, 16, 17, 100, 2047, 2048, 2049, 5000};
  if (argc != 3) return 2;
  signal(SIGFPE, trapped);
  feenableexcept(TRAPS);
  what = "loading";
  double edges[49], area[48];
  for (int i = 0; i < 49; ++i) edges[i] = 90.0 - 3.75 * i;
  gpp_status status = gpp_forest_load(argv[1], &forest);
  if (status == GPP_OK) status = gpp_model_load(argv[2], &model);
  if (status == GPP_OK) status = gpp_workspace_new(forest, &of_forest);
  if (status == GPP_OK) status = gpp_model_workspace_new(model, &of_model);
  if (status == GPP_OK) status = gpp_forest_info(forest, &n_features, NULL, NULL);
  if (status == GPP_OK) status = gpp_model_info(model, &n_predictors, NULL, NULL, NULL);
  if (status == GPP_OK) status = gpp_row_area(edges, 48, area);
  if (status == GPP_OK) status = gpp_regrid_plan_new(12, 24, 4, area, 1, 2, &plan);
  pft.size = sizeof pft;
  if (status == GPP_OK) status = gpp_pft("dbf", &pft);
  fedisableexcept(FE_ALL_EXCEPT);
  require(status == GPP_OK, gpp_last_error());
  require(n_features <= MOST && n_predictors <= MOST, "too many columns");

  for (size_t k = 0; k < sizeof rows / sizeof *rows; ++k)
    for (int kind = 0; kind < 4; ++kind) {
      fill(kind);
      run("forest f64", forest64, rows[k]);
      run("forest f32", forest32, rows[k]);
      run("model f64", model64, rows[k]);
      run("model f32", model32, rows[k]);
      run("load", load, rows[k]);
      weather(kind);
      run("two-leaf f64", default64, rows[k]);
      run("two-leaf f32", default32, rows[k]);
      run("two-leaf beps", beps64, rows[k]);
      run("leaf f64", leaf64, rows[k]);
      if (k == 0) run("regrid f64", regrid64, 0);
      if (k == 0) run("regrid f32", regrid32, 0);
    }
  printf("%ld calls, digest %016llx\n", calls, (unsigned long long)digest);
  gpp_regrid_plan_free(plan);
  gpp_workspace_free(of_forest);
  gpp_workspace_free(of_model);
  gpp_model_free(model);
  gpp_forest_free(forest);
  return 0;
}
