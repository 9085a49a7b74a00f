//! From the ISP's bytes and to them.

use cami_ipu3::encoder::{self, EncodeError};
use cami_ipu3::payload::AicConfig;
use cami_ipu3::statistics::{self, Grids, StatisticsError};
use cami_ipu3::uapi::{Params, Stats3a};
use cami_ipu3::{bytes_of, bytes_of_mut, zeroed_box};

use crate::ipa::STATISTICS_BYTES;

/// The memory that conversions work in: made once.
#[derive(Debug)]
pub struct Codec {
    raw: Box<Stats3a>,
    grids: Grids,
    params: Box<Params>,
}

/// Statistics that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadStatistics {
    /// They are no `ipu3_uapi_stats_3a`.
    Size(usize),
    /// They are malformed.
    Malformed(StatisticsError),
}

impl std::fmt::Display for BadStatistics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Size(size) => {
                write!(f, "statistics of {size} bytes, expected {STATISTICS_BYTES}")
            }
            Self::Malformed(error) => write!(f, "malformed statistics: {error}"),
        }
    }
}

impl Codec {
    /// All zero.
    pub fn new() -> Self {
        Self { raw: zeroed_box(), grids: Grids::new(), params: zeroed_box() }
    }

    /// A frame's grids. The bytes are copied first: the ISP's buffer may change.
    pub fn grids(&mut self, statistics: &[u8]) -> Result<&Grids, BadStatistics> {
        let bytes = bytes_of_mut(&mut *self.raw);
        if statistics.len() != bytes.len() {
            return Err(BadStatistics::Size(statistics.len()));
        }
        bytes.copy_from_slice(statistics);
        statistics::convert(&self.raw, &mut self.grids).map_err(BadStatistics::Malformed)?;
        Ok(&self.grids)
    }

    /// The ISP's parameters. After an error those before are as they were.
    pub fn params(&mut self, config: &AicConfig) -> Result<&[u8], EncodeError> {
        encoder::encode(config, &mut self.params)?;
        Ok(self.last_params())
    }

    /// The parameters that were made last; all zero before the first.
    pub fn last_params(&self) -> &[u8] {
        bytes_of(&*self.params)
    }
}
