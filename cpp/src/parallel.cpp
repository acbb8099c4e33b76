#include "parallel.hpp"

#ifdef __linux__
#include <sched.h>
#endif
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "float_environment.hpp"

namespace gppcore {
namespace {

struct Job {
  int64_t n, grain;
  const std::function<void(int64_t, int64_t)>* body;
  std::atomic<int64_t> next{0};
  int helpers_running = 0;  // guarded by the pool's mutex
  std::exception_ptr error;
  std::mutex error_mutex;

  void run(const std::function<void()>& check) {
    for (int64_t begin; (begin = next.fetch_add(grain)) < n;) {
      try {
        if (check) check();
        (*body)(begin, std::min(begin + grain, n));
      } catch (...) {
        std::lock_guard<std::mutex> lock(error_mutex);
        if (!error) error = std::current_exception();
        next.store(n);
      }
    }
  }
};

// Whether there is memory for a thread and for what it needs afterwards: where the C library has none for the variables
// of a running thread, it ends the process.
bool has_headroom() {
  constexpr size_t kHeadroom = size_t{64} << 20;
  void* const space = ::mmap(nullptr, kHeadroom, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (space == MAP_FAILED) return false;
  ::munmap(space, kHeadroom);
  return true;
}

class Pool {
 public:
  void run(Job& job, int n_helpers, const std::function<void()>& check) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      // Where the system has no memory or no thread left, the job runs on those that there are: this one at least.
      try {
        for (int i = 0; i < n_helpers; ++i) tickets_.push_back(&job);
        const int wanted = std::min<int>(static_cast<int>(tickets_.size()), kMaxThreads);
        for (; n_threads_ < wanted && has_headroom(); ++n_threads_) std::thread(&Pool::work, this).detach();
      } catch (const std::system_error&) {
      } catch (const std::bad_alloc&) {
      }
    }
    wake_.notify_all();
    job.run(check);
    std::unique_lock<std::mutex> lock(mutex_);
    tickets_.erase(std::remove(tickets_.begin(), tickets_.end(), &job), tickets_.end());
    idle_.wait(lock, [&] { return job.helpers_running == 0; });
  }

 private:
  static constexpr int kMaxThreads = 256;

  void work() {
    const FloatEnvironment environment;  // a thread begins with that of the one which made it
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return !tickets_.empty(); });
      Job* job = tickets_.front();
      tickets_.pop_front();
      ++job->helpers_running;
      lock.unlock();
      job->run({});
      lock.lock();
      if (--job->helpers_running == 0) idle_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<Job*> tickets_;
  int n_threads_ = 0;
};

// Never destroyed: detached workers may still wait on it when the process ends. A forked child inherits the
// memory but not the threads, so it makes a pool of its own (the parent's, of unknown state, is left alone).
Pool& pool() {
  static std::mutex mutex;
  static Pool* instance = nullptr;
  static pid_t owner = 0;
  std::lock_guard<std::mutex> lock(mutex);
  if (owner != getpid()) {
    instance = new Pool;
    owner = getpid();
  }
  return *instance;
}

// Processors that this process may use, which may be fewer than the machine has.
int usable_cores() {
#ifdef __linux__
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return std::max(1, CPU_COUNT(&allowed));
#endif
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace

void parallel_for(int64_t n, int64_t grain, int n_threads, const std::function<void(int64_t, int64_t)>& body,
                  const std::function<void()>& check) {
  if (n <= 0) return;
  const FloatEnvironment environment;
  grain = std::max<int64_t>(grain, 1);
  const int64_t n_chunks = (n + grain - 1) / grain;
  if (n_threads < 1) n_threads = usable_cores();
  const int n_helpers = static_cast<int>(std::min<int64_t>(n_threads, n_chunks)) - 1;
  Job job;
  job.n = n;
  job.grain = grain;
  job.body = &body;
  if (n_helpers > 0) {
    pool().run(job, n_helpers, check);
  } else {
    job.run(check);
  }
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace gppcore
