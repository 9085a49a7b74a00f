/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A thread with a queue, as the vendors' servers have one for each group of commands.
 */
#ifndef CAMI_IPA_TESTS_WORKER_H_
#define CAMI_IPA_TESTS_WORKER_H_

#include <pthread.h>
#include <stdint.h>
#include <string.h>

struct task {
  uint32_t id;
  uint8_t header[32];
  uint32_t size;
  int32_t handle;
};

struct worker {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct task tasks[64];
  unsigned head, tail;
  int ending;
  pthread_t thread;
  void (*run)(const struct task* task);
};

static void* worker_main(void* argument) {
  struct worker* worker = argument;
  for (;;) {
    pthread_mutex_lock(&worker->lock);
    while (worker->head == worker->tail && !worker->ending)
      pthread_cond_wait(&worker->changed, &worker->lock);
    int over = worker->head == worker->tail;
    struct task task = worker->tasks[worker->head % 64];
    worker->head += !over;
    pthread_mutex_unlock(&worker->lock);
    if (over) return NULL;
    worker->run(&task);
  }
}

static inline void worker_start(struct worker* worker, void (*run)(const struct task* task)) {
  pthread_mutex_init(&worker->lock, NULL);
  pthread_cond_init(&worker->changed, NULL);
  worker->run = run;
  worker->ending = 0;
  pthread_create(&worker->thread, NULL, worker_main, worker);
}

static inline void worker_push(struct worker* worker, uint32_t id, const uint8_t header[],
                               uint32_t size, int32_t handle) {
  pthread_mutex_lock(&worker->lock);
  struct task* task = &worker->tasks[worker->tail++ % 64];
  task->id = id;
  task->size = size < sizeof task->header ? size : sizeof task->header;
  memcpy(task->header, header, task->size);
  task->handle = handle;
  pthread_cond_signal(&worker->changed);
  pthread_mutex_unlock(&worker->lock);
}

/* Lets the queue run empty, then ends the thread. */
static inline void worker_end(struct worker* worker) {
  pthread_mutex_lock(&worker->lock);
  worker->ending = 1;
  pthread_cond_signal(&worker->changed);
  pthread_mutex_unlock(&worker->lock);
  pthread_join(worker->thread, NULL);
}

#endif /* CAMI_IPA_TESTS_WORKER_H_ */
