/* SPDX-License-Identifier: BSD-3-Clause
 * Says no in its own numbers. */
#include "vendor.h"

#define INITIALIZE 2
#define REGISTER 3

static int32_t initialize(const camera_algorithm_callback_ops_t* ops) {
  hal = ops;
  return AT == INITIALIZE ? -ENODEV : 0;
}

/* As the Intel servers do: the fd stays open, and nobody but the process's end closes it. */
static int32_t register_buffer(int fd) { return AT == REGISTER ? -ENOSPC : plain_register(fd); }

CAMI_OF(initialize, register_buffer, plain_request, plain_deregister, plain_update_return,
        plain_deinitialize);
