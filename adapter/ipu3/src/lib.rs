//! The IPU3 3A protocol over CAMI: payload structs and the request sequence.
