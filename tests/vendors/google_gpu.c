/* SPDX-License-Identifier: BSD-3-Clause
 * The Google GPU library's habits: both handles in the header and none in the argument, a handle is
 * the fd's own number, one thread started by initialize and joined by deinitialize, what is still
 * queued then answered with ECANCELED, no update_return. */
#include "vendor.h"

#include "payload.h"
#include "worker.h"

enum { MOST = 4096 };

static struct worker worker;
static uint8_t* maps[MOST];
static size_t sizes[MOST];
static volatile int cancelled;

static void run(const struct task* task) {
  struct gpu_header header;
  memcpy(&header, task->header, sizeof header);
  if (cancelled) {
    answer(task->id, ECANCELED, task->handle);
    return;
  }
  int known = header.input_handle >= 0 && header.input_handle < MOST &&
              header.output_handle >= 0 && header.output_handle < MOST &&
              maps[header.input_handle] && maps[header.output_handle];
  if (header.command != GPU_PROCESS || !known) {
    answer(task->id, EINVAL, task->handle);
    return;
  }
  for (int i = 0; i < header.width * header.height; i++)
    maps[header.output_handle][i] = (uint8_t)(maps[header.input_handle][i] + header.orientation);
  answer(task->id, 0, task->handle);
}

static int32_t initialize(const camera_algorithm_callback_ops_t* ops) {
  hal = ops;
  cancelled = 0;
  worker_start(&worker, run);
  return 0;
}

static int32_t register_buffer(int fd) {
  struct stat status;
  if (fd >= MOST || fstat(fd, &status)) return -EBADF;
  maps[fd] = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  sizes[fd] = status.st_size;
  return fd;
}

static void deregister_buffers(const int32_t handles[], uint32_t size) {
  for (uint32_t i = 0; i < size; i++) {
    if (handles[i] < 0 || handles[i] >= MOST || !maps[handles[i]]) continue;
    munmap(maps[handles[i]], sizes[handles[i]]);
    maps[handles[i]] = NULL;
    close(handles[i]);
  }
}

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  if (size != sizeof(struct gpu_header)) {
    answer(id, EINVAL, handle);
    return;
  }
  worker_push(&worker, id, header, size, handle);
}

static void deinitialize(void) {
  cancelled = 1;
  worker_end(&worker);
}

CAMI_OF(initialize, register_buffer, request, deregister_buffers, NULL, deinitialize);
