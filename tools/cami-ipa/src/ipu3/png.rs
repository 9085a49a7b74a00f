//! PNG files.

use png::{BitDepth, ColorType, Encoder};

pub use png::EncodingError as Error;

/// The file of rows of red, green and blue, which are equally long.
///
/// # Errors
/// Only for a picture without a pixel, or larger than PNG allows.
pub fn encode(rows: &[Vec<[u8; 3]>]) -> Result<Vec<u8>, Error> {
    let width = u32::try_from(rows.first().map_or(0, Vec::len)).unwrap_or(u32::MAX);
    let height = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    let pixels: Vec<u8> = rows.iter().flat_map(|row| row.as_flattened()).copied().collect();
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::encode;

    #[test]
    fn pixels_come_back() {
        let rows = vec![vec![[1, 2, 3], [4, 5, 6]], vec![[7, 8, 9], [255, 0, 128]]];
        let file = encode(&rows).unwrap();
        let mut reader = png::Decoder::new(Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, rows.concat().concat());
        assert!(encode(&[]).is_err());
    }
}
