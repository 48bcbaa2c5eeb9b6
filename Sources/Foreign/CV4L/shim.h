#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/videodev2.h>
#include <libv4l-plugin.h>
#include <libv4lconvert.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

// Requests and formats are function-like macros, which Swift does not import.
static const unsigned long cv4l_QUERYCAP = VIDIOC_QUERYCAP;
static const unsigned long cv4l_ENUM_FMT = VIDIOC_ENUM_FMT;
static const unsigned long cv4l_ENUM_FRAMESIZES = VIDIOC_ENUM_FRAMESIZES;
static const unsigned long cv4l_ENUM_FRAMEINTERVALS = VIDIOC_ENUM_FRAMEINTERVALS;
static const unsigned long cv4l_S_FMT = VIDIOC_S_FMT;
static const unsigned long cv4l_S_PARM = VIDIOC_S_PARM;
static const unsigned long cv4l_REQBUFS = VIDIOC_REQBUFS;
static const unsigned long cv4l_QUERYBUF = VIDIOC_QUERYBUF;
static const unsigned long cv4l_QBUF = VIDIOC_QBUF;
static const unsigned long cv4l_DQBUF = VIDIOC_DQBUF;
static const unsigned long cv4l_STREAMON = VIDIOC_STREAMON;
static const unsigned long cv4l_STREAMOFF = VIDIOC_STREAMOFF;

static const uint32_t cv4l_YUV420 = V4L2_PIX_FMT_YUV420;
static const uint32_t cv4l_NV12 = V4L2_PIX_FMT_NV12;
static const uint32_t cv4l_YUYV = V4L2_PIX_FMT_YUYV;
static const uint32_t cv4l_MJPEG = V4L2_PIX_FMT_MJPEG;
static const uint32_t cv4l_JPEG = V4L2_PIX_FMT_JPEG;
static const uint32_t cv4l_CAP_CAPTURE = V4L2_CAP_VIDEO_CAPTURE;
static const uint32_t cv4l_CAP_STREAMING = V4L2_CAP_STREAMING;
static const uint32_t cv4l_CAP_DEVICE_CAPS = V4L2_CAP_DEVICE_CAPS;
static const uint32_t cv4l_CAPTURE = V4L2_BUF_TYPE_VIDEO_CAPTURE;
static const uint32_t cv4l_MMAP = V4L2_MEMORY_MMAP;
static const uint32_t cv4l_DISCRETE_SIZE = V4L2_FRMSIZE_TYPE_DISCRETE;
static const uint32_t cv4l_DISCRETE_RATE = V4L2_FRMIVAL_TYPE_DISCRETE;
static const uint32_t cv4l_BUFFER_ERROR = V4L2_BUF_FLAG_ERROR;

static inline int cv4l_errno(void) { return errno; }
static inline int cv4l_open(const char *path) {
  return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}
static inline int cv4l_ioctl(int fd, unsigned long request, void *argument) {
  int code;
  do code = ioctl(fd, request, argument); while (code < 0 && errno == EINTR);
  return code;
}
static inline void *cv4l_map(int fd, size_t length, uint32_t offset) {
  void *start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
  return start == MAP_FAILED ? NULL : start;
}
static inline int cv4l_wait(int fd, int milliseconds) {
  struct pollfd item = {.fd = fd, .events = POLLIN};
  int code = poll(&item, 1, milliseconds);
  if (code < 0) return errno == EINTR ? 0 : -1;
  return code;
}

