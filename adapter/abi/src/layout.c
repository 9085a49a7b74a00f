/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The C compiler's word on the layout of include/cami/camera_algorithm.h.
 *
 * The assertions pin the ABI: 6 and 3 pointers, as measured with objects of platform2's own types
 * on x86-64, aarch64, i686 and armv7. The table is compared with bindgen's view in a Rust test.
 */
#include <stddef.h>

#include "cami/camera_algorithm.h"

#define SLOT(type, field, index)                                                  \
  _Static_assert(offsetof(type, field) == (index) * sizeof(void*), #type "." #field)

_Static_assert(sizeof(camera_algorithm_ops_t) == 6 * sizeof(void*), "revision G has 6 slots");
SLOT(camera_algorithm_ops_t, initialize, 0);
SLOT(camera_algorithm_ops_t, register_buffer, 1);
SLOT(camera_algorithm_ops_t, request, 2);
SLOT(camera_algorithm_ops_t, deregister_buffers, 3);
SLOT(camera_algorithm_ops_t, update_return, 4);
SLOT(camera_algorithm_ops_t, deinitialize, 5);

_Static_assert(sizeof(camera_algorithm_callback_ops_t) == 3 * sizeof(void*), "3 callbacks");
SLOT(camera_algorithm_callback_ops_t, return_callback, 0);
SLOT(camera_algorithm_callback_ops_t, notify, 1);
SLOT(camera_algorithm_callback_ops_t, update, 2);

_Static_assert(CAMERA_ALGORITHM_MSG_IPC_ERROR == 1, "the one message of notify");
_Static_assert(sizeof(camera_algorithm_error_msg_code_t) == 4, "passed as a 32-bit value");

/* In the order of the Rust test in sys.rs. */
const size_t cami_layout[14] = {
    sizeof(camera_algorithm_ops_t),
    _Alignof(camera_algorithm_ops_t),
    offsetof(camera_algorithm_ops_t, initialize),
    offsetof(camera_algorithm_ops_t, register_buffer),
    offsetof(camera_algorithm_ops_t, request),
    offsetof(camera_algorithm_ops_t, deregister_buffers),
    offsetof(camera_algorithm_ops_t, update_return),
    offsetof(camera_algorithm_ops_t, deinitialize),
    sizeof(camera_algorithm_callback_ops_t),
    _Alignof(camera_algorithm_callback_ops_t),
    offsetof(camera_algorithm_callback_ops_t, return_callback),
    offsetof(camera_algorithm_callback_ops_t, notify),
    offsetof(camera_algorithm_callback_ops_t, update),
    sizeof(camera_algorithm_error_msg_code_t),
};
