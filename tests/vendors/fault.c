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

static int32_t initialize(const camera_algorithm_callback_ops_t* ops) {
  fault_at("initialize");
  return plain_initialize(ops);
}

static int32_t register_buffer(int fd) {
  fault_at("register");
  return plain_register(fd);
}

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  const int is_it = size == 1 && header[0] == 'X';
  if (is_it) fault_at("request");
  if (size == 1 && header[0] == 'U') {
    hal->update(hal, id, header, size, file_of("lent"));
    fault_at("update");
  }
  answer(id, digest(header, size), handle);
  if (is_it) fault_at("callback");
  if (is_it && is("FAULT_AT", "idle")) {
    pthread_t thread;
    pthread_create(&thread, NULL, when_idle, NULL);
  }
}

static void deregister(const int32_t handles[], uint32_t size) {
  fault_at("deregister");
  plain_deregister(handles, size);
}

static void update_return(uint32_t id, uint32_t status, int fd) {
  fault_at("update_return");
  plain_update_return(id, status, fd);
}

static void deinitialize(void) { fault_at("deinitialize"); }

CAMI_OF(initialize, register_buffer, request, deregister, update_return, deinitialize);
