/* SPDX-License-Identifier: BSD-3-Clause
 * Closes every fd of its process, the link among them, for the header "X". */
#include "vendor.h"

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  if (size && header[0] == 'X')
    for (int fd = 0; fd < 4096; fd++) close(fd);
  plain_request(id, header, size, handle);
}

CAMI_WITH_REQUEST(request);
