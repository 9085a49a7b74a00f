/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A vendor library that answers inside request() and does nothing else.
 */
#define _GNU_SOURCE
#include <cami/camera_algorithm.h>
#include <dlfcn.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "vendor.h"

static const camera_algorithm_callback_ops_t *hal;
static uint32_t (*allocations)(void);

static int32_t initialize(const camera_algorithm_callback_ops_t *callbacks) {
  hal = callbacks;
  *(void **)&allocations = dlsym(RTLD_DEFAULT, "cami_bench_allocations");
  return 0;
}

static int32_t register_buffer(int fd) {
  close(fd);
  return 0;
}

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  uint32_t status = 0;
  switch (size > 0 ? header[0] : ASK_NOTHING) {
    case ASK_PROCESS:
      status = (uint32_t)getpid();
      break;
    case ASK_ALLOCATIONS:
      status = allocations ? allocations() : 0;
      break;
    case ASK_TO_CRASH:
      *(volatile int *)NULL = 0;
      break;
  }
  hal->return_callback(hal, id, status, handle);
}

static void deregister_buffers(const int32_t handles[], uint32_t size) {
  (void)handles;
  (void)size;
}

const camera_algorithm_ops_t CAMI = {initialize,         register_buffer, request,
                                     deregister_buffers, NULL,            NULL};
