/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A well-behaved vendor library to be bent: each .c file in this folder includes it, replaces what
 * it wants to do differently, and ends with CAMI_OF(...) or a table of its own.
 */
#ifndef CAMI_IPA_TESTS_VENDOR_H_
#define CAMI_IPA_TESTS_VENDOR_H_

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../digest.h"
#include "cami/camera_algorithm.h"

#define MAYBE __attribute__((unused))

/* One line on standard error, which the monitor logs under this library's name. */
#define SAY(...) dprintf(STDERR_FILENO, "vendor: " __VA_ARGS__)

static const camera_algorithm_callback_ops_t* hal;

static struct {
  uint8_t* map;
  size_t size;
  int fd;
} buffers[1024];
static int32_t buffer_count;

MAYBE static void answer(uint32_t id, uint32_t status, int32_t handle) {
  hal->return_callback(hal, id, status, handle);
}

MAYBE static uint8_t* map_of(int32_t handle) {
  return handle > 0 && handle <= buffer_count ? buffers[handle - 1].map : NULL;
}

MAYBE static int32_t plain_initialize(const camera_algorithm_callback_ops_t* ops) {
  hal = ops;
  return 0;
}

/* Handles 1, 2, 3…, from any thread: a host calls on one, a client that loads the library itself on
   several. */
MAYBE static int32_t keep(int fd, void* map, size_t size) {
  static pthread_mutex_t registering = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&registering);
  int32_t handle = buffer_count == 1024 || map == MAP_FAILED ? -EBADFD : buffer_count + 1;
  if (handle > 0) {
    buffers[buffer_count].map = map;
    buffers[buffer_count].size = size;
    buffers[buffer_count++].fd = fd;
  }
  pthread_mutex_unlock(&registering);
  return handle;
}

/* The size is what fstat says, as the Intel servers have it. */
MAYBE static int32_t plain_register(int fd) {
  struct stat status;
  if (fstat(fd, &status)) return -EBADFD;
  return keep(fd, mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
              status.st_size);
}

/* The digest of the header is the status; the buffer's first byte counts its requests. */
MAYBE static void plain_request(uint32_t id, const uint8_t header[], uint32_t size,
                                int32_t handle) {
  if (map_of(handle)) map_of(handle)[0]++;
  answer(id, digest(header, size), handle);
}

MAYBE static void plain_deregister(const int32_t handles[], uint32_t size) {
  for (uint32_t i = 0; i < size; i++) {
    if (!map_of(handles[i])) continue;
    munmap(buffers[handles[i] - 1].map, buffers[handles[i] - 1].size);
    close(buffers[handles[i] - 1].fd);
    buffers[handles[i] - 1].map = NULL;
  }
}

MAYBE static void plain_update_return(uint32_t id, uint32_t status, int fd) {
  (void)id;
  (void)status;
  if (fd >= 0) close(fd);
}

MAYBE static void plain_deinitialize(void) {}

/* An fd whose content is `text`. */
MAYBE static int file_of(const char* text) {
  int fd = memfd_create("update", MFD_CLOEXEC);
  if (write(fd, text, strlen(text)) < 0) abort();
  return fd;
}

#define CAMI_OF(initialize, register_buffer, request, deregister_buffers, update_return, \
                deinitialize)                                                            \
  camera_algorithm_ops_t CAMI = {initialize,         register_buffer, request,           \
                                 deregister_buffers, update_return,   deinitialize}

/* All plain but for the request, which is what most faults are about. */
#define CAMI_WITH_REQUEST(request)                                                             \
  CAMI_OF(plain_initialize, plain_register, request, plain_deregister, plain_update_return, \
          plain_deinitialize)

#endif /* CAMI_IPA_TESTS_VENDOR_H_ */
