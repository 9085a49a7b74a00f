/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Many threads at once: each registers, requests and deregisters, again and again.
 */
#ifndef CAMI_IPA_TESTS_HERD_H_
#define CAMI_IPA_TESTS_HERD_H_

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cami/camera_algorithm.h"

enum { HERD_MOST = 16, HERD_REQUESTS = 8 };

static struct {
  camera_algorithm_ops_t* cami;
  int rounds;
  int failures;
} herd;

static inline void* herd_member(void* unused) {
  static const char zeroes[4096];
  (void)unused;
  for (int i = 0; i < herd.rounds; i++) {
    int fd = memfd_create("herd", MFD_CLOEXEC);
    if (write(fd, zeroes, sizeof zeroes) < 0) _exit(71);
    int32_t handle = herd.cami->register_buffer(fd);
    uint8_t header[4] = {1, 2, 3, (uint8_t)i};
    if (handle <= 0) __atomic_add_fetch(&herd.failures, 1, __ATOMIC_RELAXED);
    for (int j = 0; j < HERD_REQUESTS; j++)
      herd.cami->request(77, header, sizeof header, handle);
    herd.cami->deregister_buffers(&handle, 1);
  }
  return NULL;
}

/* How many buffers could not be registered. */
static inline int herd_run(camera_algorithm_ops_t* cami, int threads, int rounds) {
  pthread_t members[HERD_MOST];
  if (threads > HERD_MOST) threads = HERD_MOST;
  herd.cami = cami;
  herd.rounds = rounds;
  herd.failures = 0;
  for (int i = 0; i < threads; i++) pthread_create(&members[i], NULL, herd_member, NULL);
  for (int i = 0; i < threads; i++) pthread_join(members[i], NULL);
  return herd.failures;
}

#endif /* CAMI_IPA_TESTS_HERD_H_ */
