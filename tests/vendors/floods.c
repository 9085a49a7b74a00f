/* SPDX-License-Identifier: BSD-3-Clause
 * Writes 64 MiB to standard error, half of it without a line's end, for the header "X". */
#include "vendor.h"

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  static char block[65536];
  if (size && header[0] == 'X') {
    memset(block, 'f', sizeof block);
    for (int i = 0; i < 1024; i++) {
      for (size_t at = 127; i >= 512 && at < sizeof block; at += 128) block[at] = '\n';
      for (size_t done = 0; done < sizeof block;) {
        ssize_t wrote = write(STDERR_FILENO, block + done, sizeof block - done);
        if (wrote < 0) break;
        done += wrote;
      }
    }
  }
  plain_request(id, header, size, handle);
}

CAMI_WITH_REQUEST(request);
