/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The vendors' HAL clients: each drives a library as its own HAL does (spec: cami-abi.md, 5.1).
 * clients NAME LIBRARY [LIBRARY]: exit code 0 and "done" if every answer was right.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../vendors/payload.h"
#include "buffers.h"
#include "cami/camera_algorithm.h"

#define CHECK(condition)                                                          \
  do {                                                                            \
    if (!(condition)) {                                                           \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);     \
      _exit(1);                                                                   \
    }                                                                             \
  } while (0)

enum { GROUPS = 64, FRAMES = 200, TIMEOUT_S = 5 };

/* One runner for each group: a mutex, a flag and five monotonic seconds, as all four clients. */
static struct runner {
  pthread_mutex_t busy; /* one request of a group at a time */
  pthread_mutex_t lock;
  pthread_cond_t done;
  int answered;
  uint32_t status;
  int32_t handle;
} runners[GROUPS];

static unsigned (*group_of)(uint32_t id, int32_t handle);
static unsigned pushes, answers;
static int lost;

static void on_return(const camera_algorithm_callback_ops_t* self, uint32_t id, uint32_t status,
                      int32_t handle) {
  (void)self;
  unsigned group = group_of(id, handle);
  if (group == GROUPS) { /* a push */
    __atomic_fetch_add(&pushes, 1, __ATOMIC_RELAXED);
    return;
  }
  __atomic_fetch_add(&answers, 1, __ATOMIC_RELAXED);
  struct runner* runner = &runners[group];
  pthread_mutex_lock(&runner->lock);
  runner->answered = 1;
  runner->status = status;
  runner->handle = handle;
  pthread_cond_signal(&runner->done);
  pthread_mutex_unlock(&runner->lock);
}

static void on_notify(const camera_algorithm_callback_ops_t* self,
                      camera_algorithm_error_msg_code_t message) {
  (void)self;
  (void)message;
  lost = 1;
}

static const camera_algorithm_callback_ops_t callbacks = {on_return, on_notify, NULL};

static camera_algorithm_ops_t* load(const char* path, const camera_algorithm_callback_ops_t* ops) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) fprintf(stderr, "%s\n", dlerror());
  CHECK(library);
  camera_algorithm_ops_t* cami = dlsym(library, CAMERA_ALGORITHM_MODULE_INFO_SYM_AS_STR);
  CHECK(cami);
  CHECK(cami->initialize(ops) == 0);
  return cami;
}

/* A request and its answer's status. */
static uint32_t status_of(camera_algorithm_ops_t* cami, unsigned group, uint32_t id,
                          const void* header, uint32_t size, int32_t handle) {
  struct runner* runner = &runners[group];
  struct timespec deadline;
  int late = 0;
  pthread_mutex_lock(&runner->busy);
  runner->answered = 0;
  cami->request(id, header, size, handle);
  clock_gettime(CLOCK_MONOTONIC, &deadline);
  deadline.tv_sec += TIMEOUT_S;
  pthread_mutex_lock(&runner->lock);
  while (!runner->answered && !late)
    late = pthread_cond_timedwait(&runner->done, &runner->lock, &deadline);
  CHECK(runner->answered);
  CHECK(runner->handle == handle);
  uint32_t status = runner->status;
  pthread_mutex_unlock(&runner->lock);
  pthread_mutex_unlock(&runner->busy);
  return status;
}

/* A buffer as the clients make it: shm_open under a name, unlinked when both sides have it. */
static int32_t share(camera_algorithm_ops_t* cami, size_t size, struct payload** map) {
  static unsigned count;
  char name[64];
  snprintf(name, sizeof name, "/cami-ipa-test-%d-%u", getpid(),
           __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED));
  int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
  CHECK(fd >= 0 && ftruncate(fd, size) == 0);
  *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  CHECK(*map != MAP_FAILED);
  shm_unlink(name);
  int32_t handle = cami->register_buffer(fd);
  CHECK(handle >= 0);
  return handle;
}

