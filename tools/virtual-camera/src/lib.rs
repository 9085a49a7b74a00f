//! A virtual sensor, chart and lights that produce IPU3 3A statistics.
