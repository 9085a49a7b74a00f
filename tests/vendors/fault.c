/* SPDX-License-Identifier: BSD-3-Clause
 * One fault of many: FAULT_AT says in which moment, FAULT_BY by what. In a request only the header
 * "X" is one; "U" asks for an update, which is its only answer but for the callback. */
#include <sys/syscall.h>

#include "vendor.h"

static int is(const char* variable, const char* value) {
  const char* set = getenv(variable);
  return set && !strcmp(set, value);
}

static int deeper(volatile char* frame) {
  volatile char more[4096];
  more[0] = *frame;
  if (*frame == 'S') return 0;
  return deeper(more) + more[0];
}

static void fault(void) {
  char bottom = 0;
  if (is("FAULT_BY", "segv")) *(volatile int*)0x10 = 1;
  if (is("FAULT_BY", "abort")) abort();
  if (is("FAULT_BY", "exit")) exit(4);
  if (is("FAULT_BY", "exit_now")) _exit(3);
  if (is("FAULT_BY", "stack")) deeper(&bottom);
  if (is("FAULT_BY", "bus")) {
    int fd = memfd_create("empty", 0);
    *(volatile char*)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) = 1;
  }
  if (is("FAULT_BY", "kill")) kill(getpid(), SIGKILL);
  if (is("FAULT_BY", "execve")) syscall(SYS_execve, "/bin/true", NULL, NULL);
  if (is("FAULT_BY", "hang"))
    for (;;) pause();
}

static void fault_at(const char* moment) {
  if (is("FAULT_AT", moment)) fault();
}

/* When the library is not being called, and has answered everything. */
static void* when_idle(void* unused) {
  (void)unused;
  fault_at("idle");
  return NULL;
}

/* FAULT_AFTER=N: SIGKILL at the Nth boundary of a call or a callback, counted from the first of the
 * process; once, in the first process that gets so far, which FAULT_ONCE, a file, tells. */
static void boundary(void) {
  static _Atomic int passed;
  const char* after = getenv("FAULT_AFTER");
  if (!after || ++passed != atoi(after)) return;
  if (open(getenv("FAULT_ONCE"), O_CREAT | O_EXCL | O_WRONLY, 0600) >= 0) kill(getpid(), SIGKILL);
}

static int32_t initialize(const camera_algorithm_callback_ops_t* ops) {
  boundary();
  fault_at("initialize");
  return plain_initialize(ops);
}

static int32_t register_buffer(int fd) {
  boundary();
  fault_at("register");
  int32_t handle = plain_register(fd);
  boundary();
  return handle;
}

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  const int is_it = size == 1 && header[0] == 'X';
  boundary();
  if (is_it) fault_at("request");
  if (size == 1 && header[0] == 'U') {
    hal->update(hal, id, header, size, file_of("lent"));
    boundary();
    fault_at("update");
  }
  answer(id, digest(header, size), handle);
  boundary();
  if (is_it) fault_at("callback");
  if (is_it && is("FAULT_AT", "idle")) {
    pthread_t thread;
    pthread_create(&thread, NULL, when_idle, NULL);
  }
}

static void deregister(const int32_t handles[], uint32_t size) {
  boundary();
  fault_at("deregister");
  plain_deregister(handles, size);
  boundary();
}

static void update_return(uint32_t id, uint32_t status, int fd) {
  boundary();
  fault_at("update_return");
  plain_update_return(id, status, fd);
}

static void deinitialize(void) {
  boundary();
  fault_at("deinitialize");
}

CAMI_OF(initialize, register_buffer, request, deregister, update_return, deinitialize);
