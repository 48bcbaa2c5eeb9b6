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
#include <netdb.h>
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
#include <sys/timex.h>
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

// Whether the kernel takes its clock for right (adjtimex(2)): 1 yes, 0 no, -1 it does not say.
static inline int clinux_is_clock_synchronized(void) {
  struct timex state = {0};
  int result = adjtimex(&state);
  return result < 0 ? -1 : result != TIME_ERROR;
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