// The unions inside v4l2 structs, by name.
static inline uint32_t cv4l_size_width(const struct v4l2_frmsizeenum *s) { return s->discrete.width; }
static inline uint32_t cv4l_size_height(const struct v4l2_frmsizeenum *s) { return s->discrete.height; }
static inline uint32_t cv4l_range_width(const struct v4l2_frmsizeenum *s) { return s->stepwise.max_width; }
static inline uint32_t cv4l_range_height(const struct v4l2_frmsizeenum *s) { return s->stepwise.max_height; }
static inline double cv4l_rate(const struct v4l2_frmivalenum *i) {
  const struct v4l2_fract *f = i->type == V4L2_FRMIVAL_TYPE_DISCRETE ? &i->discrete : &i->stepwise.min;
  return f->numerator ? (double)f->denominator / f->numerator : 0;
}
static inline void cv4l_set_rate(struct v4l2_streamparm *p, uint32_t numerator, uint32_t denominator) {
  memset(p, 0, sizeof *p);
  p->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  p->parm.capture.timeperframe.numerator = numerator;
  p->parm.capture.timeperframe.denominator = denominator;
}
static inline double cv4l_granted_rate(const struct v4l2_streamparm *p) {
  const struct v4l2_fract *f = &p->parm.capture.timeperframe;
  return f->numerator ? (double)f->denominator / f->numerator : 0;
}
static inline void cv4l_set_format(struct v4l2_format *f, uint32_t width, uint32_t height, uint32_t pixels) {
  memset(f, 0, sizeof *f);
  f->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  f->fmt.pix.width = width;
  f->fmt.pix.height = height;
  f->fmt.pix.pixelformat = pixels;
  f->fmt.pix.field = V4L2_FIELD_ANY;
}
static inline struct v4l2_pix_format cv4l_granted_format(const struct v4l2_format *f) { return f->fmt.pix; }
static inline void cv4l_grant_format(struct v4l2_format *f, uint32_t stride, uint32_t size) {
  f->fmt.pix.bytesperline = stride;
  f->fmt.pix.sizeimage = size;
}
static inline uint32_t cv4l_offset(const struct v4l2_buffer *b) { return b->m.offset; }
static inline void cv4l_set_offset(struct v4l2_buffer *b, uint32_t offset) { b->m.offset = offset; }
static inline int64_t cv4l_timestamp(const struct v4l2_buffer *b) {
  if ((b->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC) return 0;
  return (int64_t)b->timestamp.tv_sec * 1000000000 + (int64_t)b->timestamp.tv_usec * 1000;
}
static inline void cv4l_card(const struct v4l2_capability *c, char name[33]) {
  memcpy(name, c->card, 32);
  name[32] = 0;
}
static inline uint32_t cv4l_abilities(const struct v4l2_capability *c) {
  return c->capabilities & V4L2_CAP_DEVICE_CAPS ? c->device_caps : c->capabilities;
}

// libv4lconvert asks the device for flags when it is made; a converter of bytes alone has none.
static inline int cv4l_no_ioctl(void *p, int fd, unsigned long request, void *argument) {
  (void)p; (void)fd;
  // Without an answer to this one libv4lcontrol refuses to be made.
  if (request == VIDIOC_QUERYCAP) {
    memset(argument, 0, sizeof(struct v4l2_capability));
    return 0;
  }
  errno = ENOTTY;
  return -1;
}
static inline void *cv4l_no_init(int fd) { (void)fd; return NULL; }
static inline void cv4l_no_close(void *p) { (void)p; }
static inline ssize_t cv4l_no_read(void *p, int fd, void *buffer, size_t n) {
  (void)p; (void)fd; (void)buffer; (void)n;
  return -1;
}
static inline ssize_t cv4l_no_write(void *p, int fd, const void *buffer, size_t n) {
  (void)p; (void)fd; (void)buffer; (void)n;
  return -1;
}
static const struct libv4l_dev_ops cv4l_no_device = {
    .init = cv4l_no_init, .close = cv4l_no_close, .ioctl = cv4l_no_ioctl,
    .read = cv4l_no_read, .write = cv4l_no_write};
static inline struct v4lconvert_data *cv4l_converter(void) {
  return v4lconvert_create_with_dev_ops(-1, NULL, &cv4l_no_device);
}
static inline int cv4l_convert(struct v4lconvert_data *data, uint32_t width, uint32_t height,
                               uint32_t from, uint32_t stride, void *bytes, int count,
                               void *target, int capacity) {
  struct v4l2_format source, wanted;
  cv4l_set_format(&source, width, height, from);
  source.fmt.pix.bytesperline = stride;
  source.fmt.pix.sizeimage = (uint32_t)count;
  cv4l_set_format(&wanted, width, height, V4L2_PIX_FMT_YUV420);
  wanted.fmt.pix.bytesperline = width;
  wanted.fmt.pix.sizeimage = width * height * 3 / 2;
  return v4lconvert_convert(data, &source, &wanted, bytes, count, target, capacity);
}
