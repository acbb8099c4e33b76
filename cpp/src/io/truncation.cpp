#include "truncation.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <mutex>
#include <utility>

#include "gppcore/error.hpp"

namespace gppcore {

// Never freed, and used again, so that the handler may walk the list at any moment without a lock.
struct MappedRange::Node {
  std::atomic<uintptr_t> begin{0}, end{0};  // end is 0 while the node is free
  std::atomic<bool> cut{false};
  Node* next = nullptr;
  std::string path;
};

namespace {

// Taken by whoever changes ranges or guards, never by the handler.
std::mutex& registry() {
  static std::mutex* const mutex = new std::mutex;  // never destroyed: mappings may outlive static objects
  return *mutex;
}
int guards = 0;
struct sigaction previous{};
uintptr_t page_size = 0;

}  // namespace

static std::atomic<void*> first_range{nullptr};

MappedRange::MappedRange(const void* begin, size_t size, std::string path) {
  const std::lock_guard<std::mutex> lock(registry());
  Node* const first = static_cast<Node*>(first_range.load());
  for (node_ = first; node_ && node_->end.load() != 0; node_ = node_->next) {
  }
  const bool fresh = !node_;
  if (fresh) node_ = new Node;
  node_->path = std::move(path);
  node_->cut.store(false);
  node_->begin.store(reinterpret_cast<uintptr_t>(begin));
  node_->end.store(reinterpret_cast<uintptr_t>(begin) + size);
  if (fresh) {
    node_->next = first;
    first_range.store(node_);
  }
}

MappedRange::~MappedRange() {
  const std::lock_guard<std::mutex> lock(registry());
  node_->end.store(0);
}

TruncationGuard::TruncationGuard() {
  const std::lock_guard<std::mutex> lock(registry());
  if (guards++ > 0) return;
  page_size = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction action{};
  action.sa_sigaction = &TruncationGuard::handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &previous);
}

TruncationGuard::~TruncationGuard() {
  const std::lock_guard<std::mutex> lock(registry());
  if (--guards > 0) return;
  struct sigaction current{};
  ::sigaction(SIGBUS, &previous, &current);
  const bool ours = (current.sa_flags & SA_SIGINFO) && current.sa_sigaction == &TruncationGuard::handle;
  if (!ours) ::sigaction(SIGBUS, &current, nullptr);  // somebody else's since
}

void TruncationGuard::check() const {
  const std::lock_guard<std::mutex> lock(registry());
  for (auto* node = static_cast<MappedRange::Node*>(first_range.load()); node; node = node->next)
    if (node->end.load() != 0 && node->cut.load())
      throw Error(ErrorCode::forest_format, node->path +
                                                ": expected the file as it was when it was mapped, got one "
                                                "that was cut short; replace files, and never shorten them");
}

// Calls nothing but functions that a handler may call, and mmap, which is a bare call of the system.
void TruncationGuard::handle(int number, siginfo_t* info, void* context) {
  const auto at = reinterpret_cast<uintptr_t>(info->si_addr);
  for (auto* node = static_cast<MappedRange::Node*>(first_range.load()); node; node = node->next) {
    if (at < node->begin.load() || at >= node->end.load()) continue;
    node->cut.store(true);
    void* const page = reinterpret_cast<void*>(at - at % page_size);
    if (::mmap(page, page_size, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != page) break;
    std::memset(page, 0xFF, page_size);
    return;
  }
  if ((previous.sa_flags & SA_SIGINFO) && previous.sa_sigaction) return previous.sa_sigaction(number, info, context);
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) return previous.sa_handler(number);
  ::sigaction(SIGBUS, &previous, nullptr);  // the access is repeated, and ends the process
}

}  // namespace gppcore
