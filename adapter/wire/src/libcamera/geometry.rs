//! Sizes, points and rectangles in pixels.
//!
//! Source: libcamera `include/libcamera/ipa/core.mojom`.

use super::value::{get_field, put_field};
use super::{Dialect, Value};
use crate::WireError;
use crate::reader::Reader;
use crate::writer::Writer;

/// Width and height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Value for Size {
    fn encode(&self, _: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        let mut writer = Writer::new(out);
        writer.u32(self.width);
        writer.u32(self.height);
        Ok(())
    }

    fn decode(bytes: &[u8], _: Dialect) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let size = Self { width: reader.u32()?, height: reader.u32()? };
        reader.finish()?;
        Ok(size)
    }
}

/// A position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// Column.
    pub x: i32,
    /// Row.
    pub y: i32,
}

impl Value for Point {
    fn encode(&self, _: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        let mut writer = Writer::new(out);
        writer.i32(self.x);
        writer.i32(self.y);
        Ok(())
    }

    fn decode(bytes: &[u8], _: Dialect) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let point = Self { x: reader.i32()?, y: reader.i32()? };
        reader.finish()?;
        Ok(point)
    }
}

/// A position and a size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rectangle {
    /// Left column.
    pub x: i32,
    /// Top row.
    pub y: i32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Value for Rectangle {
    fn encode(&self, _: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        let mut writer = Writer::new(out);
        writer.i32(self.x);
        writer.i32(self.y);
        writer.u32(self.width);
        writer.u32(self.height);
        Ok(())
    }

    fn decode(bytes: &[u8], _: Dialect) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let rectangle = Self {
            x: reader.i32()?,
            y: reader.i32()?,
            width: reader.u32()?,
            height: reader.u32()?,
        };
        reader.finish()?;
        Ok(rectangle)
    }
}

/// The sizes between two, in steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SizeRange {
    /// Smallest size.
    pub min: Size,
    /// Largest size.
    pub max: Size,
    /// Step of the width.
    pub h_step: u32,
    /// Step of the height.
    pub v_step: u32,
}

impl Value for SizeRange {
    fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_field(&self.min, dialect, out)?;
        put_field(&self.max, dialect, out)?;
        let mut writer = Writer::new(out);
        writer.u32(self.h_step);
        writer.u32(self.v_step);
        Ok(())
    }

    fn decode(bytes: &[u8], dialect: Dialect) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let range = Self {
            min: get_field(&mut reader, dialect)?,
            max: get_field(&mut reader, dialect)?,
            h_step: reader.u32()?,
            v_step: reader.u32()?,
        };
        reader.finish()?;
        Ok(range)
    }
}
