/* SPDX-License-Identifier: BSD-3-Clause
 * Rockchip's habits: header 0x56 and the command, the request id always 0, the algorithm inside
 * `request` on the caller's thread, one thread that only calls back, and no answer at all to a bad
 * header or an unknown buffer. */
#include "vendor.h"

#include "payload.h"
#include "worker.h"

static struct worker poster;

static void post(const struct task* task) { answer(task->id, 0, task->handle); }

__attribute__((constructor)) static void start(void) { worker_start(&poster, post); }

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  struct payload* payload = (void*)map_of(handle);
  if (id != 0 || size != 2 || header[0] != HEADER_BYTE || !payload) return;
  for (int i = 0; i < 1000; i++) payload->output = transform(payload->output + i);
  payload->output = transform(payload->input + header[1]);
  worker_push(&poster, id, header, size, handle);
}

CAMI_OF(plain_initialize, plain_register, request, plain_deregister, NULL, NULL);
