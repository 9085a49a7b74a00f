/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Many requests with headers that can be made again from a seed, and the tally of their answers.
 */
#ifndef CAMI_IPA_TESTS_STORM_H_
#define CAMI_IPA_TESTS_STORM_H_

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "../digest.h"
#include "cami/camera_algorithm.h"

enum { STORM_IDS = 20000 };

static struct {
  pthread_mutex_t lock;
  pthread_cond_t answered;
  uint32_t expected[STORM_IDS]; /* digest of the header that was sent */
  uint8_t sent[STORM_IDS];
  uint8_t answers[STORM_IDS];
  unsigned total, wrong, doubled, strange;
} storm = {.lock = PTHREAD_MUTEX_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER};

static inline uint32_t storm_next(uint32_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

static inline int32_t storm_handle(uint32_t id) { return (int32_t)(id * 2654435761u); }

static inline void storm_answer(uint32_t id, uint32_t status, int32_t handle) {
  pthread_mutex_lock(&storm.lock);
  if (id >= STORM_IDS || !storm.sent[id]) {
    storm.strange++;
  } else {
    storm.wrong += status != storm.expected[id] || handle != storm_handle(id);
    storm.doubled += storm.answers[id]++ != 0;
  }
  storm.total++;
  pthread_cond_broadcast(&storm.answered);
  pthread_mutex_unlock(&storm.lock);
}

/* Waits until `total` answers have come; 0 at a deadline that means failure. */
static inline int storm_reached(unsigned total) {
  struct timespec deadline;
  int late = 0;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += 30;
  pthread_mutex_lock(&storm.lock);
  while (storm.total < total && !late)
    late = pthread_cond_timedwait(&storm.answered, &storm.lock, &deadline);
  pthread_mutex_unlock(&storm.lock);
  return !late;
}

/* Sends requests `first`…; `window` > 0 waits so that no more than that are unanswered. */
static inline void storm_send(camera_algorithm_ops_t* cami, unsigned first, unsigned count,
                              unsigned least, unsigned most, unsigned seed, unsigned window) {
  static uint8_t header[65536];
  uint32_t state = seed | 1;
  for (unsigned i = 0; i < count; i++) {
    uint32_t id = first + i;
    uint32_t size = least + storm_next(&state) % (most - least + 1);
    for (uint32_t at = 0; at < size; at++) header[at] = (uint8_t)storm_next(&state);
    pthread_mutex_lock(&storm.lock);
    storm.expected[id] = digest(header, size);
    storm.sent[id] = 1;
    pthread_mutex_unlock(&storm.lock);
    cami->request(id, header, size, storm_handle(id));
    if (window && i >= window && !storm_reached(i + 1 - window)) return;
  }
}

static inline void storm_wait(unsigned total, char* result, size_t room) {
  storm_reached(total);
  pthread_mutex_lock(&storm.lock);
  snprintf(result, room, "answered=%u wrong=%u doubled=%u strange=%u", storm.total, storm.wrong,
           storm.doubled, storm.strange);
  pthread_mutex_unlock(&storm.lock);
}

#endif /* CAMI_IPA_TESTS_STORM_H_ */
