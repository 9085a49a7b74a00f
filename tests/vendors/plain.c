/* SPDX-License-Identifier: BSD-3-Clause
 * Answers each request inside it, and does nothing wrong. */
#include "vendor.h"

CAMI_WITH_REQUEST(plain_request);
