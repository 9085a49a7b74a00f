/* SPDX-License-Identifier: BSD-3-Clause
 * Ends its process AT one place, BY one means. In a request, only for the header "X" (0x58). */
#include "vendor.h"

#define CONSTRUCTOR 1
#define INITIALIZE 2
#define REGISTER 3
#define REQUEST 4
#define CALLBACK 5
#define UPDATE 6
#define DEREGISTER 7
#define UPDATE_RETURN 8
#define DEINITIALIZE 9

#define SEGV 1
#define ABORT 2
#define EXIT 3
#define EXIT_NOW 4
#define STACK 5
#define BUS 6
#define KILL 7
#define PARENT 8

MAYBE static int deeper(volatile char* frame) {
  volatile char more[4096];
  more[0] = *frame;
  if (*frame == 'S') return 0; /* never: only to let the compiler believe in an end */
  return deeper(more) + more[0];
}

MAYBE static void end(void) {
#if BY == SEGV
  *(volatile int*)0x10 = 1;
#elif BY == ABORT
  abort();
#elif BY == EXIT
  exit(0);
#elif BY == EXIT_NOW
  _exit(3);
#elif BY == STACK
  char bottom = 0;
  deeper(&bottom);
#elif BY == BUS
  int fd = memfd_create("empty", 0);
  *(volatile char*)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) = 1;
#elif BY == KILL
  kill(getpid(), SIGKILL);
#elif BY == PARENT
  kill(getppid(), SIGKILL);
  fputs("the parent lives\n", stderr);
  for (;;) pause();
#endif
}

#define END_IF(place) \
  if (AT == place) end()

/* Code of the library's own on a thread of its own, as the servers' workers are. */
MAYBE static void* worker(void* header) {
  answer(*(uint8_t*)header, 0, 0);
  END_IF(CALLBACK);
  return NULL;
}

__attribute__((constructor)) static void construct(void) { END_IF(CONSTRUCTOR); }

static int32_t initialize(const camera_algorithm_callback_ops_t* ops) {
  END_IF(INITIALIZE);
  return plain_initialize(ops);
}

static int32_t register_buffer(int fd) {
  END_IF(REGISTER);
  return plain_register(fd);
}

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  static uint8_t copy;
  pthread_t thread;
  if (size && header[0] == 'X') {
    END_IF(REQUEST);
    if (AT == UPDATE) {
      hal->update(hal, id, header, size, file_of("before the end"));
      end();
    }
    if (AT == CALLBACK) {
      copy = header[0];
      pthread_create(&thread, NULL, worker, &copy);
      pthread_join(thread, NULL);
    }
  }
  plain_request(id, header, size, handle);
}

static void deregister(const int32_t handles[], uint32_t size) {
  END_IF(DEREGISTER);
  plain_deregister(handles, size);
}

static void update_return(uint32_t id, uint32_t status, int fd) {
  END_IF(UPDATE_RETURN);
  plain_update_return(id, status, fd);
}

static void deinitialize(void) { END_IF(DEINITIALIZE); }

CAMI_OF(initialize, register_buffer, request, deregister, update_return, deinitialize);
