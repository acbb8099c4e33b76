// The thread pool where the system refuses new threads: every element is done once, also in later calls, and no
// worker uses the job of a call that has ended. Run under a sanitiser.
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "parallel.hpp"

static std::atomic<int> threads_left{0};

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*), void* data) {
  static const auto next = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
  if (threads_left.fetch_sub(1) <= 0) return EAGAIN;
  return next(thread, attributes, body, data);
}

namespace {

constexpr int64_t kN = 1 << 16;

// Elements that one call did not do exactly once, its own memory gone at once.
long wrong_elements(int n_threads) {
  std::vector<char> done(kN);
  gppcore::parallel_for(kN, 64, n_threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++done[static_cast<size_t>(i)];
  });
  long wrong = 0;
  for (const char times : done) wrong += times != 1;
  return wrong;
}

bool throws(int n_threads) {
  try {
    gppcore::parallel_for(kN, 64, n_threads, [](int64_t begin, int64_t) {
      if (begin > kN / 2) throw std::runtime_error("body");
    });
  } catch (const std::runtime_error&) {
    return true;
  }
  return false;
}

}  // namespace

int main() {
  for (const int left : {0, 1, 3, 0, 2, 1000}) {
    threads_left = left;
    for (const int n_threads : {1, 2, 8, 300}) {
      const long wrong = wrong_elements(n_threads);
      if (wrong || !throws(n_threads)) {
        std::printf("%d threads left, %d wanted: %ld elements not done once\n", left, n_threads, wrong);
        return 1;
      }
    }
    usleep(20000);  // workers that were late wake up now
  }
  std::puts("whole");
}
