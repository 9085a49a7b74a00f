/* SPDX-License-Identifier: BSD-3-Clause
 * MediaTek's habits: header 0x56 and the group, 22 threads, sizes by lseek, requests that wait
 * until there is something to tell, callbacks that nobody asked for (id 26, the handle a sensor's
 * number), and its own addresses in shared payloads, believed when they come back. */
#include "vendor.h"

#include "payload.h"
#include "worker.h"

static struct worker workers[MTK_GROUPS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t frame = PTHREAD_COND_INITIALIZER;
static unsigned frames, told;
static uint32_t secret = 77; /* what only the vendor's own address leads to */

static void run(const struct task* task) {
  struct payload* payload = (void*)map_of(task->handle);
  switch (task->header[1]) {
    case MTK_NOTIFY_WAIT: /* a long poll: until the next frame */
      pthread_mutex_lock(&lock);
      while (told == frames) pthread_cond_wait(&frame, &lock);
      told++;
      pthread_mutex_unlock(&lock);
      break;
    case MTK_TUNING: /* the address that the 3A group left there */
      if (payload) payload->output = transform(payload->input + *(uint32_t*)(uintptr_t)payload->address);
      break;
    default:
      if (payload) {
        payload->address = (uintptr_t)&secret;
        payload->output = transform(payload->input + task->id);
      }
      pthread_mutex_lock(&lock);
      frames++;
      pthread_cond_signal(&frame);
      pthread_mutex_unlock(&lock);
      answer(MTK_NOTIFY_CB, 0, 3); /* sensor 3 has something to tell */
  }
  answer(task->id, payload ? 0 : (uint32_t)-EINVAL, task->handle);
}

__attribute__((constructor)) static void start(void) {
  for (int i = 0; i < MTK_GROUPS; i++) worker_start(&workers[i], run);
}

static int32_t register_buffer(int fd) {
  off_t size = lseek(fd, 0, SEEK_END);
  if (size <= 0) return -EBADFD;
  return keep(fd, mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), size);
}

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  if (size != 2 || header[0] != HEADER_BYTE) {
    answer(id, 0x80000000u, handle); /* UNKNOWN_ERROR */
    return;
  }
  worker_push(&workers[header[1] % MTK_GROUPS], id, header, size, handle);
}

CAMI_OF(plain_initialize, register_buffer, request, plain_deregister, NULL, NULL);
