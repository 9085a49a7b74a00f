/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the measured HAL asks of its vendor library: the first byte of the request header.
 */
#ifndef CAMI_IPA_BENCHES_VENDOR_H_
#define CAMI_IPA_BENCHES_VENDOR_H_

/* Bytes of a request header: as many as the largest of the known HALs', that of ChromeOS's GPU
 * algorithm until 2024 (platform2 camera/features/portrait_mode, six ints); others have 1 or 2. */
#define HEADER_BYTES 24

enum {
  ASK_NOTHING,     /* status 0 */
  ASK_PROCESS,     /* status is the process's number */
  ASK_ALLOCATIONS, /* status is the number of allocations; 0 where nobody counts */
  ASK_TO_CRASH,    /* no answer but SIGSEGV */
};

#endif
