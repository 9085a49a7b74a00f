/* SPDX-License-Identifier: BSD-3-Clause
 * Writes to every socket that it finds in its process, as a hostile library would: the header's
 * first byte says what. */
#include "vendor.h"

#include <sys/socket.h>

static void forge(int fd, uint8_t which) {
  static uint8_t bytes[70000];
  struct iovec part = {bytes, 0};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  union {
    char room[CMSG_SPACE(sizeof(int) * 3)];
    struct cmsghdr align;
  } control = {0};
  uint32_t words[8] = {0};
  switch (which) {
    case 0: break; /* nothing at all */
    case 1: part.iov_len = 3; break;
    case 2: words[0] = 99, part.iov_len = 8; break; /* an event that does not exist */
    case 3: words[0] = 1, part.iov_len = 8; break;  /* one without its arguments */
    case 4: /* an answer to a call that nobody made */
      words[0] = 4, words[1] = 0x7fffffff, part.iov_len = 16;
      break;
    case 5: /* an update that claims 4 GiB */
      words[0] = 2, words[2] = words[3] = words[4] = 0xffffffff, part.iov_len = 32;
      break;
    case 6: part.iov_len = 70000; break;
    case 7: /* fds that nobody asked for */
      words[0] = 1, part.iov_len = 32;
      message.msg_control = control.room;
      message.msg_controllen = sizeof control.room;
      control.align.cmsg_level = SOL_SOCKET;
      control.align.cmsg_type = SCM_RIGHTS;
      control.align.cmsg_len = CMSG_LEN(sizeof(int) * 3);
      for (int i = 0; i < 3; i++) memcpy(CMSG_DATA(&control.align) + i * sizeof i, &fd, sizeof fd);
      break;
    case 8: memset(words, 0xff, sizeof words), part.iov_len = 32; break;
  }
  memset(bytes, 0xa5, sizeof bytes);
  memcpy(bytes, words, sizeof words);
  for (int i = 0; i < 20; i++) sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void request(uint32_t id, const uint8_t header[], uint32_t size, int32_t handle) {
  struct stat status;
  for (int fd = 0; size && fd < 256; fd++)
    if (!fstat(fd, &status) && S_ISSOCK(status.st_mode)) forge(fd, header[0]);
  plain_request(id, header, size, handle);
}

CAMI_WITH_REQUEST(request);
