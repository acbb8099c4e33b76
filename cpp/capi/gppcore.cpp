// The outer border: every function is a translation, and guard() lets no exception out.
#include "gppcore/gppcore.h"

#include <exception>
#include <new>
#include <string>

#include "../src/dispatch.hpp"
#include "gppcore/error.hpp"

namespace {

thread_local std::string last_error;

template <class Body>
gpp_status guard(Body&& body) noexcept {
  try {
    body();
    return GPP_OK;
  } catch (const gppcore::Error& e) {
    last_error = e.what();
    return static_cast<gpp_status>(e.code());
  } catch (const std::bad_alloc&) {
    last_error = "out of memory";
    return GPP_ERROR_OUT_OF_MEMORY;
  } catch (const std::exception& e) {
    last_error = e.what();
  } catch (...) {
    last_error = "unknown exception";
  }
  return GPP_ERROR_KERNEL;
}

}  // namespace

int gpp_abi_version(void) { return GPPCORE_ABI_VERSION; }

const char* gpp_last_error(void) { return last_error.c_str(); }

gpp_status gpp_isa(const char** name) {
  return guard([&] { *name = gppcore::kernels().isa; });
}
