// Sockets and networks: the part of shim.h that is about other computers.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// Sockets -------------------------------------------------------------------------------------

static inline int clinux_socket(int family, int is_stream) {
  int type = is_stream ? SOCK_STREAM : SOCK_DGRAM;
  return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}
static inline int clinux_accept(int fd, struct sockaddr_storage *address) {
  socklen_t length = sizeof *address;
  return (int)syscall(SYS_accept4, fd, address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
static inline int clinux_bind(int fd, const struct sockaddr_storage *address, socklen_t length) {
  return bind(fd, (const struct sockaddr *)address, length);
}
static inline int clinux_connect(int fd, const struct sockaddr_storage *address,
                                 socklen_t length) {
  return connect(fd, (const struct sockaddr *)address, length);
}
static inline int clinux_local_address(int fd, struct sockaddr_storage *address) {
  socklen_t length = sizeof *address;
  return getsockname(fd, (struct sockaddr *)address, &length);
}
static inline int clinux_remote_address(int fd, struct sockaddr_storage *address) {
  socklen_t length = sizeof *address;
  return getpeername(fd, (struct sockaddr *)address, &length);
}
// Everybody may since Linux 5.7, once for each socket; before that root only.
static inline int clinux_bind_to_interface(int fd, const char *name) {
  return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name));
}
static inline int clinux_set_option(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value);
}
static inline int clinux_get_option(int fd, int level, int option) {
  int value = 0;
  socklen_t length = sizeof value;
  return getsockopt(fd, level, option, &value, &length) == 0 ? value : -1;
}
static const int clinux_TCP_NOTSENT_LOWAT = TCP_NOTSENT_LOWAT;

static inline ssize_t clinux_send(int fd, const void *bytes, size_t count) {
  return send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}
static inline ssize_t clinux_receive(int fd, void *bytes, size_t count) {
  return recv(fd, bytes, count, MSG_DONTWAIT);
}

#define CLINUX_BATCH 32

// struct mmsghdr, which glibc declares for _GNU_SOURCE only.
struct clinux_message {
  struct msghdr header;
  unsigned int length;
};

// Whether the kernel cuts one message into datagrams (udp(7), UDP_SEGMENT, since 4.18). One that
// does not know of it would send the whole message as one datagram.
static inline int clinux_can_segment(int fd) {
  return clinux_get_option(fd, IPPROTO_UDP, 103 /* UDP_SEGMENT */) >= 0;
}
// Has datagrams of one sender that came together handed over as one message, with the size that all
// but the last have (UDP_GRO, since 5.0). 0, or -1 and errno.
static inline int clinux_receive_joined(int fd) {
  return clinux_set_option(fd, IPPROTO_UDP, 104 /* UDP_GRO */, 1);
}

// Whether two names are the same address and port.
static inline int clinux_is_same_name(const struct sockaddr_storage *a,
                                      const struct sockaddr_storage *b) {
  if (a->ss_family != b->ss_family) return 0;
  if (a->ss_family == AF_INET) {
    const struct sockaddr_in *x = (const struct sockaddr_in *)a;
    const struct sockaddr_in *y = (const struct sockaddr_in *)b;
    return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
  }
  const struct sockaddr_in6 *x = (const struct sockaddr_in6 *)a;
  const struct sockaddr_in6 *y = (const struct sockaddr_in6 *)b;
  return a->ss_family == AF_INET6 && x->sin6_port == y->sin6_port &&
         memcmp(&x->sin6_addr, &y->sin6_addr, sizeof x->sin6_addr) == 0;
}

