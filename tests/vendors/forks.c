/* SPDX-License-Identifier: BSD-3-Clause
 * Leaves processes behind, for the header "X": one that ignores every signal it can, and one that has
 * left session and parent. Both hold every descriptor, the link among them. */
#include "vendor.h"

static void stay(const char* who) {
  for (int number = 1; number < 65; number++) signal(number, SIG_IGN);
  SAY("the %s stays\n", who);
  for (;;) pause();
}

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  if (size && header[0] == 'X') {
    if (fork() == 0) stay("child");
    pid_t middle = fork();
    if (middle == 0) {
      setsid();
      if (fork() == 0) stay("orphan");
      _exit(0);
    }
  }
  if (size > 1 && header[1] == 'X') abort();
  plain_request(id, header, size, handle);
}

CAMI_WITH_REQUEST(request);
