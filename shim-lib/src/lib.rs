//! libcam_algo.so: the HAL's door.
