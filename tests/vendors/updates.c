/* SPDX-License-Identifier: BSD-3-Clause
 * Sends updates and checks what comes back: the same file, under the same number where that was
 * free, as libcab's test of the original demands (spec: cami-abi.md, 0.6). With AT_END one more comes
 * while it is deinitialized. */
#include "vendor.h"

static struct {
  int fd;
  ino_t inode;
} sent[64];

static ino_t inode_of(int fd) {
  struct stat status;
  return fstat(fd, &status) ? 0 : status.st_ino;
}

/* Header: the content of the update's buffer. The id of the request is that of the update. */
static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  char text[64] = "";
  (void)handle;
  memcpy(text, header, size < 63 ? size : 63);
  int fd = file_of(text);
  sent[id % 64].fd = fd;
  sent[id % 64].inode = inode_of(fd);
  hal->update(hal, id, header, size, fd);
}

/* Answers with status 1 for the same file, +2 for the same number, +4 for the right content. */
static void update_return(uint32_t id, uint32_t status, int fd) {
  char text[64] = "";
  uint32_t right = 0;
  if (fd >= 0) {
    right += inode_of(fd) == sent[id % 64].inode;
    right += 2 * (fd == sent[id % 64].fd);
    right += 4 * (pread(fd, text, sizeof text - 1, 0) == (ssize_t)strlen(text) && text[0]);
    close(fd);
  }
  answer(id, right, (int32_t)status);
}

static void deinitialize(void) {
#ifdef AT_END
  hal->update(hal, 9, (const uint8_t*)"end", 3, file_of("end"));
#endif
  plain_deinitialize();
}

CAMI_OF(plain_initialize, plain_register, request, plain_deregister, update_return, deinitialize);
