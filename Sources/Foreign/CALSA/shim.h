#pragma once
#include <alsa/asoundlib.h>

// alsa-lib prints its own remarks to stderr; ours come as errors.
static inline void calsa_ignore(const char *file, int line, const char *function, int code,
                                const char *format, ...) {
  (void)file; (void)line; (void)function; (void)code; (void)format;
}
static inline void calsa_be_quiet(void) { snd_lib_error_set_handler(calsa_ignore); }
