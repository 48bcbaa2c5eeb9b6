#pragma once
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>

// libjpeg reports errors by a jump, which Swift cannot take: a whole picture is decoded here.
struct cjpeg_failure {
  struct jpeg_error_mgr manager;
  jmp_buf place;
};
static inline void cjpeg_fail(j_common_ptr info) {
  longjmp(((struct cjpeg_failure *)info->err)->place, 1);
}
static inline void cjpeg_hear(j_common_ptr info, int level) {
  // Data that end too early; other warnings (padding, a missing end mark) come with every picture
  // of some cameras.
  if (level < 0 && info->err->msg_code == JWRN_HIT_MARKER) cjpeg_fail(info);
}

// JPEG uses 0…255 for black to white; video here uses 16…235, and 16…240 for colour.
static inline uint8_t cjpeg_luma(unsigned value) { return (uint8_t)(16 + (value * 219 + 127) / 255); }
static inline uint8_t cjpeg_chroma(unsigned four) {
  // The mean of four: 128 stays 128.
  return (uint8_t)(16 + ((four * 224 + 4 * 127) / (4 * 255)));
}

// Two lines of Y, Cb and Cr in turn (or of Y alone) into lines of three planes.
static inline void cjpeg_place(const uint8_t *upper, const uint8_t *lower, int components, int width,
                               uint8_t *y, uint8_t *u, uint8_t *v) {
  for (int x = 0; x < width; x++) {
    y[x] = cjpeg_luma(upper[x * components]);
    y[width + x] = cjpeg_luma(lower[x * components]);
  }
  for (int x = 0; x < width / 2; x++) {
    if (components == 1) {
      u[x] = v[x] = 128;
      continue;
    }
    const uint8_t *a = upper + x * 6, *b = lower + x * 6;
    u[x] = cjpeg_chroma(a[1] + a[4] + b[1] + b[4]);
    v[x] = cjpeg_chroma(a[2] + a[5] + b[2] + b[5]);
  }
}

// Decodes a JPEG picture of exactly this even size, whatever its subsampling, into I420 of video
// range; 0, with the target in any state, when it is another or does not decode.
static inline int cjpeg_decode(const uint8_t *bytes, size_t count, int width, int height,
                               uint8_t *target) {
  struct jpeg_decompress_struct info;
  struct cjpeg_failure failure;
  uint8_t *volatile lines = NULL;
  info.err = jpeg_std_error(&failure.manager);
  failure.manager.error_exit = cjpeg_fail;
  failure.manager.emit_message = cjpeg_hear;
  if (setjmp(failure.place)) {
    jpeg_destroy_decompress(&info);
    free(lines);
    return 0;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, bytes, count);
  jpeg_read_header(&info, TRUE);
  if (info.image_width != (JDIMENSION)width || info.image_height != (JDIMENSION)height)
    cjpeg_fail((j_common_ptr)&info);
  int components = info.jpeg_color_space == JCS_GRAYSCALE ? 1 : 3;
  info.out_color_space = components == 1 ? JCS_GRAYSCALE : JCS_YCbCr;
  info.dct_method = JDCT_ISLOW;
  // The colours are averaged again: doubled ones give back what was coded.
  info.do_fancy_upsampling = FALSE;
  jpeg_start_decompress(&info);
  lines = (uint8_t *)malloc((size_t)width * (size_t)components * 2);
  if (!lines) cjpeg_fail((j_common_ptr)&info);
  uint8_t *y = target, *u = y + (size_t)width * (size_t)height;
  uint8_t *v = u + (size_t)(width / 2) * (size_t)(height / 2);
  for (int row = 0; row < height; row += 2) {
    for (int line = 0; line < 2; line++) {
      JSAMPROW to = lines + (size_t)line * (size_t)width * (size_t)components;
      if (jpeg_read_scanlines(&info, &to, 1) != 1) cjpeg_fail((j_common_ptr)&info);
    }
    cjpeg_place(lines, lines + (size_t)width * (size_t)components, components, width, y, u, v);
    y += 2 * width;
    u += width / 2;
    v += width / 2;
  }
  jpeg_destroy_decompress(&info);
  free(lines);
  return 1;
}
