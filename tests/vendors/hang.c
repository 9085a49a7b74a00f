/* SPDX-License-Identifier: BSD-3-Clause
 * Never returns from one place: AT. In a request, only for the header "X" (0x58). */
#include "vendor.h"

#define CONSTRUCTOR 1
#define INITIALIZE 2
#define REGISTER 3
#define REQUEST 4
#define DEREGISTER 7
#define UPDATE_RETURN 8
#define DEINITIALIZE 9

static void hang_if(int here) {
  if (!here) return;
  SAY("hangs\n");
  for (;;) sleep(1000); /* not pause: ChromeOS forbids it */
}

__attribute__((constructor)) static void construct(void) { hang_if(AT == CONSTRUCTOR); }

static int32_t initialize(const camera_algorithm_callback_ops_t* ops) {
  hang_if(AT == INITIALIZE);
  return plain_initialize(ops);
}

static int32_t register_buffer(int fd) {
  hang_if(AT == REGISTER);
  return plain_register(fd);
}

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  hang_if(AT == REQUEST && size && header[0] == 'X');
  plain_request(id, header, size, handle);
}

static void deregister(const int32_t handles[], uint32_t size) {
  hang_if(AT == DEREGISTER);
  plain_deregister(handles, size);
}

static void update_return(uint32_t id, uint32_t status, int fd) {
  hang_if(AT == UPDATE_RETURN);
  plain_update_return(id, status, fd);
}

static void deinitialize(void) { hang_if(AT == DEINITIALIZE); }

CAMI_OF(initialize, register_buffer, request, deregister, update_return, deinitialize);
