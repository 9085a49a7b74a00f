/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The CAMI ABI, revision G: how a camera HAL calls a 3A library, and how the library answers.
 *
 * This is a restatement of a public binary interface, for C99 and for C++. Names, order and types
 * of the fields are those of ChromiumOS platform2, camera/include/cros-camera/camera_algorithm.h
 * at commit 163c5ff83f (2022-10-28; unchanged at 3050786c35, 2026-08-21). The original has default
 * member initialisers and can be included from C++ only; here a slot that is not wanted is
 * written as NULL by whoever fills the table.
 *
 * The revisions, by the commits that made them. Sizes in bytes, LP64 / ILP32:
 *
 *   revision  commit      date        operations  callbacks  what the next revision changed
 *   A         c836da3a94  2017-05-22  32 / 16      8 / 4     return_callback got `status`
 *   B         dc247cb075  2017-06-30  32 / 16      8 / 4     request, return_callback became void
 *   C         939c9b0069  2017-07-17  32 / 16      8 / 4     `notify` was appended
 *   D         acae6c75e9  2017-10-20  32 / 16     16 / 8     `req_id` became a parameter
 *   E         3a76d459f1  2019-01-03  32 / 16     16 / 8     `update`, `update_return` appended
 *   F         456e2344e8  2021-11-16  40 / 20     24 / 12    `deinitialize` was appended
 *   G         163c5ff83f  2022-10-28  48 / 24     24 / 12    (this file)
 *
 * What each lacks against G: F has no `deinitialize`. E and older have neither `update` nor
 * `update_return`. D and older pass no `req_id` in `request` and `return_callback`. C and older
 * have no `notify`. B and older expect a result from `request` and `return_callback`. A passes no
 * `status` in `return_callback`.
 *
 * No field says which revision a table is. Its size does, as the symbol size of `CAMI` in the
 * library's dynamic symbol table, except that A to E share one size. A to D cannot be called by
 * the conventions of E and later (arguments would shift), so a table of 32 (16) bytes is taken for
 * E. Never read a table further than its symbol size: what follows it is another object or file
 * contents, not NULL.
 *
 * Rules that hold for every function:
 *  - Errors are negative errno values. 0 and above is success.
 *  - `req_id`, `upd_id`, `status`, headers and buffer handles belong to the HAL and the library.
 *    Whatever stands between them passes them unchanged.
 *  - Arrays given as arguments are valid during the call only. An array of size 0 may be NULL.
 */
#ifndef CAMI_IPA_INCLUDE_CAMI_CAMERA_ALGORITHM_H_
#define CAMI_IPA_INCLUDE_CAMI_CAMERA_ALGORITHM_H_

#include <stdint.h>

/** The symbol that a library exports: an object of type camera_algorithm_ops_t. */
#define CAMERA_ALGORITHM_MODULE_INFO_SYM CAMI
/** The same symbol, as a string for dlsym. */
#define CAMERA_ALGORITHM_MODULE_INFO_SYM_AS_STR "CAMI"

