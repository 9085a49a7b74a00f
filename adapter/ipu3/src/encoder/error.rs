//! Values that cannot be encoded.

use std::fmt;

/// A block of `ipu3_uapi_params` that can refuse a value, by the name of its `use` flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Block {
    /// Lens shading correction.
    Shading,
    /// Focus statistics.
    Af,
    /// Filter response of the AWB statistics.
    AwbFr,
    /// Tables of temporal noise reduction.
    Tnr3Vmem,
    /// Parameters of chroma noise reduction.
    Xnr3Dmem,
}

impl Block {
    /// The kernel's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Shading => "acc_shd",
            Self::Af => "acc_af",
            Self::AwbFr => "acc_awb_fr",
            Self::Tnr3Vmem => "tnr3_vmem_params",
            Self::Xnr3Dmem => "xnr3_dmem_params",
        }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A value of `aic_config` that the encoder is not defined for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodeError {
    /// The block that it is for.
    pub block: Block,
    /// Its place in `aic_config`, below the kernel's configuration.
    pub field: &'static str,
    /// The value.
    pub value: i64,
    /// What it would have to be.
    pub expected: &'static str,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { block, field, value, expected } = self;
        write!(f, "{block}: {field} is {value}, expected {expected}")
    }
}

impl std::error::Error for EncodeError {}
