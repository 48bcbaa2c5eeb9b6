#ifndef P2PCALL_COPUS_H
#define P2PCALL_COPUS_H

#include <opus/opus.h>

// opus_encoder_ctl is variadic, its requests are macros.
static inline int p2p_opus_encoder_set(OpusEncoder *encoder, int request, opus_int32 value) {
  return opus_encoder_ctl(encoder, request, value);
}

static inline int p2p_opus_encoder_get(OpusEncoder *encoder, int request, opus_int32 *value) {
  return opus_encoder_ctl(encoder, request, value);
}

#endif
