//! What the tests share: the captures, and one list of all decoders.

pub mod captures;
pub mod decoders;
