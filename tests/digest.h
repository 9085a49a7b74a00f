/* SPDX-License-Identifier: BSD-3-Clause
 *
 * FNV-1a, 32 bits: what the vendor libraries of the tests answer as status, so that a host can see
 * whether every byte of a header arrived.
 */
#ifndef CAMI_IPA_TESTS_DIGEST_H_
#define CAMI_IPA_TESTS_DIGEST_H_

#include <stddef.h>
#include <stdint.h>

static inline uint32_t digest(const uint8_t* bytes, size_t size) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

#endif /* CAMI_IPA_TESTS_DIGEST_H_ */
