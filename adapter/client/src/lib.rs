//! The supervisor in the HAL's process: start the host, watch it, notify.
