//! libcamera IPA message layer and serialisers; the cros interface and the control messages.
