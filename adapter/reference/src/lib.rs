//! libcam_algo_reference.so: the open reference 3A library.
