// Linux calls that Swift's Glibc module lacks or cannot import: macros, variadic functions and
// headers that it does not cover. Results are as the manual pages say: -1 and errno on failure.
//
// _GNU_SOURCE stays undefined: with it glibc declares some types differently from Swift's own
// Glibc module, and the compiler refuses the two together. What only _GNU_SOURCE declares is
// reached by its system call.
#pragma once
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <malloc.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

// Clock ---------------------------------------------------------------------------------------

// Nanoseconds of CLOCK_BOOTTIME: monotonic, and counting while the computer sleeps.
static inline int64_t clinux_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// What must be added to a CLOCK_MONOTONIC time (a camera's or sound card's) to get clinux_now().
static inline int64_t clinux_sleep_offset(void) {
  struct timespec b, m;
  clock_gettime(CLOCK_BOOTTIME, &b);
  clock_gettime(CLOCK_MONOTONIC, &m);
  return ((int64_t)b.tv_sec - m.tv_sec) * 1000000000 + (b.tv_nsec - m.tv_nsec);
}

// Nanoseconds since 1970 of the wall clock.
static inline int64_t clinux_wall_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline int clinux_timerfd_create(void) {
  return timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
}

// Arms at an absolute clinux_now(); 0 disarms.
static inline int clinux_timerfd_set(int fd, int64_t at) {
  struct itimerspec t = {{0, 0}, {at / 1000000000, at % 1000000000}};
  return timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL);
}

// Epoll ---------------------------------------------------------------------------------------

static inline int clinux_epoll_control(int epoll, int operation, int fd, uint32_t events,
                                       uint64_t data) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = events;
  event.data.u64 = data;
  return epoll_ctl(epoll, operation, fd, &event);
}

// struct epoll_event is packed, which Swift does not import faithfully.
static inline uint64_t clinux_epoll_data(const struct epoll_event *events, int index) {
  return events[index].data.u64;
}
static inline uint32_t clinux_epoll_events(const struct epoll_event *events, int index) {
  return events[index].events;
}

static const uint32_t clinux_EPOLLIN = EPOLLIN;
static const uint32_t clinux_EPOLLOUT = EPOLLOUT;
static const uint32_t clinux_EPOLLERR = EPOLLERR;
static const uint32_t clinux_EPOLLHUP = EPOLLHUP;
static const uint32_t clinux_EPOLLRDHUP = EPOLLRDHUP;
static const int clinux_EPOLL_CTL_ADD = EPOLL_CTL_ADD;
static const int clinux_EPOLL_CTL_MOD = EPOLL_CTL_MOD;
static const int clinux_EPOLL_CTL_DEL = EPOLL_CTL_DEL;

static inline int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }
static inline int clinux_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }
// Writes to closed pipes and sockets fail with EPIPE instead of killing the process.
static inline void clinux_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }
// Whether whoever started this process wants the signal ignored (nohup, a shell's background job).
static inline int clinux_is_ignored(int number) {
  struct sigaction action;
  return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}
static inline int clinux_signalfd(const sigset_t *set) {
  return signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
}

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

// Variadic and macro calls ----------------------------------------------------------------------

static inline int clinux_open(const char *path, int flags, mode_t mode) {
  return open(path, flags | O_CLOEXEC, mode);
}
static inline int clinux_open_at(int directory, const char *path, int flags, mode_t mode) {
  return openat(directory, path, flags | O_CLOEXEC, mode);
}
static inline int clinux_set_non_blocking(int fd, int on) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -1;
  return fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}
// Room of a pipe, in bytes.
static inline int clinux_set_pipe_size(int fd, int bytes) {
  return fcntl(fd, 1031 /* F_SETPIPE_SZ */, bytes);
}
static inline int clinux_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }
static inline int clinux_get_errno(void) { return errno; }
static inline int clinux_exited(int status) { return WIFEXITED(status); }
static inline int clinux_exit_code(int status) { return WEXITSTATUS(status); }
static inline int clinux_term_signal(int status) { return WTERMSIG(status); }
static inline int clinux_is_directory(mode_t mode) { return S_ISDIR(mode); }
static inline int clinux_is_regular(mode_t mode) { return S_ISREG(mode); }

// No core dumps, and no other process of this user may attach to read memory.
static inline int clinux_forbid_dumps(void) {
  struct rlimit none = {0, 0};
  int limited = setrlimit(RLIMIT_CORE, &none);
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? limited : -1;
}
// Blocks of 256 kB and more are mapped one by one and go back to the system when they are freed.
// By itself glibc raises that limit with the first such block, and each thread's heap then keeps
// what pictures leave between smaller blocks.
static inline int clinux_map_large_blocks(void) { return mallopt(M_MMAP_THRESHOLD, 256 * 1024); }
// Raises the soft limit of open descriptors to the hard one; returns the limit.
static inline int64_t clinux_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return (int64_t)limit.rlim_cur;
}
// The soft limit of open descriptors of another process of this user; 0 or -1 and errno.
static inline int clinux_limit_descriptors(pid_t pid, int64_t count) {
  struct rlimit limit;
  if (syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, NULL, &limit) != 0) return -1;
  limit.rlim_cur = (rlim_t)count;
  return (int)syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, &limit, NULL);
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

// Threads ---------------------------------------------------------------------------------------

static inline int clinux_name_thread(const char *name) { return prctl(PR_SET_NAME, name); }
// Round-robin real-time scheduling for this thread; fails without the privilege.
static inline int clinux_real_time_thread(int priority) {
  struct sched_param parameters;
  memset(&parameters, 0, sizeof parameters);
  parameters.sched_priority = priority;
  return pthread_setschedparam(pthread_self(), SCHED_RR | 0x40000000 /* SCHED_RESET_ON_FORK */,
                               &parameters);
}
// Niceness of this thread only (Linux: PRIO_PROCESS with a thread id).
static inline int clinux_nice_thread(int niceness) {
  return setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), niceness);
}

// posix_spawn ---------------------------------------------------------------------------------

// Spawns with fresh signal mask and dispositions; input, output and errors become 0, 1, 2 and
// every other descriptor is closed in the child. Returns 0 or an errno.
static inline int clinux_spawn(pid_t *pid, const char *path, char *const arguments[],
                               char *const environment[], int input, int output, int errors) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  int result = posix_spawn_file_actions_init(&actions);
  if (result != 0) return result;
  result = posix_spawnattr_init(&attributes);
  if (result != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return result;
  }
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  // Callers pass descriptors above 2, so that no dup2 overwrites a later one's source.
  posix_spawn_file_actions_adddup2(&actions, input, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, errors, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  result = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return result;
}
// A duplicate above 2, closed on exec.
static inline int clinux_duplicate(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 3); }
extern char **environ;
static inline char **clinux_environment(void) { return environ; }
