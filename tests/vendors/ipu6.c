/* SPDX-License-Identifier: BSD-3-Clause
 * Intel IPU6's habits, once for the CPU library and once, with GPU set, for the other: five threads
 * or one, handles of other buffers inside payloads, numbers 1..1024 recycled first in first out,
 * an unknown group dropped without an answer, handle -1 for commands without a buffer. */
#include "vendor.h"

#include "payload.h"
#include "worker.h"

enum { MOST = 1024 };

static struct worker workers[5];
static uint8_t* maps[MOST + 1];
static size_t sizes[MOST + 1];
static int fds[MOST + 1];
static int32_t free_numbers[MOST];
static unsigned next_free, next_freed = MOST;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for registering, not for lookup */

static void run(const struct task* task) {
  struct payload* payload = task->handle > 0 ? (void*)maps[task->handle] : NULL;
  if (task->handle == -1) {
    answer(task->id, task->id != IPU6_GRAPH_ADD_KEY, -1);
    return;
  }
  struct payload* in = (void*)maps[payload->nested[0]];
  struct payload* out = (void*)maps[payload->nested[1]];
  if (in && out) out->output = transform(in->input + task->id);
  answer(task->id, !(in && out), task->handle);
}

__attribute__((constructor)) static void start(void) {
  for (int i = 0; i < MOST; i++) free_numbers[i] = i + 1;
#if GPU
  worker_start(&workers[0], run);
#else
  for (int i = 0; i < 5; i++) worker_start(&workers[i], run);
#endif
}

static int32_t register_buffer(int fd) {
  struct stat status;
  if (fstat(fd, &status)) return -EBADFD;
  pthread_mutex_lock(&lock);
  int32_t handle = next_free == next_freed ? -EBADFD : free_numbers[next_free++ % MOST];
  if (handle > 0) {
    maps[handle] = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    sizes[handle] = status.st_size;
    fds[handle] = fd;
  }
  pthread_mutex_unlock(&lock);
  return handle;
}

static void deregister_buffers(const int32_t handles[], uint32_t size) {
  pthread_mutex_lock(&lock);
  for (uint32_t i = 0; i < size; i++) {
    int32_t handle = handles[i];
    if (handle < 1 || handle > MOST || !maps[handle]) continue;
    munmap(maps[handle], sizes[handle]);
    close(fds[handle]);
    maps[handle] = NULL;
    free_numbers[next_freed++ % MOST] = handle;
  }
  pthread_mutex_unlock(&lock);
}

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  if (size < 1 || header[0] != HEADER_BYTE) {
    answer(id, 1, handle);
    return;
  }
  if (id < 1 || id > IPU6_LAST) return;
  unsigned group = GPU ? 0 : id < IPU6_PAL ? 0 : id < IPU6_PSYS ? 1 : id < IPU6_FD ? 2
                       : id < IPU6_GRAPH_ADD_KEY ? 3 : 4;
  worker_push(&workers[group], id, header, size, handle);
}

CAMI_OF(plain_initialize, register_buffer, request, deregister_buffers, NULL, NULL);
