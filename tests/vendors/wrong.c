/* SPDX-License-Identifier: BSD-3-Clause
 * A library that keeps every rule of `cami-ipa conform`, but for the one that WRONG names. A worker
 * answers; all that is shared is under one lock, which is not held while a callback runs. */
#include "vendor.h"

#include <fenv.h>

#define NOTHING 0
#define LEAKS_DESCRIPTOR 1
#define LEAKS_MAPPING 2
#define CLOSES_TWICE 3
#define TRUSTS_HANDLES 4
#define KEEPS_HEADER 5
#define COPIES_TABLE 6
#define CALLS_BACK_LATE 7
#define SETS_HANDLER 8
#define WRITES_HEADER 9
#define ROUNDS_UP 10

#define LIVE 4096

static struct buffer {
  int32_t handle; /* 0 is free */
  int fd, dead;
  uint8_t* map;
  size_t size;
} known[LIVE];

static struct job {
  uint32_t id;
  const uint8_t* header;
  uint8_t first;
  int32_t handle;
} jobs[4096];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned head, tail;
static int32_t last;
static int running, ending;
static pthread_t thread;
static camera_algorithm_callback_ops_t copy;

static void say(uint32_t id, uint32_t status, int32_t handle) {
  const camera_algorithm_callback_ops_t* ops = hal;
#if WRONG == COPIES_TABLE
  ops = &copy;
#endif
  ops->return_callback(ops, id, status, handle);
}

static struct buffer* find(int32_t handle) {
  for (unsigned i = 0; i < LIVE; i++)
    if (known[i].handle == handle) return &known[i];
  return NULL;
}

static void* work(void* unused) {
  (void)unused;
  pthread_mutex_lock(&lock);
  for (;;) {
    while (head == tail && !ending) pthread_cond_wait(&changed, &lock);
    if (head == tail) break;
    struct job job = jobs[head++ % 4096];
    struct buffer* buffer = job.handle > 0 ? find(job.handle) : NULL;
    uint32_t status = !buffer || buffer->dead;
    if (!status) buffer->map[0]++;
    pthread_mutex_unlock(&lock);
#if WRONG == KEEPS_HEADER
    usleep(2000);
    if (job.header) job.first = *(volatile const uint8_t*)job.header;
#endif
    say(job.id, status, job.handle);
    pthread_mutex_lock(&lock);
  }
  pthread_mutex_unlock(&lock);
  return NULL;
}

MAYBE static void* late(void* unused) {
  (void)unused;
  usleep(20000);
  say(7000, 0, -1);
  return NULL;
}

static int32_t initialize(const camera_algorithm_callback_ops_t* ops) {
  if (!ops || !ops->return_callback) return -EINVAL;
  pthread_mutex_lock(&lock);
  hal = ops;
  copy.return_callback = ops->return_callback;
  if (!running) {
    ending = 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    running = !pthread_create(&thread, NULL, work, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  }
  pthread_mutex_unlock(&lock);
#if WRONG == SETS_HANDLER
  signal(SIGUSR1, SIG_IGN);
#endif
#if WRONG == ROUNDS_UP
  fesetround(FE_UPWARD);
#endif
  return running ? 0 : -EAGAIN;
}

static int32_t register_buffer(int fd) {
  struct stat status;
  if (fstat(fd, &status)) return -EBADF;
  void* map = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) return -EBADFD;
  pthread_mutex_lock(&lock);
  struct buffer* buffer = find(0);
  int32_t handle = -ENOSPC;
  if (buffer) {
    handle = ++last;
    *buffer = (struct buffer){handle, fd, 0, map, status.st_size};
  }
  pthread_mutex_unlock(&lock);
  return handle;
}

static void let_go(struct buffer* buffer) {
#if WRONG != LEAKS_MAPPING
  munmap(buffer->map, buffer->size);
#endif
#if WRONG != LEAKS_DESCRIPTOR
  close(buffer->fd);
#endif
  buffer->handle = 0;
}

static void deregister(const int32_t handles[], uint32_t size) {
#if WRONG == CLOSES_TWICE
  static int32_t closed = -1;
  static int number;
  if (size && handles[0] == closed) close(number);
#endif
  for (uint32_t i = 0; i < size; i++) {
    pthread_mutex_lock(&lock);
    struct buffer* buffer = handles[i] > 0 ? find(handles[i]) : NULL;
#if WRONG == TRUSTS_HANDLES
    if (!buffer && handles[i] > last) abort();
#endif
#if WRONG == CLOSES_TWICE
    if (buffer) closed = handles[i], number = buffer->fd;
#endif
    if (buffer) let_go(buffer);
    pthread_mutex_unlock(&lock);
  }
}

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  pthread_mutex_lock(&lock);
#if WRONG == WRITES_HEADER
  if (size) *(volatile uint8_t*)header = header[0];
#endif
  jobs[tail++ % 4096] = (struct job){id, size ? header : NULL, size ? header[0] : 0, handle};
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&lock);
}

static void deinitialize(void) {
  pthread_mutex_lock(&lock);
  int was = running;
  running = 0;
  ending = 1;
  head = tail;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&lock);
  if (was) pthread_join(thread, NULL);
  pthread_mutex_lock(&lock);
  for (unsigned i = 0; i < LIVE; i++)
    if (known[i].handle) let_go(&known[i]);
  pthread_mutex_unlock(&lock);
#if WRONG == CALLS_BACK_LATE
  if (was) {
    pthread_t other;
    pthread_create(&other, NULL, late, NULL);
    pthread_detach(other);
  }
#else
  (void)late;
#endif
}

CAMI_OF(initialize, register_buffer, request, deregister, plain_update_return, deinitialize);
