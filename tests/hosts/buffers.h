/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The shared buffers of a test host, of every kind that a HAL may register.
 */
#ifndef CAMI_IPA_TESTS_BUFFERS_H_
#define CAMI_IPA_TESTS_BUFFERS_H_

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
  uint8_t* map;
  size_t size;
} buffers[1200];
static unsigned buffer_count;

static inline uint8_t* buffer_map(unsigned index) { return buffers[index].map; }
static inline size_t buffer_size(unsigned index) { return buffers[index].size; }

/* A block device: like a dma-buf, fstat says 0 bytes and lseek the true size. */
static inline int block_device(size_t size) {
  char path[32];
  int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  if (control < 0) return -errno;
  int number = ioctl(control, LOOP_CTL_GET_FREE);
  close(control);
  snprintf(path, sizeof path, "/dev/loop%d", number);
  int device = open(path, O_RDWR | O_CLOEXEC);
  if (device < 0) return -errno;
  int backing = memfd_create("block", MFD_CLOEXEC);
  /* Cleared by the kernel when the last fd of it is closed. */
  struct loop_config config = {.fd = backing, .info = {.lo_flags = LO_FLAGS_AUTOCLEAR}};
  if (ftruncate(backing, size) || ioctl(device, LOOP_CONFIGURE, &config)) {
    close(device);
    device = -errno;
  }
  close(backing);
  return device;
}

/* An fd to register, with this process's own mapping of it as the next buffer. Kinds: memfd; written
   (sized by writing, where ftruncate is forbidden); sealed (against shrinking); readonly; zero (no bytes); pipe; device (sized by lseek); closed (a number
   that is not open: -1). Negative errno, below -1, where the machine has no such thing. */
static inline int buffer_make(const char* kind, size_t size) {
  int ends[2];
  if (!strcmp(kind, "closed")) return -1;
  if (!strcmp(kind, "pipe")) {
    if (pipe2(ends, O_CLOEXEC)) return -errno;
    close(ends[1]);
    return ends[0];
  }
  int device = !strcmp(kind, "device");
  int fd = device ? block_device(size) : memfd_create("hal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return fd;
  if (!strcmp(kind, "written")) {
    static const char zeroes[4096];
    for (size_t left = size; left > 0; left -= left < 4096 ? left : 4096)
      if (write(fd, zeroes, left < 4096 ? left : 4096) < 0) return -errno;
  } else if (!device && strcmp(kind, "zero") && ftruncate(fd, size)) {
    return -errno;
  }
  if (!strcmp(kind, "sealed") && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL)) return -errno;
  if (!strcmp(kind, "readonly")) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_RDONLY | O_CLOEXEC);
    close(fd);
    return again;
  }
  void* map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map != MAP_FAILED) {
    buffers[buffer_count].map = map;
    buffers[buffer_count++].size = size;
  }
  return fd;
}

#endif /* CAMI_IPA_TESTS_BUFFERS_H_ */