static void in_threads(void* (*run)(void*), unsigned count, camera_algorithm_ops_t* cami) {
  static struct {
    camera_algorithm_ops_t* cami;
    unsigned number;
  } arguments[GROUPS];
  pthread_t threads[GROUPS];
  for (unsigned i = 0; i < count; i++) {
    arguments[i].cami = cami;
    arguments[i].number = i;
    CHECK(pthread_create(&threads[i], NULL, run, &arguments[i]) == 0);
  }
  for (unsigned i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

struct job {
  camera_algorithm_ops_t* cami;
  unsigned number;
};

static const uint8_t header56[2] = {HEADER_BYTE, 0};

/* ---- Intel IPU3 ---- */

static unsigned ipu3_group(uint32_t id, int32_t handle) {
  (void)handle;
  return id < IPU3_AIC ? 0 : id < IPU3_OTHER ? 1 : 2;
}

static void* ipu3_runner(void* argument) {
  static const uint32_t commands[] = {IPU3_AIQ, IPU3_AIC, IPU3_OTHER};
  static const size_t sizes[] = {500000, 800004, 1920 * 1280};
  struct job* job = argument;
  struct payload* payload;
  uint32_t command = commands[job->number];
  int32_t handle = share(job->cami, sizes[job->number], &payload);
  for (uint32_t frame = 0; frame < FRAMES; frame++) {
    payload->input = frame;
    CHECK(status_of(job->cami, job->number, command, header56, 1, handle) == 0);
    CHECK(payload->output == transform(frame + command));
  }
  return NULL;
}

static void ipu3(char** libraries) {
  group_of = ipu3_group;
  camera_algorithm_ops_t* cami = load(libraries[0], &callbacks);
  struct payload* payload;
  for (int i = 0; i < 5; i++) { /* AIQ_INIT's buffer lives for one request */
    int32_t handle = share(cami, 1 << 20, &payload);
    CHECK(status_of(cami, 0, IPU3_AIQ_INIT, header56, 1, handle) == 0);
    CHECK(payload->output == transform(IPU3_AIQ_INIT));
    cami->deregister_buffers(&handle, 1);
    int32_t next = share(cami, 4096, &payload);
    CHECK(next == handle + 1);
    cami->deregister_buffers(&next, 1);
  }
  in_threads(ipu3_runner, 3, cami);
  CHECK(status_of(cami, 2, IPU3_FACE_UNINIT, header56, 1, -1) == 0);
  CHECK(status_of(cami, 0, IPU3_AIQ, "U", 1, 1) == 1);
}

/* ---- Intel IPU6 ---- */

static unsigned ipu6_group(uint32_t id, int32_t handle) {
  (void)handle;
  if (id == IPU6_TNR) return 5;
  return id < IPU6_PAL ? 0 : id < IPU6_PSYS ? 1 : id < IPU6_FD ? 2 : id < IPU6_GRAPH_ADD_KEY ? 3 : 4;
}

static void ipu6_frames(camera_algorithm_ops_t* cami, unsigned group, uint32_t command) {
  struct payload *payload, *in, *out;
  int32_t handle = share(cami, 8192, &payload);
  for (uint32_t frame = 0; frame < FRAMES; frame++) {
    /* The surfaces are made and registered for each frame, and named inside the payload. */
    payload->nested[0] = share(cami, 4096, &in);
    payload->nested[1] = share(cami, 4096, &out);
    in->input = frame;
    CHECK(status_of(cami, group, command, header56, 1, handle) == 0);
    CHECK(out->output == transform(frame + command));
    cami->deregister_buffers(payload->nested, 2);
    munmap(in, 4096);
    munmap(out, 4096);
  }
}

static void* ipu6_runner(void* argument) {
  static const uint32_t commands[] = {IPU6_AIQ, IPU6_PAL, IPU6_PSYS, IPU6_FD};
  struct job* job = argument;
  ipu6_frames(job->cami, job->number, commands[job->number]);
  return NULL;
}

static void ipu6(char** libraries) {
  static int32_t handles[1024];
  struct payload* payload;
  group_of = ipu6_group;
  camera_algorithm_ops_t* cpu = load(libraries[0], &callbacks);
  camera_algorithm_ops_t* gpu = load(libraries[1], &callbacks); /* one table for both */
  in_threads(ipu6_runner, 4, cpu);
  ipu6_frames(gpu, 5, IPU6_TNR);
  CHECK(status_of(cpu, 4, IPU6_GRAPH_ADD_KEY, header56, 1, -1) == 0);
  /* A group that does not exist: only the request after it is answered. */
  unsigned before = __atomic_load_n(&answers, __ATOMIC_RELAXED);
  cpu->request(IPU6_LAST + 1, header56, 1, -1);
  CHECK(status_of(cpu, 4, IPU6_GRAPH_ADD_KEY, header56, 1, -1) == 0);
  CHECK(__atomic_load_n(&answers, __ATOMIC_RELAXED) == before + 1);
  CHECK(status_of(cpu, 0, IPU6_AIQ, "U", 1, 1) == 1);
  /* All 1024 numbers, in use by 4 runners but for what is left; then one too many. */
  for (int i = 0; i < 1020; i++) {
    handles[i] = share(cpu, 4096, &payload);
    munmap(payload, 4096);
    CHECK(handles[i] >= 1 && handles[i] <= 1024);
  }
  CHECK(cpu->register_buffer(memfd_create("too many", 0)) == -EBADFD);
  cpu->deregister_buffers(handles, 1020);
  int32_t again = share(cpu, 4096, &payload);
  CHECK(again == handles[0]); /* first in, first out */
}

/* ---- Rockchip ---- */

static unsigned rockchip_group(uint32_t id, int32_t handle) {
  (void)handle;
  CHECK(id == 0);
  return 0;
}

static void rockchip(char** libraries) {
  struct payload* payloads[7];
  int32_t handles[7];
  group_of = rockchip_group;
  camera_algorithm_ops_t* cami = load(libraries[0], &callbacks);
  for (int i = 0; i < 7; i++) handles[i] = share(cami, 3536, &payloads[i]);
  for (uint32_t frame = 0; frame < FRAMES; frame++) {
    for (uint8_t i = 0; i < 4; i++) { /* statistics, AE, AWB, MISC */
      uint8_t header[2] = {HEADER_BYTE, (uint8_t)(ROCKCHIP_AE + i)};
      payloads[i]->input = frame;
      CHECK(status_of(cami, 0, 0, header, 2, handles[i]) == 0);
      CHECK(payloads[i]->output == transform(frame + header[1]));
    }
  }
  /* Neither a bad header nor an unknown buffer is answered: only the request after them. */
  unsigned before = __atomic_load_n(&answers, __ATOMIC_RELAXED);
  cami->request(0, (const uint8_t*)"Ux", 2, handles[0]);
  cami->request(0, header56, 2, 99);
  CHECK(status_of(cami, 0, 0, header56, 2, handles[0]) == 0);
  CHECK(__atomic_load_n(&answers, __ATOMIC_RELAXED) == before + 1);
}

/* ---- MediaTek ---- */

static unsigned mediatek_group(uint32_t id, int32_t handle) {
  if (id == MTK_NOTIFY_CB) { /* the handle is a sensor's number */
    CHECK(handle == 3);
    return GROUPS;
  }
  return id % MTK_GROUPS;
}

/* Waits for the next frame, again and again, while the other groups work. */
static void* mediatek_poll(void* argument) {
  struct job* job = argument;
  struct payload* payload;
  uint8_t header[2] = {HEADER_BYTE, MTK_NOTIFY_WAIT};
  int32_t handle = share(job->cami, 4096, &payload);
  for (int i = 0; i < FRAMES; i++)
    CHECK(status_of(job->cami, MTK_NOTIFY_WAIT, MTK_NOTIFY_WAIT, header, 2, handle) == 0);
  return NULL;
}

static void mediatek_frames(camera_algorithm_ops_t* cami) {
  uint8_t in_3a[2] = {HEADER_BYTE, MTK_3A}, in_tuning[2] = {HEADER_BYTE, MTK_TUNING};
  struct payload* payload;
  int32_t handle = share(cami, 344064, &payload);
  for (uint32_t frame = 0; frame < FRAMES; frame++) {
    payload->input = frame;
    CHECK(status_of(cami, MTK_3A, MTK_3A, in_3a, 2, handle) == 0);
    CHECK(payload->output == transform(frame + MTK_3A));
    /* The vendor's own address goes back to it through the payload. */
    CHECK(status_of(cami, MTK_TUNING, MTK_TUNING, in_tuning, 2, handle) == 0);
    CHECK(payload->output == transform(frame + 77));
  }
}

static void mediatek(char** libraries) {
  group_of = mediatek_group;
  camera_algorithm_ops_t* cami = load(libraries[0], &callbacks);
  struct job poll_job = {cami, 0};
  pthread_t poller;
  CHECK(pthread_create(&poller, NULL, mediatek_poll, &poll_job) == 0);
  mediatek_frames(cami);
  pthread_join(poller, NULL);
  CHECK(__atomic_load_n(&pushes, __ATOMIC_RELAXED) == FRAMES);
  CHECK(status_of(cami, 4, 4, "U", 1, 1) == 0x80000000u);
  /* A dma-buf's like: fstat says 0 bytes, lseek the truth. Not every machine lets us make one. */
  int fd = buffer_make("device", 65536);
  if (fd < 0) {
    printf("without a block device: %s\n", strerror(-fd));
    return;
  }
  int32_t handle = cami->register_buffer(fd);
  CHECK(handle > 0);
  uint8_t header[2] = {HEADER_BYTE, MTK_3A};
  ((struct payload*)buffer_map(0))->input = 5;
  CHECK(status_of(cami, MTK_3A, MTK_3A, header, 2, handle) == 0);
  CHECK(((struct payload*)buffer_map(0))->output == transform(5 + MTK_3A));
  cami->deregister_buffers(&handle, 1);
}

/* ---- Google GPU ---- */

static unsigned google_group(uint32_t id, int32_t handle) {
  CHECK(handle == -1);
  return id % GROUPS;
}

static const camera_algorithm_callback_ops_t gpu_callbacks = {on_return, NULL, NULL};

static void google_gpu(char** libraries) {
  enum { WIDTH = 64, HEIGHT = 48 };
  struct payload *in, *out;
  group_of = google_group;
  camera_algorithm_ops_t* cami = load(libraries[0], &gpu_callbacks);
  for (int round = 0; round < 2; round++) {
    struct gpu_header header = {GPU_PROCESS, 0, 0, WIDTH, HEIGHT, 0};
    header.input_handle = share(cami, WIDTH * HEIGHT, &in);
    header.output_handle = share(cami, WIDTH * HEIGHT, &out);
    CHECK(header.input_handle != header.output_handle);
    for (uint32_t id = 0; id < FRAMES; id++) {
      header.orientation = (int32_t)id;
      memset(in, (int)id, WIDTH * HEIGHT);
      CHECK(status_of(cami, id % GROUPS, id, &header, sizeof header, -1) == 0);
      CHECK(((uint8_t*)out)[WIDTH * HEIGHT - 1] == (uint8_t)(2 * id));
    }
    header.output_handle = 4000;
    CHECK(status_of(cami, 1, 1, &header, sizeof header, -1) == EINVAL);
    CHECK(status_of(cami, 2, 2, &header, 5, -1) == EINVAL);
    int32_t handles[2] = {header.input_handle, 3999};
    cami->deregister_buffers(handles, 2);
    cami->deinitialize();
    if (round == 0) CHECK(cami->initialize(&gpu_callbacks) == 0);
  }
}

static const struct {
  const char* name;
  void (*run)(char** libraries);
} clients[] = {{"ipu3", ipu3},
               {"ipu6", ipu6},
               {"rockchip", rockchip},
               {"mediatek", mediatek},
               {"google_gpu", google_gpu}};

int main(int argc, char** argv) {
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  for (int i = 0; i < GROUPS; i++) {
    pthread_mutex_init(&runners[i].busy, NULL);
    pthread_mutex_init(&runners[i].lock, NULL);
    pthread_cond_init(&runners[i].done, &monotonic);
  }
  for (size_t i = 0; argc > 2 && i < sizeof clients / sizeof *clients; i++) {
    if (strcmp(argv[1], clients[i].name)) continue;
    clients[i].run(argv + 2);
    CHECK(!lost);
    printf("done\n");
    fflush(stdout);
    _exit(0); /* the libraries' threads still run */
  }
  fprintf(stderr, "no such client\n");
  return 2;
}
