/* SPDX-License-Identifier: BSD-3-Clause
 * Makes the system call that its argument names, and exits with 0 if it lives. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#define PAGE(protection) mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)

int main(int count, char** arguments) {
  const char* name = count > 1 ? arguments[1] : "";
  char buffer[8];
  int ends[2], zero = 0;
  struct termios state;
#define CASE(text, call) \
  if (!strcmp(name, text)) return (void)(call), 0
  CASE("poll", poll(NULL, 0, 0));
  CASE("ppoll", ppoll(NULL, 0, &(struct timespec){0, 0}, NULL));
  CASE("statx", statx(AT_FDCWD, "/", 0, 0, &(struct statx){0}));
  CASE("sched_yield", syscall(SYS_sched_yield));
  CASE("mremap", mremap(NULL, 0, 0, 0));
  CASE("pidfd_open", syscall(SYS_pidfd_open, getpid(), 0));
  CASE("close_range", syscall(SYS_close_range, 900, 901, 0));
  CASE("shutdown", shutdown(0, 0));
  CASE("getsockopt", getsockopt(0, 0, 0, buffer, (socklen_t*)&zero));
  CASE("getcwd", getcwd(buffer, sizeof buffer));
  CASE("getpid", getpid());
  CASE("socket unix", socket(AF_UNIX, SOCK_STREAM, 0));
  CASE("socket inet", socket(AF_INET, SOCK_STREAM, 0));
  CASE("socketpair unix", socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  CASE("socketpair inet", socketpair(AF_INET, SOCK_STREAM, 0, ends));
  CASE("mmap write", PAGE(PROT_READ | PROT_WRITE));
  CASE("mmap exec", PAGE(PROT_READ | PROT_EXEC));
  CASE("mmap both", PAGE(PROT_WRITE | PROT_EXEC));
  CASE("mprotect both", mprotect(PAGE(PROT_READ), 4096, PROT_WRITE | PROT_EXEC));
  CASE("ioctl TCGETS", ioctl(0, TCGETS, &state));
  CASE("ioctl FIONBIO", ioctl(0, FIONBIO, &zero));
  CASE("getrandom", syscall(SYS_getrandom, buffer, sizeof buffer, 0));
  CASE("getrandom random", syscall(SYS_getrandom, buffer, sizeof buffer, 2));
  return 99;
}
