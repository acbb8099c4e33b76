// What every function of the C interface shares: guard() lets no exception out.
#pragma once
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

inline std::string& last_error() {
  thread_local std::string message;
  return message;
}

template <class Body>
gpp_status guard(Body&& body) noexcept {
  try {
    body();
    return GPP_OK;
  } catch (const Error& e) {
    last_error() = e.what();
    return static_cast<gpp_status>(e.code());
  } catch (const std::bad_alloc&) {
    last_error() = "out of memory";
    return GPP_ERROR_OUT_OF_MEMORY;
  } catch (const std::exception& e) {
    last_error() = e.what();
  } catch (...) {
    last_error() = "unknown exception";
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
