/* Every allocation of the C interface fails, in turn, once or from then on: each call returns a code, and none aborts.
 * allocations FOREST MODEL; prints the number of failing allocations, and of processes that died. */
#define _GNU_SOURCE
#include <errno.h>
#include <gppcore/gppcore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);

static int armed = 0, for_good = 0;
static long count = 0, fail_at = 0;

static int fails(void) {
  if (!armed) return 0;
  ++count;
  if (fail_at == 0 || count < fail_at || (count > fail_at && !for_good)) return 0;
  errno = ENOMEM;
  return 1;
}

void* malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
void* calloc(size_t n, size_t size) { return fails() ? NULL : __libc_calloc(n, size); }
void* realloc(void* p, size_t n) { return fails() ? NULL : __libc_realloc(p, n); }
void* aligned_alloc(size_t alignment, size_t n) { return fails() ? NULL : __libc_memalign(alignment, n); }
int posix_memalign(void** p, size_t alignment, size_t n) {
  if (fails()) return ENOMEM;
  *p = __libc_memalign(alignment, n);
  return *p ? 0 : ENOMEM;
}

enum { N = 64, MAX = 32 };
static const char *forest_path, *model_path;
static double values[N * MAX], out[N], low[N], high[N];

static int use_forest(void) {
  gpp_forest* forest = NULL;
  gpp_workspace* workspace = NULL;
  int64_t n_features = 0;
  int status = gpp_forest_load(forest_path, &forest);
  if (!status) status = gpp_forest_info(forest, &n_features, NULL, NULL);
  if (!status) status = gpp_workspace_new(forest, &workspace);
  if (!status) status = gpp_forest_predict_f64(forest, workspace, values, N, n_features, 0, out);
  if (!status && gpp_forest_predict_f64(forest, workspace, values, N, n_features + 1, 0, out) == GPP_OK) status = 99;
  gpp_workspace_free(workspace);
  gpp_forest_free(forest);
  return status;
}

static int use_model(void) {
  gpp_model* model = NULL;
  gpp_workspace* workspace = NULL;
  const double* columns[MAX];
  int64_t strides[MAX];
  for (int i = 0; i < MAX; ++i) {
    columns[i] = values + i;
    strides[i] = MAX;
  }
  int status = gpp_model_load(model_path, &model);
  if (!status) status = gpp_model_workspace_new(model, &workspace);
  if (!status) status = gpp_model_predict_columns_f64(model, workspace, columns, strides, N, out, low, high);
  gpp_workspace_free(workspace);
  gpp_model_free(model);
  return status;
}

static int refuse(void) { /* all that is wrong; the messages are long, and need memory */
  gpp_forest* forest = NULL;
  gpp_model* model = NULL;
  const char* name;
  if (gpp_forest_load("/no/such/folder/whose/name/is/too/long/for/a/short/string.gppf", &forest) == GPP_OK) return 99;
  if (gpp_forest_load("/etc/passwd", &forest) == GPP_OK || gpp_model_load("/etc", &model) == GPP_OK) return 99;
  if (gpp_model_predictor(NULL, 0, &name) == GPP_OK) return 99;
  return gpp_forest_predict_f64(NULL, NULL, values, N, 3, 0, out);
}

static int (*const sequences[])(void) = {use_forest, use_model, refuse};

/* Runs a sequence in a process of its own; returns what waitpid() tells. */
static int run(int which, long at, int last, long* counted) {
  int ends[2], state = 0;
  if (pipe(ends) != 0) exit(2);
  const pid_t child = fork();
  if (child == 0) {
    fail_at = at;
    for_good = last;
    alarm(20);
    armed = 1;
    const int status = sequences[which]();
    armed = 0;
    if (write(ends[1], &count, sizeof count) != sizeof count) _exit(98);
    _exit(at && status && strlen(gpp_last_error()) == 0 ? 97 : status);
  }
  waitpid(child, &state, 0);
  if (counted && read(ends[0], counted, sizeof *counted) != sizeof *counted) exit(2);
  close(ends[0]);
  close(ends[1]);
  return state;
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  forest_path = argv[1];
  model_path = argv[2];
  for (int i = 0; i < N * MAX; ++i) values[i] = 0.37 * i - 300.0;
  long failures = 0, dead = 0;
  for (int which = 0; which < 3; ++which) {
    long n = 0;
    run(which, 0, 0, &n);
    for (int last = 0; last < 2; ++last)
      for (long k = 1; k <= n; ++k, ++failures) {
        const int state = run(which, k, last, NULL);
        if (!WIFEXITED(state) || WEXITSTATUS(state) > GPP_ERROR_KERNEL) {
          fprintf(stderr, "sequence %d, allocation %ld, for good %d: state %d\n", which, k, last, state);
          ++dead;
        }
      }
  }
  printf("%ld failures, %ld dead\n", failures, dead);
  return failures < 50;
}