// Receives up to `count` (at most CLINUX_BATCH) messages: number i lies at buffer + i * slot,
// lengths[i] long (longer than slot: truncated[i] is not 0), and is datagrams of sizes[i] bytes, the
// last perhaps shorter (0: it is one datagram). Returns how many, or -1 and errno.
static inline int clinux_receive_batch(int fd, uint8_t *buffer, size_t slot, int count,
                                       uint32_t *lengths, uint8_t *truncated, int32_t *sizes,
                                       struct sockaddr_storage *addresses) {
  struct clinux_message messages[CLINUX_BATCH];
  struct iovec vectors[CLINUX_BATCH];
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr aligned;
  } controls[CLINUX_BATCH];
  memset(messages, 0, (size_t)count * sizeof messages[0]);
  for (int i = 0; i < count; i++) {
    vectors[i].iov_base = buffer + (size_t)i * slot;
    vectors[i].iov_len = slot;
    messages[i].header.msg_iov = &vectors[i];
    messages[i].header.msg_iovlen = 1;
    messages[i].header.msg_name = &addresses[i];
    messages[i].header.msg_namelen = sizeof addresses[i];
    messages[i].header.msg_control = &controls[i];
    messages[i].header.msg_controllen = sizeof controls[i];
  }
  int taken = (int)syscall(SYS_recvmmsg, fd, messages, count, MSG_DONTWAIT, NULL);
  for (int i = 0; i < taken; i++) {
    struct cmsghdr *control = CMSG_FIRSTHDR(&messages[i].header);
    lengths[i] = messages[i].length;
    truncated[i] = (messages[i].header.msg_flags & MSG_TRUNC) != 0;
    sizes[i] = 0;
    if (control != NULL && control->cmsg_level == IPPROTO_UDP &&
        control->cmsg_type == 104 /* UDP_GRO */ && control->cmsg_len >= CMSG_LEN(sizeof(int)))
      memcpy(&sizes[i], CMSG_DATA(control), sizeof(int));
  }
  return taken;
}

