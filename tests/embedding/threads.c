/* One forest in many OpenMP threads, and in a forked child, without allocating memory while it predicts.
 * Arguments: forest file, file of float64 rows, number of rows, output file. */
#include <gppcore/gppcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The program's malloc stands before that of the C library, for libgppcore and libstdc++ too. */
static volatile long n_allocations;
static volatile int counting;
extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);

static void count(void) {
  if (counting) __atomic_add_fetch(&n_allocations, 1, __ATOMIC_RELAXED);
}
void* malloc(size_t size) {
  count();
  return __libc_malloc(size);
}
void* calloc(size_t n, size_t size) {
  count();
  return __libc_calloc(n, size);
}
void* realloc(void* at, size_t size) {
  count();
  return __libc_realloc(at, size);
}
void* memalign(size_t alignment, size_t size) {
  count();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

enum { kPiece = 37, kThreads = 4 };

/* Predicts in pieces that many threads share out; returns the number of calls that failed. */
static int predict(const gpp_forest* forest, gpp_workspace** work, const double* rows, int64_t n, int64_t n_features,
                   int64_t n_outputs, int64_t n_trees, double* out, int32_t* leaves) {
  int failed = 0;
#pragma omp parallel for num_threads(kThreads) schedule(static, 1) reduction(+ : failed)
  for (int64_t piece = 0; piece < (n + kPiece - 1) / kPiece; ++piece) {
    gpp_workspace* own = work[piece % kThreads]; /* as static chunks of 1 are dealt to the threads */
    const int64_t begin = piece * kPiece, size = n - begin < kPiece ? n - begin : kPiece;
    const double* from = rows + begin * n_features;
    failed += gpp_forest_predict_f64(forest, own, from, size, n_features, 0, out + begin * n_outputs) != GPP_OK;
    failed += gpp_forest_apply_f64(forest, own, from, size, n_features, leaves + begin * n_trees) != GPP_OK;
  }
  return failed;
}

static int write_all(const char* path, const char* mode, const double* out, size_t n_values, const int32_t* leaves,
                     size_t n_leaves) {
  FILE* to = fopen(path, mode);
  if (!to) return 1;
  fwrite(out, sizeof *out, n_values, to);
  fwrite(leaves, sizeof *leaves, n_leaves, to);
  return fclose(to) != 0;
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const int64_t n = atoll(argv[3]);
  gpp_forest* forest = NULL;
  gpp_workspace* work[kThreads];
  int64_t n_features = 0, n_outputs = 0, n_trees = 0;
  if (gpp_forest_load(argv[1], &forest) != GPP_OK) return 3;
  if (gpp_forest_info(forest, &n_features, &n_outputs, &n_trees) != GPP_OK) return 3;
  for (int i = 0; i < kThreads; ++i)
    if (gpp_workspace_new(forest, &work[i]) != GPP_OK) return 3;
  const size_t size = (size_t)(n * n_features), n_values = (size_t)(n * n_outputs), n_leaves = (size_t)(n * n_trees);
  double *rows = malloc(size * sizeof *rows), *out = calloc(n_values, sizeof *out);
  int32_t* leaves = calloc(n_leaves, sizeof *leaves);
  FILE* in = fopen(argv[2], "rb");
  if (!in || fread(rows, sizeof *rows, size, in) != size) return 2;
  fclose(in);

  /* Before any thread of this program has predicted: the first calls must not allocate either. */
  counting = 1;
  int failed = 0;
  failed += gpp_forest_predict_f64(forest, work[0], rows, n, n_features, 0, out) != GPP_OK;
  failed += gpp_forest_apply_f64(forest, work[0], rows, n, n_features, leaves) != GPP_OK;
  counting = 0;
  const long first = n_allocations;
  const pid_t child = fork();
  if (child == 0) {
    const int wrong = predict(forest, work, rows, n, n_features, n_outputs, n_trees, out, leaves);
    _exit(wrong || write_all(argv[4], "wb", out, n_values, leaves, n_leaves));
  }
  int status = 1;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) return 4;
  failed += predict(forest, work, rows, n, n_features, n_outputs, n_trees, out, leaves); /* starts the threads */
  counting = 1;
  failed += predict(forest, work, rows, n, n_features, n_outputs, n_trees, out, leaves);
  counting = 0;
  failed += write_all(argv[4], "ab", out, n_values, leaves, n_leaves);
  const long threaded = n_allocations - first;
  counting = 1; /* the counter sees what the library allocates */
  gpp_workspace_free(work[0]);
  failed += gpp_workspace_new(forest, &work[0]) != GPP_OK;
  counting = 0;
  if (n_allocations == first + threaded) return 5;
  printf("%ld allocations in the first calls, %ld in threads\n", first, threaded);
  for (int i = 0; i < kThreads; ++i) gpp_workspace_free(work[i]);
  gpp_forest_free(forest);
  free(rows);
  free(out);
  free(leaves);
  return failed;
}
