/* Preloaded: kills the process at its k-th write, fsync or rename below a folder; a write is torn in its middle. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char folder[PATH_MAX];
static atomic_long kill_at, calls;

/* Kill at call number k (0: never); below_folder is where calls count. */
void arm(const char* below_folder, long k) {
  snprintf(folder, sizeof folder, "%s", below_folder);
  atomic_store(&calls, 0);
  atomic_store(&kill_at, k);
}
long counted(void) { return atomic_load(&calls); }

static int below(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0 || !folder[0]) return 0;
  path[n] = 0;
  return strncmp(path, folder, strlen(folder)) == 0;
}
static int last_call(int counts) {
  return counts && atomic_fetch_add(&calls, 1) + 1 == atomic_load(&kill_at);
}
static void die(void) { kill(getpid(), SIGKILL); }

ssize_t write(int fd, const void* data, size_t n) {
  ssize_t (*next)(int, const void*, size_t) = dlsym(RTLD_NEXT, "write");
  if (last_call(below(fd))) {
    next(fd, data, n / 2);
    die();
  }
  return next(fd, data, n);
}
ssize_t pwrite64(int fd, const void* data, size_t n, off64_t at) {
  ssize_t (*next)(int, const void*, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
  if (last_call(below(fd))) die();
  return next(fd, data, n, at);
}
int fsync(int fd) {
  int (*next)(int) = dlsym(RTLD_NEXT, "fsync");
  if (last_call(below(fd))) die();
  return next(fd);
}
int rename(const char* from, const char* to) {
  int (*next)(const char*, const char*) = dlsym(RTLD_NEXT, "rename");
  if (last_call(folder[0] && strncmp(from, folder, strlen(folder)) == 0)) die();
  return next(from, to);
}