#ifdef __cplusplus
extern "C" {
#endif

/** What `notify` may say. */
typedef enum camera_algorithm_error_msg_code {
  /** The library's process is gone. Every buffer handle is void; only `initialize` helps. */
  CAMERA_ALGORITHM_MSG_IPC_ERROR = 1
} camera_algorithm_error_msg_code_t;

/**
 * Calls out of the library, implemented by the HAL.
 *
 * The HAL owns the table. It stays valid and unchanged from the call of `initialize` until
 * `deinitialize` has returned or `initialize` was called with another; a HAL that can do neither
 * keeps it for ever. The library passes the table's own address as the first argument of each
 * function, never that of a copy. HALs of revision D and E give the first two slots only.
 */
typedef struct camera_algorithm_callback_ops {
  /**
   * Answers a request, or tells of something that nobody asked for.
   *
   * Thread: any, several at once; from inside `request`; before `initialize` has returned.
   * It must not block. Answers come in any order, doubled, or never.
   * Required: `initialize` refuses a table that has NULL here.
   *
   * @param callback       This table.
   * @param req_id         As in `request`, or a number of the library's own.
   * @param status         Meaning agreed between HAL and library; 0 is mostly success.
   * @param buffer_handle  As in `request`, or a number of the library's own.
   */
  void (*return_callback)(const struct camera_algorithm_callback_ops* callback, uint32_t req_id,
                          uint32_t status, int32_t buffer_handle);

  /**
   * Tells the HAL that the library is lost. Since revision D. May be NULL.
   *
   * Thread: one that the HAL did not make. Called by whoever stands between HAL and library,
   * once for each loss, and by no known library.
   *
   * @param callback  This table.
   * @param msg       CAMERA_ALGORITHM_MSG_IPC_ERROR.
   */
  void (*notify)(const struct camera_algorithm_callback_ops* callback,
                 camera_algorithm_error_msg_code_t msg);

  /**
   * Hands a buffer of the library's own to the HAL. Since revision F. May be NULL.
   *
   * Thread: as `return_callback`.
   * Ownership of `buffer_fd` moves to the HAL, which gives it back through `update_return`.
   *
   * @param callback    This table.
   * @param upd_id      Named again in `update_return`.
   * @param upd_header  `size` bytes, valid during the call only.
   * @param size        Of the header, in bytes.
   * @param buffer_fd   The buffer; negative for none.
   */
  void (*update)(const struct camera_algorithm_callback_ops* callback, uint32_t upd_id,
                 const uint8_t upd_header[], uint32_t size, int buffer_fd);
} camera_algorithm_callback_ops_t;

/**
 * Calls into the library, implemented by it and exported as `CAMI`.
 *
 * The table lives as long as the library is loaded. The caller makes one call at a time, in the
 * order in which it wants them to take effect; which thread makes it may change.
 */
typedef struct camera_algorithm_ops {
  /**
   * Gives the callbacks to the library. To be called before everything else.
   *
   * Calling it again starts afresh: earlier buffer handles are void.
   *
   * @param callback_ops  Stays the caller's; see camera_algorithm_callback_ops for its lifetime.
   * @return 0, or a negative errno: -EINVAL for no table or no `return_callback` in it;
   *         -ETIMEDOUT where the library runs in another process and did not come up.
   */
  int32_t (*initialize)(const camera_algorithm_callback_ops_t* callback_ops);

  /**
   * Makes a buffer (shared memory or dma-buf) known to the library.
   *
   * Ownership of `buffer_fd` moves to the library, on success and on failure; it stays the
   * caller's only where the number is not that of an open file.
   *
   * @param buffer_fd  The buffer.
   * @return Its handle, 0 or above, valid until `deregister_buffers`; or a negative errno:
   *         -EBADF for a number that is not open; -ECONNRESET where the library is lost.
   */
  int32_t (*register_buffer)(int buffer_fd);

  /**
   * Asks for work on a buffer. The answer comes through `return_callback`.
   *
   * It should return at once; some libraries do the whole work in it. Nothing says that a
   * request was refused: a caller that needs an answer waits with a deadline.
   *
   * @param req_id         Named again in the answer. Since revision E. Need not be unique.
   * @param req_header     `size` bytes, valid during the call only.
   * @param size           Of the header, in bytes.
   * @param buffer_handle  From `register_buffer`; -1 and unknown ones are passed on too.
   */
  void (*request)(uint32_t req_id, const uint8_t req_header[], uint32_t size,
                  int32_t buffer_handle);

  /**
   * Makes the library forget buffers: it unmaps them and closes their fds.
   *
   * Where the library runs in another process, this may return before it has done so.
   * Unknown handles are ignored.
   *
   * @param buffer_handles  `size` handles, valid during the call only.
   * @param size            How many handles (not bytes).
   */
  void (*deregister_buffers)(const int32_t buffer_handles[], uint32_t size);

  /**
   * Gives the buffer of an `update` back. Since revision F. May be NULL.
   *
   * Ownership of `buffer_fd` moves to the library. Its number may differ from the one that
   * the library passed to `update`.
   *
   * @param upd_id     As in `update`.
   * @param status     Meaning agreed between HAL and library.
   * @param buffer_fd  The buffer of that `update`; negative for none.
   */
  void (*update_return)(uint32_t upd_id, uint32_t status, int buffer_fd);

  /**
   * Ends what `initialize` began. Since revision G. May be NULL.
   *
   * After its return the library makes no further callback. (Older libraries have no such call
   * and may call back for as long as their process lives.)
   */
  void (*deinitialize)(void);
} camera_algorithm_ops_t;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* CAMI_IPA_INCLUDE_CAMI_CAMERA_ALGORITHM_H_ */