// Sends `count` (at most CLINUX_BATCH) datagrams: number i lies at buffer + i * slot, is lengths[i]
// long and goes to addresses[i]. They leave as `runs` messages, the first of which is the next
// sizes[0] of them, and so on: all of a run go to one address and have one length, but for the last,
// which may be shorter. Returns how many runs left before one that did not, or -1 and errno if that
// was the first.
static inline int clinux_send_runs(int fd, uint8_t *buffer, size_t slot, const uint32_t *lengths,
                                   struct sockaddr_storage *addresses, const uint8_t *sizes,
                                   int runs) {
  struct clinux_message messages[CLINUX_BATCH];
  struct iovec vectors[CLINUX_BATCH];
  union {
    char bytes[CMSG_SPACE(sizeof(uint16_t))];
    struct cmsghdr aligned;
  } controls[CLINUX_BATCH];
  memset(messages, 0, (size_t)runs * sizeof messages[0]);
  int at = 0;
  for (int run = 0; run < runs; run++) {
    struct msghdr *header = &messages[run].header;
    header->msg_iov = &vectors[at];
    header->msg_iovlen = sizes[run];
    header->msg_name = &addresses[at];
    header->msg_namelen = addresses[at].ss_family == AF_INET ? sizeof(struct sockaddr_in)
                                                             : sizeof(struct sockaddr_in6);
    if (sizes[run] > 1) {
      uint16_t size = (uint16_t)lengths[at];
      header->msg_control = &controls[run];
      header->msg_controllen = sizeof controls[run];
      struct cmsghdr *control = CMSG_FIRSTHDR(header);
      control->cmsg_level = IPPROTO_UDP;
      control->cmsg_type = 103 /* UDP_SEGMENT */;
      control->cmsg_len = CMSG_LEN(sizeof size);
      memcpy(CMSG_DATA(control), &size, sizeof size);
    }
    for (int end = at + sizes[run]; at < end; at++) {
      vectors[at].iov_base = buffer + (size_t)at * slot;
      vectors[at].iov_len = lengths[at];
    }
  }
  return (int)syscall(SYS_sendmmsg, fd, messages, runs, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Keeps what comes back instead of datagrams that this socket sent (ICMP) for clinux_next_bounce, and
// fails the next call on it (ip(7), IP_RECVERR). 0, or -1 and errno.
static inline int clinux_keep_bounces(int fd, int family) {
  return family == AF_INET ? clinux_set_option(fd, IPPROTO_IP, IP_RECVERR, 1)
                           : clinux_set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}
// The next of them: where the datagram went, and the errno that the kernel makes of what came back. 1; 0
// for one that no other computer sent; -1 where there is none.
static inline int clinux_next_bounce(int fd, struct sockaddr_storage *to, int *reason) {
  struct msghdr header = {0};
  union {
    char bytes[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6))];
    struct cmsghdr aligned;
  } control;
  header.msg_name = to;
  header.msg_namelen = sizeof *to;
  header.msg_control = &control;
  header.msg_controllen = sizeof control;
  if (recvmsg(fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return -1;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c != NULL; c = CMSG_NXTHDR(&header, c)) {
    struct sock_extended_err error;
    if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
        !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
      continue;
    if (c->cmsg_len < CMSG_LEN(sizeof error)) continue;
    memcpy(&error, CMSG_DATA(c), sizeof error);
    *reason = (int)error.ee_errno;
    return error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6;
  }
  return 0;
}

// Who asked a service by a datagram, and at which of this computer's addresses.
struct clinux_question {
  struct sockaddr_storage from;
  socklen_t from_length;
  union {
    char bytes[CMSG_SPACE(20)]; /* struct in6_pktinfo, which only _GNU_SOURCE declares */
    struct cmsghdr aligned;
  } control;
  size_t control_length;
};

// So that questions tell at which address they came in.
static inline int clinux_tell_addresses(int fd, int family) {
  int on = 1;
  if (family == AF_INET) return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
}

// The length of the datagram, which is more than `count` where it was cut; -1 and errno without one.
static inline ssize_t clinux_receive_question(int fd, void *bytes, size_t count,
                                              struct clinux_question *question) {
  struct iovec vector = {bytes, count};
  struct msghdr header = {0};
  header.msg_name = &question->from;
  header.msg_namelen = sizeof question->from;
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = &question->control;
  header.msg_controllen = sizeof question->control;
  ssize_t length = recvmsg(fd, &header, MSG_DONTWAIT | MSG_TRUNC);
  question->from_length = header.msg_namelen;
  question->control_length = length < 0 ? 0 : header.msg_controllen;
  return length;
}

// Leaves from the address that was asked, by whichever way the routes say.
static inline ssize_t clinux_answer(int fd, const void *bytes, size_t count,
                                    struct clinux_question *question) {
  struct iovec vector = {(void *)bytes, count};
  struct msghdr header = {0};
  header.msg_name = &question->from;
  header.msg_namelen = question->from_length;
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = question->control_length > 0 ? &question->control : NULL;
  header.msg_controllen = question->control_length;
  struct cmsghdr *control = CMSG_FIRSTHDR(&header);
  if (control != NULL && control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO)
    ((struct in_pktinfo *)CMSG_DATA(control))->ipi_ifindex = 0;
  return sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// A socket on which the kernel tells when interfaces, their state or their addresses change
// (rtnetlink(7)), in the calling thread's network.
static inline int clinux_watch_addresses(void) {
  struct sockaddr_nl groups = {0};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (fd < 0) return -1;
  groups.nl_family = AF_NETLINK;
  groups.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (bind(fd, (struct sockaddr *)&groups, sizeof groups) == 0) return fd;
  int reason = errno;
  close(fd);
  errno = reason;
  return -1;
}

// Networks of their own (network_namespaces(7)) -------------------------------------------------

// A new, empty network for the calling thread, which a program may be started in; it goes when its
// last process and descriptor do. Needs CAP_SYS_ADMIN.
static inline int clinux_new_network(void) {
  return (int)syscall(SYS_unshare, 0x40000000 /* CLONE_NEWNET */);
}
// The calling thread's network.
static inline int clinux_own_network(void) {
  return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}
static inline int clinux_enter_network(int network) {
  return (int)syscall(SYS_setns, network, 0x40000000 /* CLONE_NEWNET */);
}
// A TUN device of the calling thread's network, gone with its descriptor: one whole IP packet a read
// or write.
static inline int clinux_open_tun(const char *name) {
  struct ifreq request;
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -1;
  memset(&request, 0, sizeof request);
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  request.ifr_flags = 0x1001;  // IFF_TUN | IFF_NO_PI
  if (ioctl(fd, _IOW('T', 202, int) /* TUNSETIFF */, &request) == 0) return fd;
  int reason = errno;
  close(fd);
  errno = reason;
  return -1;
}
// Takes a device of the calling thread's network up, with an IPv4 address in network order and
// bytes 0 and 1 as its network (0: as it is).
static inline int clinux_take_up(const char *name, uint32_t address) {
  struct ifreq request;
  struct sockaddr_in *place = (struct sockaddr_in *)&request.ifr_addr;
  int result = 0;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  memset(&request, 0, sizeof request);
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (address != 0) {
    place->sin_family = AF_INET;
    place->sin_addr.s_addr = address;
    result = ioctl(fd, SIOCSIFADDR, &request);
    if (result == 0) {
      place->sin_addr.s_addr = htonl(0xFFFF0000);
      result = ioctl(fd, SIOCSIFNETMASK, &request);
    }
  }
  if (result == 0) result = ioctl(fd, SIOCGIFFLAGS, &request);
  if (result == 0) {
    request.ifr_flags |= IFF_UP;
    result = ioctl(fd, SIOCSIFFLAGS, &request);
  }
  int reason = errno;
  close(fd);
  errno = reason;
  return result;
}
