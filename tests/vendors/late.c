/* SPDX-License-Identifier: BSD-3-Clause
 * Calls back while and after it is deinitialized, from a thread that nobody stops. */
#include "vendor.h"

static volatile int over;

static void* for_ever(void* unused) {
  for (uint32_t i = 0;; i++) {
    answer(7000 + i % 1000, 0, over);
    usleep(200);
  }
  return unused;
}

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  pthread_t thread;
  pthread_create(&thread, NULL, for_ever, NULL);
  pthread_detach(thread);
  plain_request(id, header, size, handle);
}

static void deinitialize(void) {
  over = 1;
  answer(8000, 0, 0);
  SAY("deinitialized\n");
}

CAMI_OF(plain_initialize, plain_register, request, plain_deregister, plain_update_return,
        deinitialize);
