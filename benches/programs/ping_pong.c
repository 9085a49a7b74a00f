/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The least that two processes can do over one SOCK_SEQPACKET pair: ping_pong REQUEST_BYTES
 * ANSWER_BYTES. `run N` measures N round trips: one send and one blocking recv on either side.
 */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <unistd.h>

#include "driver.h"

#define MAX_BYTES 65536

static char request[MAX_BYTES];
static char reply[MAX_BYTES];

int main(int argc, char **argv) {
  int pair[2];
  char word[32];
  uint32_t number;
  if (argc != 3) fail("usage: ping_pong REQUEST_BYTES ANSWER_BYTES");
  const size_t request_bytes = (size_t)atoi(argv[1]), answer_bytes = (size_t)atoi(argv[2]);
  if (request_bytes == 0 || request_bytes > MAX_BYTES || answer_bytes == 0 ||
      answer_bytes > MAX_BYTES)
    fail("sizes from 1 to 65536");
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) fail("socketpair");
  prepare();
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    close(pair[0]);
    while (recv(pair[1], request, sizeof request, 0) > 0)
      if (send(pair[1], reply, answer_bytes, MSG_NOSIGNAL) < 0) break;
    _exit(0);
  }
  close(pair[1]);
  while ((number = command(word)) != END_OF_INPUT) {
    for (uint32_t i = 0; i < number; i++) {
      uint64_t begin = now_ns();
      if (send(pair[0], request, request_bytes, MSG_NOSIGNAL) < 0) fail("send");
      if (recv(pair[0], reply, sizeof reply, 0) != (ssize_t)answer_bytes) fail("recv");
      samples[i] = as_sample(now_ns() - begin);
    }
    answer(samples, number);
  }
  return 0;
}
