//! Handles of 3A objects.
//!
//! The original gives out addresses and uses what comes back unchecked. Here they are numbers that
//! count up from 1 and stand in a table: anything else is an unknown handle, and so is a handle of
//! another kind of object, because all kinds count together.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::refusal::Refusal;

/// Objects of one kind that may exist at a time. A HAL makes one per camera.
const MOST: usize = 64;

/// The count that all kinds share.
#[derive(Debug, Default)]
pub struct Numbers(AtomicU64);

impl Numbers {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// The objects of one kind.
#[derive(Debug)]
pub struct Handles<T> {
    kind: &'static str,
    objects: BTreeMap<u64, T>,
}

impl<T> Handles<T> {
    /// No objects; `kind` is their name in the log.
    pub fn new(kind: &'static str) -> Self {
        Self { kind, objects: BTreeMap::new() }
    }

    /// Keeps an object and returns its handle.
    pub fn insert(&mut self, numbers: &Numbers, object: T) -> Result<u64, Refusal> {
        if self.objects.len() >= MOST {
            return Err(Refusal::TooMany(self.kind));
        }
        let handle = numbers.next();
        self.objects.insert(handle, object);
        Ok(handle)
    }

    /// The object of a handle.
    pub fn get(&mut self, handle: u64) -> Result<&mut T, Refusal> {
        self.objects.get_mut(&handle).ok_or(Refusal::UnknownHandle(self.kind))
    }

    /// Ends an object.
    pub fn remove(&mut self, handle: u64) -> Result<(), Refusal> {
        self.objects.remove(&handle).map(drop).ok_or(Refusal::UnknownHandle(self.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_never_used_again_nor_shared_by_kinds() {
        let numbers = Numbers::default();
        let mut some = Handles::new("some");
        let mut others = Handles::new("other");
        assert_eq!(some.insert(&numbers, 'a'), Ok(1));
        assert_eq!(others.insert(&numbers, 'b'), Ok(2));
        assert_eq!(some.get(2), Err(Refusal::UnknownHandle("some")));
        assert_eq!(some.get(0), Err(Refusal::UnknownHandle("some")));
        assert_eq!(some.get(1), Ok(&mut 'a'));
        assert_eq!(some.remove(1), Ok(()));
        assert_eq!(some.remove(1), Err(Refusal::UnknownHandle("some")));
        assert_eq!(some.insert(&numbers, 'c'), Ok(3));
    }

    #[test]
    fn a_peer_cannot_fill_the_memory_with_objects() {
        let numbers = Numbers::default();
        let mut some = Handles::new("some");
        while some.insert(&numbers, ()).is_ok() {}
        assert_eq!(some.objects.len(), MOST);
        assert_eq!(some.insert(&numbers, ()), Err(Refusal::TooMany("some")));
        assert_eq!(some.remove(5), Ok(()));
        assert!(some.insert(&numbers, ()).is_ok());
    }
}
