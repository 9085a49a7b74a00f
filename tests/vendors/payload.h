/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the vendor libraries and their clients (hosts/clients.c) put into shared buffers. The
 * layouts are these tests' own; the habits are the vendors' (spec: cami-abi.md, 5.1 and 5.2).
 */
#ifndef CAMI_IPA_TESTS_PAYLOAD_H_
#define CAMI_IPA_TESTS_PAYLOAD_H_

#include <stdint.h>

/* The client writes `input`; the vendor answers with `output`. */
struct payload {
  uint32_t input;
  uint32_t output;
  int32_t nested[2]; /* handles of other buffers: IPU6, MediaTek */
  uint64_t address;  /* the vendor's own pointer, which it will believe later: MediaTek */
};

static inline uint32_t transform(uint32_t input) { return input * 2654435761u + 12345; }

enum { HEADER_BYTE = 0x56 }; /* the first header byte of Intel, Rockchip and MediaTek */

/* IPU3 commands, of 1..29: the first of each group, and two special ones. */
enum { IPU3_AIQ = 1, IPU3_AIQ_INIT = 5, IPU3_AIC = 11, IPU3_OTHER = 17, IPU3_FACE_UNINIT = 27 };

/* IPU6 commands, of 1..67, by group of the CPU library; one of the GPU library. */
enum { IPU6_AIQ = 1, IPU6_PAL = 21, IPU6_PSYS = 31, IPU6_FD = 41, IPU6_GRAPH_ADD_KEY = 51 };
enum { IPU6_LAST = 67, IPU6_TNR = 60 };

enum { ROCKCHIP_AE = 3 };

/* MediaTek groups, of 22, and the push that nobody asked for. */
enum { MTK_3A = 0, MTK_NOTIFY_WAIT = 1, MTK_TUNING = 2, MTK_GROUPS = 22, MTK_NOTIFY_CB = 26 };

/* Google GPU: the whole request is the header. */
struct gpu_header {
  int32_t command;
  int32_t input_handle;
  int32_t output_handle;
  int32_t width;
  int32_t height;
  int32_t orientation;
};
enum { GPU_PROCESS = 1 };

#endif /* CAMI_IPA_TESTS_PAYLOAD_H_ */
