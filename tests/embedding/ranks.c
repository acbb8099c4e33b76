/* Rank 0 reads the zip of a model, all load it from the bytes, and each predicts its share of the columns with OpenMP
 * threads. Prints a digest of all results, which depends neither on ranks nor on threads.
 * Arguments: zip of a model, number of columns. */
#include <gppcore/gppcore.h>
#include <math.h>
#include <mpi.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 64, BLOCK = 97 };

static void require(gpp_status status) {
  if (status == GPP_OK) return;
  fprintf(stderr, "%s\n", gpp_last_error());
  MPI_Abort(MPI_COMM_WORLD, 1);
}

/* The same value of a predictor in a column for every decomposition. */
static double value(int64_t column, int64_t predictor) {
  const uint64_t x = ((uint64_t)column * 64u + (uint64_t)predictor + 1u) * 11400714819323198485u;
  return x % 10u == 0 ? NAN : (double)(x >> 40) / 1e6;
}

int main(int argc, char** argv) {
  int provided = 0, rank = 0, n_ranks = 1;
  if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS || argc != 3) return 2;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &n_ranks);
  long size = 0;
  FILE* file = rank == 0 ? fopen(argv[1], "rb") : NULL;
  if (file && fseek(file, 0, SEEK_END) == 0) size = ftell(file);
  MPI_Bcast(&size, 1, MPI_LONG, 0, MPI_COMM_WORLD);
  char* bytes = malloc((size_t)size + 1);
  if (file) {
    rewind(file);
    if (fread(bytes, 1, (size_t)size, file) != (size_t)size) return 2;
    fclose(file);
  }
  MPI_Bcast(bytes, (int)size, MPI_BYTE, 0, MPI_COMM_WORLD);
  gpp_model* model = NULL;
  int64_t n_predictors = 0;
  require(gpp_model_load_buffer(bytes, size, &model));
  free(bytes);
  require(gpp_model_info(model, &n_predictors, NULL, NULL, NULL));

  const int64_t n = atoll(argv[2]), first = n * rank / n_ranks, last = n * (rank + 1) / n_ranks;
  const int64_t n_blocks = (last - first + BLOCK - 1) / BLOCK;
  double* gpp = malloc((size_t)(last - first + 1) * sizeof *gpp);
#pragma omp parallel
  {
    gpp_workspace* work = NULL;
    double* values = malloc(MOST * BLOCK * sizeof *values);
    const double* columns[MOST];
    int64_t strides[MOST];
    require(gpp_model_workspace_new(model, &work));
#pragma omp for
    for (int64_t block = 0; block < n_blocks; ++block) {
      const int64_t begin = first + block * BLOCK, count = last - begin < BLOCK ? last - begin : BLOCK;
      for (int64_t f = 0; f < n_predictors; ++f) {
        columns[f] = values + f * BLOCK;
        strides[f] = 1;
        for (int64_t i = 0; i < count; ++i) values[f * BLOCK + i] = value(begin + i, f);
      }
      require(gpp_model_predict_columns_f64(model, work, columns, strides, count, gpp + begin - first, NULL, NULL));
    }
    gpp_workspace_free(work);
    free(values);
  }
  uint64_t sum = 0, total = 0; /* of the bits, in any order */
  for (int64_t i = 0; i < last - first; ++i) {
    union {
      double number;
      uint64_t bits;
    } cell = {gpp[i]};
    sum += cell.bits * (2u * (uint64_t)(first + i) + 1u);
  }
  MPI_Reduce(&sum, &total, 1, MPI_UINT64_T, MPI_SUM, 0, MPI_COMM_WORLD);
  if (rank == 0) printf("%016llx\n", (unsigned long long)total);
  free(gpp);
  gpp_model_free(model);
  return MPI_Finalize();
}
