/* SPDX-License-Identifier: BSD-3-Clause
 * Every way of calling back that the ABI allows and no HAL expects. The request's id says which. */
#include "vendor.h"

static void* from_thread(void* number) {
  for (uint32_t i = 0; i < 100; i++) answer(1000 + i, i, (int32_t)(intptr_t)number);
  return NULL;
}

static int32_t initialize(const camera_algorithm_callback_ops_t* ops) {
  plain_initialize(ops);
  answer(900, 1, -900);
  return 0;
}

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  pthread_t threads[10];
  camera_algorithm_callback_ops_t copy = *hal;
  switch (id) {
    case 1: /* doubled */
      plain_request(id, header, size, handle);
      plain_request(id, header, size, handle);
      break;
    case 2: /* of a request that nobody made, for a buffer that nobody registered */
      answer(4000000000u, 4000000001u, -2000000000);
      plain_request(id, header, size, handle);
      break;
    case 3: /* from ten threads at once */
      for (intptr_t i = 0; i < 10; i++) pthread_create(&threads[i], NULL, from_thread, (void*)i);
      for (int i = 0; i < 10; i++) pthread_join(threads[i], NULL);
      answer(id, 0, handle);
      break;
    case 4: /* never */
      break;
    case 5: /* through a copy of the table, which is not the table */
      copy.return_callback(&copy, 5, 5, 5);
      plain_request(id, header, size, handle);
      break;
    case 6: /* an update without an fd, and one whose fd is not open */
      hal->update(hal, 60, header, size, -1);
      hal->update(hal, 61, header, size, 987654);
      break;
    case 7: /* notify, which is not a library's to call */
      hal->notify(hal, CAMERA_ALGORITHM_MSG_IPC_ERROR);
      plain_request(id, header, size, handle);
      break;
    default: plain_request(id, header, size, handle);
  }
}

CAMI_OF(initialize, plain_register, request, plain_deregister, plain_update_return,
        plain_deinitialize);
