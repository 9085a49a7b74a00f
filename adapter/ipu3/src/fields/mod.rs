//! What stands where in a command's payload: named, typed fields, for whoever shows or compares
//! payloads without knowing each command.
//!
//! A field's path is that of the payload structs ([`crate::payload`]), from the outermost inwards,
//! joined by dots; each `[]` in it is a table. A table of one element is no table. Padding is no
//! field, and neither is what follows the struct (the tuning data of AIQ_INIT).
//!
//! The tables are made once per process, at the first use.

mod shape;
mod table;
mod value;
mod words;

use std::collections::HashMap;
use std::sync::OnceLock;

pub(crate) use shape::shape_of;
pub use shape::{Described, Member, Shape};
pub use value::{Kind, Value};

use crate::Command;

/// Who writes a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The HAL, before the request.
    Request,
    /// The library, before its callback.
    Answer,
}

/// One direction of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Elements.
    pub count: usize,
    /// Bytes from one to the next.
    pub stride: usize,
}

/// A number in a payload, or a table of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its path, such as `res.exposure.exposure_time_us` or `input.rgbs_grids.blocks_ptr[].avg_r`.
    pub path: String,
    /// The shortest end of its path that is its own in this command, such as `exposure_time_us`.
    pub name: String,
    /// Where its first value stands, in bytes from the payload's start.
    pub offset: usize,
    /// What its values are.
    pub kind: Kind,
    /// Its tables, the outermost first; none for a single value.
    pub dimensions: Vec<Dimension>,
}

impl Field {
    /// Values in it: 1, or those of its tables.
    #[must_use]
    pub fn count(&self) -> usize {
        self.dimensions.iter().map(|dimension| dimension.count).product()
    }

    /// Where a value stands, in bytes from the payload's start; values are counted row by row.
    #[must_use]
    pub fn offset_of(&self, index: usize) -> Option<usize> {
        let mut rest = index;
        let mut offset = self.offset;
        for dimension in self.dimensions.iter().rev() {
            offset += rest.checked_rem(dimension.count)? * dimension.stride;
            rest = rest.checked_div(dimension.count).unwrap_or(0);
        }
        (rest == 0).then_some(offset)
    }

    /// A value; `None` behind the end of the table or of the payload.
    #[must_use]
    pub fn value(&self, payload: &[u8], index: usize) -> Option<Value> {
        self.kind.read(payload.get(self.offset_of(index)?..)?)
    }

    /// All values, as far as the payload has them.
    pub fn values<'a>(&'a self, payload: &'a [u8]) -> impl Iterator<Item = Value> + 'a {
        (0..self.count()).map_while(|index| self.value(payload, index))
    }

    /// [`Field::name`] with each `[]` filled in, such as `blocks_ptr[17].avg_r`.
    #[must_use]
    pub fn name_of(&self, index: usize) -> String {
        self.fill(&self.name, index)
    }

    /// [`Field::path`] with each `[]` filled in.
    #[must_use]
    pub fn path_of(&self, index: usize) -> String {
        self.fill(&self.path, index)
    }

    fn fill(&self, text: &str, index: usize) -> String {
        let mut rest = index;
        let mut numbers: Vec<usize> = Vec::new();
        for dimension in self.dimensions.iter().rev() {
            numbers.push(rest.checked_rem(dimension.count).unwrap_or(0));
            rest = rest.checked_div(dimension.count).unwrap_or(0);
        }
        numbers.reverse();
        // A name may begin behind the outer tables of its path.
        let tables = text.matches("[]").count();
        let mut numbers = numbers.split_off(numbers.len().saturating_sub(tables)).into_iter();
        let mut out = String::with_capacity(text.len() + 8);
        for (part, piece) in text.split("[]").enumerate() {
            if let Some(number) = (part > 0).then(|| numbers.next()).flatten() {
                out.push_str(&format!("[{number}]"));
            }
            out.push_str(piece);
        }
        out
    }
}

/// What of a command's payload one side writes, in the order of the payload.
#[must_use]
pub fn fields(command: Command, direction: Direction) -> &'static [Field] {
    let tables = tables(command);
    match direction {
        Direction::Request => &tables.request,
        Direction::Answer => &tables.answer,
    }
}

/// A field by its name or its path, in either direction.
#[must_use]
pub fn find(command: Command, name: &str) -> Option<(Direction, &'static Field)> {
    [Direction::Answer, Direction::Request].into_iter().find_map(|direction| {
        let all = fields(command, direction);
        let field = all.iter().find(|field| field.name == name || field.path == name)?;
        Some((direction, field))
    })
}

#[derive(Debug, Default)]
struct Tables {
    request: Vec<Field>,
    answer: Vec<Field>,
}

fn tables(command: Command) -> &'static Tables {
    static ALL: OnceLock<HashMap<Command, Tables>> = OnceLock::new();
    static NONE: Tables = Tables { request: Vec::new(), answer: Vec::new() };
    let all = ALL.get_or_init(|| {
        let each = |&command: &Command| {
            let (request, answer): (Vec<_>, Vec<_>) = table::all(command)
                .into_iter()
                .partition(|(direction, _)| *direction == Direction::Request);
            let fields = |side: Vec<(Direction, Field)>| side.into_iter().map(|(_, f)| f).collect();
            (command, Tables { request: fields(request), answer: fields(answer) })
        };
        Command::ALL.iter().map(each).collect()
    });
    all.get(&command).unwrap_or(&NONE)
}
