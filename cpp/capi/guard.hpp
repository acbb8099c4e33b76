// What every function of the C interface shares: guard() lets no exception out.
#pragma once
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "gppcore/error.hpp"
#include "gppcore/forest.hpp"
#include "gppcore/gppcore.h"

struct gpp_workspace {
  gppcore::ForestMemory memory;
};

namespace gppcore {

// Message of the last failure in this thread. The memory is fixed: on the way of an error nothing is allocated, since
// memory may be what is missing. A message holds a path and a reason.
struct LastError {
  char text[4096 + 512];

  void set(const char* message) noexcept {
    size_t n = strnlen(message, sizeof text);
    if (n == sizeof text) --n;
    if (message[n] != 0)  // cut, but not inside a character of UTF-8
      while (n > 0 && (message[n] & 0xC0) == 0x80) --n;
    std::memcpy(text, message, n);
    text[n] = 0;
  }
};

inline LastError& last_error() noexcept {
  thread_local LastError last = {};
  return last;
}

template <class Body>
gpp_status guard(Body&& body) noexcept {
  try {
    body();
    return GPP_OK;
  } catch (const Error& e) {
    last_error().set(e.what());
    return static_cast<gpp_status>(e.code());
  } catch (const std::bad_alloc&) {
    last_error().set("out of memory");
    return GPP_ERROR_OUT_OF_MEMORY;
  } catch (const std::exception& e) {
    last_error().set(e.what());
  } catch (...) {
    last_error().set("unknown exception");
  }
  return GPP_ERROR_KERNEL;
}

inline void require(const void* pointer, const char* name) {
  if (!pointer) throw Error(ErrorCode::range, std::string(name) + ": expected a pointer, got NULL");
}

inline void require_size(int64_t size, const char* name) {
  if (size < 0) throw Error(ErrorCode::range, std::string(name) + ": expected >= 0, got " + std::to_string(size));
}

inline void require_memory(const gpp_workspace* workspace, size_t n_lines) {
  require(workspace, "workspace");
  if (workspace->memory.size() < n_lines)
    throw Error(ErrorCode::shape,
                "workspace: expected one made for this forest, or model, or a larger one, got a smaller one");
}

}  // namespace gppcore
