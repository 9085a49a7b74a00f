//! The C types as bindgen reads them from `include/cami/camera_algorithm.h`.

#![allow(
    non_camel_case_types,
    missing_docs,
    clippy::indexing_slicing,
    clippy::doc_markdown,
    reason = "generated from a C header; its constant assertions index arrays to show sizes"
)]

include!(concat!(env!("OUT_DIR"), "/camera_algorithm.rs"));

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::{align_of, offset_of, size_of};

    unsafe extern "C" {
        static cami_layout: [usize; 14];
    }

    #[test]
    fn cami_layout_matches_header() {
        type Ops = camera_algorithm_ops_t;
        type Callbacks = camera_algorithm_callback_ops_t;
        let bound = [
            size_of::<Ops>(),
            align_of::<Ops>(),
            offset_of!(Ops, initialize),
            offset_of!(Ops, register_buffer),
            offset_of!(Ops, request),
            offset_of!(Ops, deregister_buffers),
            offset_of!(Ops, update_return),
            offset_of!(Ops, deinitialize),
            size_of::<Callbacks>(),
            align_of::<Callbacks>(),
            offset_of!(Callbacks, return_callback),
            offset_of!(Callbacks, notify),
            offset_of!(Callbacks, update),
            size_of::<camera_algorithm_error_msg_code_t>(),
        ];
        // SAFETY: a constant array of 14 size_t in layout.c, which cc linked into this crate.
        let compiled = unsafe { cami_layout };
        assert_eq!(bound, compiled);
        assert_eq!(CAMERA_ALGORITHM_MSG_IPC_ERROR, 1);
        assert_eq!(CAMERA_ALGORITHM_MODULE_INFO_SYM_AS_STR, b"CAMI\0");
    }
}
