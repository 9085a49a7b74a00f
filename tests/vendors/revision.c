/* SPDX-License-Identifier: BSD-3-Clause
 * A table of SLOTS slots. What follows in memory would end the process if it were called. */
#include "vendor.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

void update_return(uint32_t id, uint32_t status, int fd) {
  plain_update_return(id, status, fd);
  answer(id, status, -44);
}
void deinitialize(void) { SAY("deinitialized\n"); }
void behind_the_table(void) {
  SAY("called behind the table\n");
  abort();
}
int32_t initialize(const camera_algorithm_callback_ops_t* ops) { return plain_initialize(ops); }
int32_t register_buffer(int fd) { return plain_register(fd); }
void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  plain_request(id, header, size, handle);
}
void deregister_buffers(const int32_t handles[], uint32_t size) {
  plain_deregister(handles, size);
}

#if SLOTS == 4
#define TAIL "behind_the_table, behind_the_table"
#elif SLOTS == 5
#define TAIL "update_return, behind_the_table"
#else
#define TAIL "update_return, deinitialize"
#endif

__asm__(".pushsection .data.rel,\"aw\"\n"
        ".balign 16\n"
        ".globl CAMI\n"
        ".type CAMI, %object\n"
        "CAMI: .dc.a initialize, register_buffer, request, deregister_buffers\n"
        ".dc.a " TAIL "\n"
        ".dc.a behind_the_table, behind_the_table\n"
        ".size CAMI, " TEXT(SLOTS) " * " TEXT(__SIZEOF_POINTER__) "\n"
        ".popsection\n");
