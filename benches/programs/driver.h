/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the three measuring programs share: commands, answers and the clock.
 *
 * A command is one line on standard input, a word and perhaps a number. The answer on standard
 * output is a u32 count and as many u32 values, in host order. A program that cannot go on says
 * why on standard error and exits; it also exits at the end of its standard input.
 */
#ifndef CAMI_IPA_BENCHES_DRIVER_H_
#define CAMI_IPA_BENCHES_DRIVER_H_

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The most samples of one command. */
#define MAX_SAMPLES 100000u

/* Touched before the first measurement, so that no page fault is measured. */
static uint32_t samples[MAX_SAMPLES + 1];

static inline void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  _Exit(2);
}

static inline uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint32_t as_sample(uint64_t ns) {
  return ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static inline void answer(const uint32_t *values, uint32_t count) {
  if (fwrite(&count, sizeof count, 1, stdout) != 1 ||
      fwrite(values, sizeof *values, count, stdout) != count || fflush(stdout) != 0)
    fail("cannot answer");
}

/* Reads a command; its word is put into `word`, its number (0 if there is none) returned. */
static inline uint32_t command(char word[32]) {
  char line[64];
  unsigned number = 0;
  if (!fgets(line, sizeof line, stdin)) return UINT32_MAX;
  if (sscanf(line, "%31s %u", word, &number) < 1 || number > MAX_SAMPLES) fail("a bad command");
  return number;
}

#define END_OF_INPUT UINT32_MAX

static inline void prepare(void) { memset(samples, 1, sizeof samples); }

#endif
