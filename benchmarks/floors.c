/* What the memory allows: the fastest plain loops that read, write or copy n floats, without any work on them. */
#include <stdint.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

float floor_read(const float* from, int64_t n) {
  float sum[64] = {0};
  for (int64_t i = 0; i + 64 <= n; i += 64)
    for (int j = 0; j < 64; ++j) sum[j] += from[i + j];
  for (int j = 1; j < 64; ++j) sum[0] += sum[j];
  return sum[0];
}

/* Stores bypass the caches, so that nothing is read before it is overwritten. */
static void put(float* to, const float* line) {
#if defined(__AVX512F__)
  _mm512_stream_ps(to, _mm512_loadu_ps(line));
#elif defined(__SSE2__)
  for (int j = 0; j < 16; j += 4) _mm_stream_ps(to + j, _mm_loadu_ps(line + j));
#else
  for (int j = 0; j < 16; ++j) to[j] = line[j];
#endif
}

void floor_write(float* to, int64_t n, float value) {
  float line[16];
  for (int j = 0; j < 16; ++j) line[j] = value;
  for (int64_t i = 0; i + 16 <= n; i += 16) put(to + i, line);
}

void floor_copy(float* to, const float* from, int64_t n) {
  for (int64_t i = 0; i + 16 <= n; i += 16) put(to + i, from + i);
}
