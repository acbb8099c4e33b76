// The end of a command after Ctrl-C, which waits for neither Python's lock nor a library that is at work.
#include <sys/time.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <string>

#include "bind.hpp"

namespace {

std::atomic_flag ending = ATOMIC_FLAG_INIT;
void (*python_handler)(int) = nullptr;
itimerval grace{};
std::string last_words;  // set before the handlers that read it
int last_code = 0;

#if defined(__linux__) && defined(SYS_close_range)
int outlive(void* parent) {
  const timespec moment{0, 1000000};
  while (::getppid() == *static_cast<pid_t*>(parent)) ::nanosleep(&moment, nullptr);
  ::_exit(0);
}

// The system takes back the memory of a process before the parent hears of its end: on busy cores that takes seconds
// for a gigabyte. A second process that shares the memory, but no file, spends them instead.
void leave_memory_behind() {
  alignas(16) static char stack[1 << 14];
  static pid_t parent;
  parent = ::getpid();
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  if (::syscall(SYS_close_range, 0U, ~0U, 0U)) return;
  ::clone(outlive, stack + sizeof stack, CLONE_VM | CLONE_FILES, &parent);
}
#else
void leave_memory_behind() {}
#endif

// Only calls that a signal handler may make. The thread that comes second leaves the end to the first.
void end_process(const std::string& message, int code) {
  if (ending.test_and_set()) return;
  for (size_t done = 0; done < message.size();) {
    const ssize_t n = ::write(STDERR_FILENO, message.data() + done, message.size() - done);
    if (n < 0 && errno != EINTR) break;
    if (n > 0) done += static_cast<size_t>(n);
  }
  leave_memory_behind();
  ::_exit(code);
}

void at_interrupt(int number) {
  static volatile std::sig_atomic_t came = 0;
  if (came) return;  // a second Ctrl-C would hit the code that answers the first
  came = 1;
  const int reason = errno;
  ::setitimer(ITIMER_REAL, &grace, nullptr);
  python_handler(number);
  errno = reason;
}

void at_alarm(int) { end_process(last_words, last_code); }

// After Ctrl-C, Python's own handler may tidy up for some seconds; then the process ends, wherever its threads are.
void end_after_interrupt(double seconds, const py::bytes& message, int code) {
  last_words = message;
  last_code = code;
  grace.it_value.tv_sec = static_cast<time_t>(seconds);
  grace.it_value.tv_usec = static_cast<suseconds_t>((seconds - static_cast<double>(grace.it_value.tv_sec)) * 1e6);
  struct sigaction action{};
  if (::sigaction(SIGINT, nullptr, &action) || action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) return;
  python_handler = action.sa_handler;
  action.sa_handler = at_interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  struct sigaction alarm{};
  alarm.sa_handler = at_alarm;
  ::sigaction(SIGALRM, &alarm, nullptr);
}

// A worker of a command that ended would go on for minutes and hold its output open.
void end_with_parent() {
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

}  // namespace

void register_interrupt(py::module_& m) {
  m.def(
      "end_process", [](const py::bytes& message, int code) { end_process(message, code); }, py::arg("message"),
      py::arg("code"), "Writes to standard error and ends the process; of two threads the first one alone.");
  m.def("end_after_interrupt", end_after_interrupt, py::arg("seconds"), py::arg("message"), py::arg("code"),
        "Ends the process this long after Ctrl-C, whose handler must have been set by Python.");
  m.def("end_with_parent", end_with_parent, "Ends this process when the thread that started it ends (Linux).");
}
