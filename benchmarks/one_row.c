// Times one row through the C interface: one_row FOREST N_FEATURES, the row on standard input. Prints the prediction
// and the shortest time of a call in microseconds.
#include <gppcore/gppcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

int main(int argc, char** argv) {
  gpp_forest* forest = NULL;
  gpp_workspace* workspace = NULL;
  if (argc != 3 || gpp_forest_load(argv[1], &forest) != GPP_OK || gpp_workspace_new(forest, &workspace) != GPP_OK) {
    fprintf(stderr, "%s\n", gpp_last_error());
    return 1;
  }
  const int n = atoi(argv[2]);
  float row[1024], y = 0;
  for (int f = 0; f < n; ++f)
    if (scanf("%f", &row[f]) != 1) return 1;
  double best = 1e9;
  for (int round = 0; round < 400; ++round) {
    enum { CALLS = 100 };
    const double start = now();
    for (int i = 0; i < CALLS; ++i)
      if (gpp_forest_predict_f32(forest, workspace, row, 1, n, 0, &y) != GPP_OK) return 1;
    const double each = (now() - start) / CALLS;
    if (each < best) best = each;
  }
  printf("%.9g %.6f\n", y, best);
  gpp_workspace_free(workspace);
  gpp_forest_free(forest);
  return 0;
}
