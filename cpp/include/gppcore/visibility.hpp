// What the Python extension takes from libgppcore beside the C interface; the rest of the library is hidden.
#pragma once

#if defined(__GNUC__) && !defined(_WIN32)
#define GPPCORE_VISIBLE __attribute__((visibility("default")))
#else
#define GPPCORE_VISIBLE
#endif
