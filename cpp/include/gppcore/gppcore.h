/* The C interface of libgppcore: the only stable header. C99, no dependency.
 *
 * Every function returns a gpp_status; gpp_last_error() tells more about the last failure of this thread.
 * Sizes are int64_t, buffers belong to the caller. */
#ifndef GPPCORE_H
#define GPPCORE_H
#include <stdint.h>

#if defined(__GNUC__)
#define GPP_API __attribute__((visibility("default")))
#else
#define GPP_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define GPPCORE_ABI_VERSION 1

typedef enum gpp_status {
  GPP_OK = 0,
  GPP_ERROR_SHAPE = 1,
  GPP_ERROR_DTYPE = 2,
  GPP_ERROR_RANGE = 3,
  GPP_ERROR_FOREST_FORMAT = 4,
  GPP_ERROR_MISSING_FILE = 5,
  GPP_ERROR_OUT_OF_MEMORY = 6,
  GPP_ERROR_KERNEL = 7
} gpp_status;

/* The version of this interface that the library implements; compare with GPPCORE_ABI_VERSION. */
GPP_API int gpp_abi_version(void);

/* What went wrong in this thread's last call that did not return GPP_OK; never NULL. */
GPP_API const char* gpp_last_error(void);

/* Name of the instruction set in use: baseline, avx2 or avx512. */
GPP_API gpp_status gpp_isa(const char** name);

#ifdef __cplusplus
}
#endif
#endif
