//! cros_ipa_proxy: monitor and vendor process.
fn main() {}
