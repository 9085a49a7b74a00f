/* SPDX-License-Identifier: BSD-3-Clause
 * Intel IPU3's habits: the command is the request id, three threads chosen by its range and started
 * in a constructor, header 0x56, a bad header answered at once with status 1, handles never reused,
 * sizes by fstat, no deinitialize. */
#include "vendor.h"

#include "payload.h"
#include "worker.h"

static struct worker aiq, aic, other;

static void run(const struct task* task) {
  struct payload* payload = (void*)map_of(task->handle);
  if (task->id == IPU3_FACE_UNINIT) { /* the one command without a buffer */
    answer(task->id, task->handle != -1, task->handle);
    return;
  }
  if (payload) payload->output = transform(payload->input + task->id);
  answer(task->id, !payload, task->handle);
}

__attribute__((constructor)) static void start(void) {
  worker_start(&aiq, run);
  worker_start(&aic, run);
  worker_start(&other, run);
}

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  if (size < 1 || header[0] != HEADER_BYTE) {
    answer(id, 1, handle);
    return;
  }
  worker_push(id < IPU3_AIC ? &aiq : id < IPU3_OTHER ? &aic : &other, id, header, size, handle);
}

CAMI_OF(plain_initialize, plain_register, request, plain_deregister, NULL, NULL);
