//! Small ELF files, made byte by byte: both classes and byte orders, and broken ones.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "test helper; all sizes are constants of a few bytes"
)]

/// What the forged library says. The default is a good one for this machine, of revision E.
#[derive(Clone)]
pub struct Forge {
    pub wide: bool,
    pub big: bool,
    pub machine: u16,
    pub kind: u8,
    pub bind: u8,
    pub size: u64,
    pub address: u64,
    /// What the symbol hash table's chain says follows the one symbol: itself makes a loop.
    pub next: u32,
    pub name: &'static [u8; 4],
}

/// Where the table stands: inside the one loaded segment.
const TABLE: u64 = 0x200;
const LOADED: u64 = 0x300;

impl Default for Forge {
    fn default() -> Self {
        let machine = match std::env::consts::ARCH {
            "x86_64" => 62,
            "aarch64" => 183,
            "arm" => 40,
            "x86" => 3,
            other => panic!("no ELF machine number for {other} in this test"),
        };
        let wide = size_of::<usize>() == 8;
        let size = 4 * size_of::<usize>() as u64;
        Self {
            wide,
            big: cfg!(target_endian = "big"),
            machine,
            kind: 1,
            bind: 1,
            size,
            address: TABLE,
            next: 0,
            name: b"CAMI",
        }
    }
}

struct Bytes<'a>(&'a Forge, Vec<u8>);

impl Bytes<'_> {
    fn at(&mut self, offset: usize) {
        assert!(self.1.len() <= offset, "the parts of the forged file overlap");
        self.1.resize(offset, 0);
    }
    fn half(&mut self, value: u16) {
        let bytes = if self.0.big { value.to_be_bytes() } else { value.to_le_bytes() };
        self.1.extend(bytes);
    }
    fn word(&mut self, value: u32) {
        let bytes = if self.0.big { value.to_be_bytes() } else { value.to_le_bytes() };
        self.1.extend(bytes);
    }
    fn address(&mut self, value: u64) {
        if !self.0.wide {
            return self.word(value as u32);
        }
        let bytes = if self.0.big { value.to_be_bytes() } else { value.to_le_bytes() };
        self.1.extend(bytes);
    }
    fn program_header(&mut self, kind: u32, offset: u64, size: u64) {
        self.word(kind);
        if self.0.wide {
            self.word(6);
        }
        for value in [offset, offset, offset, size, size] {
            self.address(value);
        }
        if !self.0.wide {
            self.word(6);
        }
        self.address(8);
    }
}

impl Forge {
    /// The file: header, program headers, dynamic segment, System V hash table, two symbols,
    /// strings, room for the table. Addresses equal offsets.
    pub fn bytes(&self) -> Vec<u8> {
        const DYNAMIC: u64 = 0xc0;
        const HASH: u64 = 0x140;
        const SYMBOLS: u64 = 0x160;
        const STRINGS: u64 = 0x190;
        let mut out = Bytes(self, Vec::new());
        out.1.extend(b"\x7fELF");
        out.1.extend([if self.wide { 2 } else { 1 }, if self.big { 2 } else { 1 }, 1]);
        out.at(16);
        out.half(3);
        out.half(self.machine);
        out.word(1);
        out.address(0);
        let header_size = if self.wide { 64 } else { 52 };
        out.address(header_size);
        out.address(0);
        out.word(0);
        out.half(header_size as u16);
        out.half(if self.wide { 56 } else { 32 });
        out.half(2);
        for _ in 0..3 {
            out.half(0);
        }
        out.program_header(1, 0, LOADED);
        out.program_header(2, DYNAMIC, 0x80);
        out.at(DYNAMIC as usize);
        let symbol_size = if self.wide { 24 } else { 16 };
        for (tag, value) in [(4, HASH), (5, STRINGS), (6, SYMBOLS), (11, symbol_size), (0, 0)] {
            out.address(tag);
            out.address(value);
        }
        out.at(HASH as usize);
        for value in [1, 2, 1, 0, self.next] {
            out.word(value);
        }
        out.at((SYMBOLS + symbol_size) as usize);
        out.word(1);
        if self.wide {
            out.1.extend([self.bind << 4 | self.kind, 0]);
            out.half(1);
        }
        out.address(self.address);
        out.address(self.size);
        if !self.wide {
            out.1.extend([self.bind << 4 | self.kind, 0]);
            out.half(1);
        }
        out.at(STRINGS as usize + 1);
        out.1.extend(self.name);
        out.at(LOADED as usize);
        out.1
    }
}
