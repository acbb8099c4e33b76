// The one thread pool of gppcore. Work is cut into chunks whose borders do not depend on the number of
// threads, and every chunk writes its own outputs: results are the same bits for any thread count.
#pragma once
#include <cstdint>
#include <functional>

namespace gppcore {

// Calls body(begin, end) for consecutive chunks of at most `grain` items of [0, n), on at most `n_threads`
// threads, the caller among them (n_threads < 1 means all cores). The first exception of a body is rethrown
// here after the others have stopped taking chunks. Safe to call from several threads, and after fork(). `check`,
// if any, is called by the calling thread before each chunk that it takes, and may throw to end the call. Bodies run in
// the default floating-point environment.
void parallel_for(int64_t n, int64_t grain, int n_threads, const std::function<void(int64_t, int64_t)>& body,
                  const std::function<void()>& check = {});

}  // namespace gppcore
