//! How the kernel's structs are written down here: plain ones, and words of bit fields.
//!
//! Sizes, offsets and bit positions are the measured ones (spec/ipu3-isp-layouts.tsv), checked when
//! this crate is compiled. Names are the kernel's (`drivers/staging/media/ipu3/include/uapi`).

/// One value of a struct, or one row of a table in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number; what the struct holds, not the word around it.
    Number(i64),
    /// A table of numbers.
    Table(Vec<i64>),
}

/// Where a value stands, and the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Names from the outer struct inwards, joined by dots; tables of structs with an index.
    pub path: String,
    /// The value.
    pub value: Value,
}

/// A struct, table or number whose values can be listed. Reserved words and padding are no values.
pub trait Listed {
    /// Appends all values below `path`, in the order of the struct.
    fn list(&self, path: &str, entries: &mut Vec<Entry>);

    /// The value, where it is one number.
    fn number(&self) -> Option<i64> {
        None
    }
}

macro_rules! listed_numbers {
    ($($number:ty),+) => {
        $(impl Listed for $number {
            fn list(&self, path: &str, entries: &mut Vec<Entry>) {
                let value = Value::Number(i64::from(*self));
                entries.push(Entry { path: path.to_owned(), value });
            }

            fn number(&self) -> Option<i64> {
                Some(i64::from(*self))
            }
        })+
    };
}
listed_numbers!(u8, u16, i16, u32);

impl<T: Listed, const N: usize> Listed for [T; N] {
    fn list(&self, path: &str, entries: &mut Vec<Entry>) {
        let numbers: Vec<i64> = self.iter().filter_map(Listed::number).collect();
        if numbers.len() == N {
            entries.push(Entry { path: path.to_owned(), value: Value::Table(numbers) });
        } else {
            for (index, item) in self.iter().enumerate() {
                item.list(&format!("{path}[{index}]"), entries);
            }
        }
    }
}

/// The path of `name` below `path`.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Appends a field of a struct, unless it is reserved or padding.
pub(super) fn list_field(field: &impl Listed, path: &str, name: &str, entries: &mut Vec<Entry>) {
    if !name.starts_with("reserved") && !name.starts_with("padding") {
        field.list(&join(path, name), entries);
    }
}

/// The value of a bit field, before it is packed or after it was unpacked.
pub trait BitField: Copy {
    /// The lowest `width` bits (1 to 31), two's complement; what is above them is dropped.
    fn pack(self, width: u32) -> u32;
    /// The value of `width` bits (1 to 31), of which a signed one's highest is the sign.
    fn unpack(bits: u32, width: u32) -> Self;
}

impl BitField for u32 {
    fn pack(self, width: u32) -> u32 {
        self & ((1 << width) - 1)
    }

    fn unpack(bits: u32, width: u32) -> Self {
        bits & ((1 << width) - 1)
    }
}

impl BitField for i32 {
    fn pack(self, width: u32) -> u32 {
        self.cast_unsigned().pack(width)
    }

    fn unpack(bits: u32, width: u32) -> Self {
        (bits << (32 - width)).cast_signed() >> (32 - width)
    }
}

/// Whether a field of `width` bits from `bit` on lies in a word of `bytes`.
pub(super) const fn fits(bit: usize, width: usize, bytes: usize) -> bool {
    width > 0 && width < 32 && bit + width <= 8 * bytes
}

/// A word that bit fields lie in.
pub(super) trait Word: Copy + Default {
    /// The word's bits.
    fn get(self) -> u32;
    /// The word of the lowest bits.
    fn of(bits: u32) -> Self;
}

macro_rules! words {
    ($($word:ty),+) => {
        $(impl Word for $word {
            fn get(self) -> u32 {
                u32::from(self)
            }

            #[allow(clippy::cast_possible_truncation, reason = "no field lies above the word")]
            fn of(bits: u32) -> Self {
                bits as Self
            }
        })+
    };
}
words!(u8, u16, u32);

/// A struct of plain fields: `"kernel's name", name, size: field: type = offset`.
macro_rules! plain {
    ($kernel:literal, $name:ident, $size:literal:
     $($field:ident: $type:ty = $offset:literal),+ $(,)?) => {
        #[doc = concat!("`", $kernel, "`, ", stringify!($size), " bytes.")]
        #[repr(C)]
        #[derive(
            Clone,
            Copy,
            Debug,
            zerocopy::FromBytes,
            zerocopy::Immutable,
            zerocopy::IntoBytes,
            zerocopy::KnownLayout,
        )]
        pub struct $name {
            $(
                #[doc = concat!("`", stringify!($field), "`, at byte ", stringify!($offset), ".")]
                pub $field: $type,
            )+
        }

        const _: () = {
            assert!(size_of::<$name>() == $size);
            $(assert!(std::mem::offset_of!($name, $field) == $offset);)+
        };

        impl $crate::uapi::Listed for $name {
            fn list(&self, path: &str, entries: &mut Vec<$crate::uapi::Entry>) {
                $($crate::uapi::layout::list_field(&self.$field, path, stringify!($field), entries);)+
            }
        }
    };
}

/// Words of bit fields: `"kernel's name", words, fields, [word; count]: field: type (word, bit, width)`.
macro_rules! bits {
    ($kernel:literal, $words:ident, $name:ident, [$word:ty; $count:literal]:
     $($field:ident: $type:ident ($index:literal, $bit:literal, $width:literal)),+ $(,)?) => {
        #[doc = concat!("The fields of `", $kernel, "`, apart.")]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $(
                #[doc = concat!(
                    "`", stringify!($field), "`: ", stringify!($width), " bits from bit ",
                    stringify!($bit), " of word ", stringify!($index), "."
                )]
                pub $field: $type,
            )+
        }

        #[doc = concat!("`", $kernel, "`, as the driver takes it.")]
        #[repr(C)]
        #[derive(
            Clone,
            Copy,
            Debug,
            PartialEq,
            Eq,
            zerocopy::FromBytes,
            zerocopy::Immutable,
            zerocopy::IntoBytes,
            zerocopy::KnownLayout,
        )]
        pub struct $words {
            /// The words; bits that are no field are 0 when packed.
            pub words: [$word; $count],
        }

        const _: () = {
            $(assert!($index < $count && $crate::uapi::layout::fits($bit, $width, size_of::<$word>()));)+
        };

        impl $name {
            /// The words of these fields. What is too wide for a field loses its upper bits.
            #[must_use]
            pub fn pack(self) -> $words {
                use $crate::uapi::layout::{BitField, Word};
                let mut words = [0_u32; $count];
                $(words[$index] |= BitField::pack(self.$field, $width) << $bit;)+
                $words { words: words.map(Word::of) }
            }
        }

        impl $words {
            /// The fields of these words.
            #[must_use]
            pub fn unpack(&self) -> $name {
                use $crate::uapi::layout::{BitField, Word};
                $name {
                    $($field: BitField::unpack(Word::get(self.words[$index]) >> $bit, $width),)+
                }
            }
        }

        impl $crate::uapi::Listed for $words {
            fn list(&self, path: &str, entries: &mut Vec<$crate::uapi::Entry>) {
                let fields = self.unpack();
                $(entries.push($crate::uapi::Entry {
                    path: $crate::uapi::layout::join(path, stringify!($field)),
                    value: $crate::uapi::Value::Number(i64::from(fields.$field)),
                });)+
            }
        }
    };
}
