/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A camera HAL as small as it can be: hal LIBCAM_ALGO. It uses the library through `CAMI` alone.
 *
 *   nothing                                                                   nothing
 *   initialize     loads the library, initializes it                          1
 *   process        the number of the vendor process                           pid
 *   run N          N requests, each sent from the callback of the one before  N times ns
 *   allocations N  the same; allocations meanwhile and until now, here and
 *                  in the vendor process                                      4 counts
 *   resume         SIGKILL to the vendor process, then a request              ns
 *   kill           SIGKILL to the vendor process, then a new start            2 times ns
 *   crash          a request that makes the vendor library crash, the same    2 times ns
 *
 * The two times are those until the entry of `notify`, and from the call of `initialize` after it
 * to the first answer.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <stdio.h>
#include <dirent.h>
#include <cami/camera_algorithm.h>
#include <dlfcn.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include "driver.h"
#include "vendor.h"

/* allocations.c, linked into this program */
uint32_t cami_bench_allocations(void);

static const camera_algorithm_ops_t *cami;
static uint8_t header[HEADER_BYTES];
static sem_t answered;
static sem_t notified;

/* Of the callbacks' thread, between two posts of `answered`. */
static uint32_t left;
static uint32_t taken;
static uint64_t begin;
static uint32_t last_status;
static uint64_t notified_at;

static void send_request(uint8_t ask) {
  header[0] = ask;
  begin = now_ns();
  cami->request(7, header, sizeof header, 3);
}

static void return_callback(const camera_algorithm_callback_ops_t *ops, uint32_t id,
                            uint32_t status, int32_t handle) {
  uint64_t entry = now_ns();
  (void)ops;
  if (id != 7 || handle != 3) fail("an answer to no request");
  last_status = status;
  samples[taken] = as_sample(entry - begin);
  if (left == 0) {
    sem_post(&answered);
    return;
  }
  left--;
  taken++;
  send_request(ASK_NOTHING);
}

static void notify(const camera_algorithm_callback_ops_t *ops,
                   camera_algorithm_error_msg_code_t message) {
  notified_at = now_ns();
  (void)ops;
  (void)message;
  sem_post(&notified);
}

static const camera_algorithm_callback_ops_t callbacks = {return_callback, notify, NULL};

static void wait_for(sem_t *semaphore, const char *what) {
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += 20;
  while (sem_timedwait(semaphore, &deadline) != 0)
    if (errno != EINTR) fail(what);
}

static void initialize(void) {
  if (cami->initialize(&callbacks) != 0) fail("initialize failed; CAMI_IPA_LOG=info says why");
}

/* One request, sent from the main thread. */
static uint32_t ask(uint8_t what) {
  left = 0;
  taken = 0;
  send_request(what);
  wait_for(&answered, "a request was not answered within 20 s");
  return last_status;
}

/* `number` requests that are sent from callbacks, after one that is sent from here: its time is
 * samples[0], theirs follow. */
static void run(uint32_t number) {
  left = number;
  taken = 0;
  send_request(ASK_NOTHING);
  wait_for(&answered, "requests were not answered within 20 s");
}

/* The oldest child that the threads of a process have; 0 if none. A younger one stands by. */
static pid_t child_of(pid_t process) {
  char path[64], line[4096];
  pid_t found = 0;
  snprintf(path, sizeof path, "/proc/%d/task", process);
  DIR *threads = opendir(path);
  if (!threads) return 0;
  for (struct dirent *entry; (entry = readdir(threads));) {
    snprintf(path, sizeof path, "/proc/%d/task/%.16s/children", process, entry->d_name);
    FILE *children = fopen(path, "r");
    if (!children) continue;
    pid_t child = fgets(line, sizeof line, children) ? atoi(line) : 0;
    if (child && (!found || child < found)) found = child;
    fclose(children);
  }
  closedir(threads);
  return found;
}

/* The process that holds the vendor library, by its number here: it knows itself by another. It is
 * the last in the line. */
static pid_t vendor_process(void) {
  pid_t last = 0;
  ask(ASK_PROCESS); /* it is up */
  for (pid_t child = getpid(); (child = child_of(child));) last = child;
  return last;
}

static void death(uint8_t by_request, uint32_t times[2]) {
  pid_t vendor = vendor_process();
  uint64_t killed_at = now_ns();
  if (by_request)
    send_request(ASK_TO_CRASH);
  else if (kill(vendor, SIGKILL) != 0)
    fail("the vendor process cannot be killed");
  wait_for(&notified, "no notify within 20 s of a crash");
  times[0] = as_sample(notified_at - killed_at);
  uint64_t again = now_ns();
  initialize();
  ask(ASK_NOTHING);
  times[1] = as_sample(now_ns() - again);
}

/* With recovery = "resume": a request made after the death, until its answer. */
static void resumption(uint32_t times[1]) {
  pid_t vendor = vendor_process();
  uint64_t killed_at = now_ns();
  if (kill(vendor, SIGKILL) != 0) fail("the vendor process cannot be killed");
  ask(ASK_NOTHING);
  times[0] = as_sample(now_ns() - killed_at);
}

int main(int argc, char **argv) {
  char word[32];
  uint32_t number;
  if (argc != 2) fail("usage: hal LIBCAM_ALGO");
  sem_init(&answered, 0, 0);
  sem_init(&notified, 0, 0);
  prepare();
  while ((number = command(word)) != END_OF_INPUT) {
    uint32_t values[4] = {1, 0, 0, 0};
    if (strcmp(word, "initialize") == 0) {
      void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
      if (!library) fail(dlerror());
      cami = dlsym(library, "CAMI");
      if (!cami) fail("the library has no CAMI");
      initialize();
      answer(values, 1);
    } else if (strcmp(word, "nothing") == 0) {
      answer(values, 0);
    } else if (!cami) {
      fail("not initialized");
    } else if (strcmp(word, "process") == 0) {
      values[0] = (uint32_t)vendor_process();
      answer(values, 1);
    } else if (strcmp(word, "run") == 0) {
      run(number);
      answer(samples + 1, number);
    } else if (strcmp(word, "allocations") == 0) {
      uint32_t there = ask(ASK_ALLOCATIONS);
      uint32_t here = cami_bench_allocations();
      run(number);
      values[2] = cami_bench_allocations();
      values[3] = ask(ASK_ALLOCATIONS);
      values[0] = values[2] - here;
      values[1] = values[3] - there;
      answer(values, 4);
    } else if (strcmp(word, "kill") == 0 || strcmp(word, "crash") == 0) {
      death(word[0] == 'c', values);
      answer(values, 2);
    } else if (strcmp(word, "resume") == 0) {
      resumption(values);
      answer(values, 1);
    } else {
      fail("an unknown command");
    }
  }
  return 0;
}
