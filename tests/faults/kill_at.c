/* Preloaded: kills the process at its k-th write, fsync or rename below a folder, or lets that call and all later ones
 * fail; a write is torn in its middle. New threads can be refused. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char folder[PATH_MAX];
static atomic_long kill_at, calls, fail_open_at, opens;
static atomic_int failure, threads_left = 1 << 30;

/* Kill at call number k (0: never); below_folder is where calls count. */
void arm(const char* below_folder, long k) {
  snprintf(folder, sizeof folder, "%s", below_folder);
  atomic_store(&calls, 0);
  atomic_store(&kill_at, k);
}
/* From call number k on, set errno to `number` instead. */
void fail(int number) { atomic_store(&failure, number); }
/* From the k-th opening of a file below the folder on, set errno to `number` in each. */
void fail_opens(long k, int number) {
  atomic_store(&failure, number);
  atomic_store(&opens, 0);
  atomic_store(&fail_open_at, k);
}
/* Refuse all threads but n more. */
void leave_threads(int n) { atomic_store(&threads_left, n); }
long counted(void) { return atomic_load(&calls); }

static int below(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0 || !folder[0]) return 0;
  path[n] = 0;
  return strncmp(path, folder, strlen(folder)) == 0;
}
/* Whether this call is the last one, or fails. */
static int last_call(int counts) {
  if (!counts) return 0;
  const long now = atomic_fetch_add(&calls, 1) + 1, at = atomic_load(&kill_at);
  return at && (now == at || (now > at && atomic_load(&failure)));
}
static int die(void) {
  errno = atomic_load(&failure);
  if (!errno) kill(getpid(), SIGKILL);
  return -1;
}

ssize_t write(int fd, const void* data, size_t n) {
  ssize_t (*next)(int, const void*, size_t) = dlsym(RTLD_NEXT, "write");
  if (last_call(below(fd))) {
    if (n > 1) (void)!next(fd, data, n / 2);
    return die();
  }
  return next(fd, data, n);
}
ssize_t pwrite64(int fd, const void* data, size_t n, off64_t at) {
  ssize_t (*next)(int, const void*, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
  if (last_call(below(fd))) return die();
  return next(fd, data, n, at);
}
int fsync(int fd) {
  int (*next)(int) = dlsym(RTLD_NEXT, "fsync");
  if (last_call(below(fd))) return die();
  return next(fd);
}
int rename(const char* from, const char* to) {
  int (*next)(const char*, const char*) = dlsym(RTLD_NEXT, "rename");
  if (last_call(folder[0] && strncmp(from, folder, strlen(folder)) == 0)) return die();
  return next(from, to);
}
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*), void* data) {
  int (*next)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) = dlsym(RTLD_NEXT, "pthread_create");
  return atomic_fetch_sub(&threads_left, 1) > 0 ? next(thread, attributes, body, data) : EAGAIN;
}
static int open_by(const char* name, const char* path, int flags, mode_t mode) {
  int (*next)(const char*, int, ...) = dlsym(RTLD_NEXT, name);
  const long at = atomic_load(&fail_open_at);
  if (at && strncmp(path, folder, strlen(folder)) == 0 && atomic_fetch_add(&opens, 1) + 1 >= at) {
    errno = atomic_load(&failure);
    return -1;
  }
  return next(path, flags, mode);
}
#define OPEN(name)                             \
  int name(const char* path, int flags, ...) { \
    va_list rest;                              \
    va_start(rest, flags);                     \
    const mode_t mode = va_arg(rest, mode_t);  \
    va_end(rest);                              \
    return open_by(#name, path, flags, mode);  \
  }
OPEN(open)
OPEN(open64)
