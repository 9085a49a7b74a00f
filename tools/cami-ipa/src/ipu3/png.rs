//! PNG files (W3C PNG 1.2; RFC 1950, RFC 1951), not compressed.

/// Bytes in one stored block of deflate, at most.
const STORED: usize = 65535;

/// The file of rows of red, green and blue, which are equally long.
pub fn encode(rows: &[Vec<[u8; 3]>]) -> Vec<u8> {
    let width = u32::try_from(rows.first().map_or(0, Vec::len)).unwrap_or(u32::MAX);
    let height = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    // 8 bits, truecolour; deflate, filters by row, not interlaced.
    header.extend([8, 2, 0, 0, 0]);
    let mut raw = Vec::new();
    for row in rows {
        // No filter.
        raw.push(0);
        raw.extend(row.as_flattened());
    }
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"IDAT", &zlib(&raw));
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    file.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    let crc = crc32(kind.iter().chain(data));
    file.extend(kind);
    file.extend(data);
    file.extend(crc.to_be_bytes());
}

fn zlib(raw: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let blocks = raw.len().div_ceil(STORED);
    for (number, block) in (1..).zip(raw.chunks(STORED)) {
        stream.push(u8::from(number == blocks));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream.extend(adler32(raw).to_be_bytes());
    stream
}

fn adler32(data: &[u8]) -> u32 {
    const PRIME: u32 = 65521;
    let (a, b) = data.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % PRIME;
        (a, (b + a) % PRIME)
    });
    b << 16 | a
}

fn crc32<'a>(data: impl Iterator<Item = &'a u8>) -> u32 {
    !data.fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_common_ones() {
        assert_eq!(crc32(b"123456789".iter()), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }
}
