#ifndef P2PCALL_CFFMPEG_H
#define P2PCALL_CFFMPEG_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/display.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/md5.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

// Error numbers and "no timestamp" are macros.
static const int p2p_av_error_eof = AVERROR_EOF;
static const int p2p_av_error_again = AVERROR(EAGAIN);
static const int64_t p2p_av_no_timestamp = AV_NOPTS_VALUE;

static inline void p2p_av_default_mono(AVChannelLayout *layout) {
  av_channel_layout_default(layout, 1);
}

#endif
