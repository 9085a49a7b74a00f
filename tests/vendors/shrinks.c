/* SPDX-License-Identifier: BSD-3-Clause
 * Tries every way of making a registered buffer smaller, or of sealing it against its owner.
 * The status of a request is the number of ways that worked. */
#include "vendor.h"

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  uint32_t worked = 0;
  char path[64];
  (void)header;
  (void)size;
  for (int32_t i = 0; i < buffer_count; i++) {
    int fd = buffers[i].fd;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    worked += ftruncate(fd, 0) == 0;
    worked += truncate(path, 0) == 0;
    worked += fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096) == 0;
    worked += fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0;
    int again = open(path, O_RDWR | O_TRUNC | O_CLOEXEC);
    worked += again >= 0;
    if (again >= 0) close(again);
  }
  answer(id, worked, handle);
}

CAMI_WITH_REQUEST(request);
