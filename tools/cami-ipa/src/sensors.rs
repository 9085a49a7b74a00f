//! The sensors that are known by name, and descriptors given by hand.

use std::fmt;
use std::str::FromStr;

/// What AE must know of a sensor's timing.
///
/// The built-in values are those of the modules whose runs were recorded (ov13858 at
/// 4224 × 3136, ov5670 at 2592 × 1944).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SensorTiming {
    /// Pixel clock, in MHz.
    pub clock_mhz: f32,
    /// Pixel periods per line.
    pub pixels_per_line: u16,
    /// Line periods per frame.
    pub lines_per_frame: u16,
    /// Lines by which the longest integration time stays below the frame length.
    pub coarse_max_margin: u16,
}

/// A sensor by name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownSensor {
    /// The name that `--sensor` takes.
    pub name: &'static str,
    /// Its timing.
    pub timing: SensorTiming,
    /// Width and height in pixels, used where the tuning does not tell.
    pub size: (u16, u16),
}

/// Every sensor that is built in; the first is the default.
pub const KNOWN: [KnownSensor; 2] = [
    KnownSensor {
        name: "ov13858",
        timing: SensorTiming {
            clock_mhz: 432.0,
            pixels_per_line: 4480,
            lines_per_frame: 3214,
            coarse_max_margin: 8,
        },
        size: (4224, 3136),
    },
    KnownSensor {
        name: "ov5670",
        timing: SensorTiming {
            clock_mhz: 168.96,
            pixels_per_line: 2724,
            lines_per_frame: 2067,
            coarse_max_margin: 8,
        },
        size: (2592, 1944),
    },
];

/// What the user chose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sensor {
    /// Its timing.
    pub timing: SensorTiming,
    /// Its size, if it is known without the tuning.
    pub size: Option<(u16, u16)>,
}

impl Default for Sensor {
    fn default() -> Self {
        let [first, ..] = KNOWN;
        Self::from(first)
    }
}

impl From<KnownSensor> for Sensor {
    fn from(known: KnownSensor) -> Self {
        Self { timing: known.timing, size: Some(known.size) }
    }
}

/// Why a sensor was not understood.
#[derive(Debug, PartialEq, Eq)]
pub struct BadSensor(String);

impl fmt::Display for BadSensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KnownSensor {
    /// A built-in sensor; `None` if there is none of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        KNOWN.iter().find(|known| known.name == name).copied()
    }

    /// The names of all, for people.
    pub fn names() -> String {
        KNOWN.map(|known| known.name).join(" and ")
    }
}

impl Sensor {
    /// A built-in sensor.
    pub fn by_name(name: &str) -> Result<Self, BadSensor> {
        KnownSensor::by_name(name).map(Self::from).ok_or_else(|| {
            BadSensor(format!(
                "no sensor \"{name}\" is built in ({} are); describe it with --sensor-descriptor",
                KnownSensor::names()
            ))
        })
    }

    /// CLOCK_MHZ,PIXELS_PER_LINE,LINES_PER_FRAME,COARSE_MAX_MARGIN.
    pub fn by_descriptor(text: &str) -> Result<Self, BadSensor> {
        let bad = || {
            BadSensor(format!(
                "\"{text}\" is not CLOCK_MHZ,PIXELS_PER_LINE,LINES_PER_FRAME,COARSE_MAX_MARGIN, \
                 as 432,4480,3214,8"
            ))
        };
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let [clock, pixels, lines, margin] = parts.as_slice() else { return Err(bad()) };
        let clock_mhz = f32::from_str(clock).map_err(|_| bad())?;
        let number = |text: &str| u16::from_str(text).map_err(|_| bad());
        let timing = SensorTiming {
            clock_mhz,
            pixels_per_line: number(pixels)?,
            lines_per_frame: number(lines)?,
            coarse_max_margin: number(margin)?,
        };
        let usable = clock_mhz.is_finite()
            && clock_mhz > 0.0
            && timing.pixels_per_line > 0
            && timing.lines_per_frame > timing.coarse_max_margin;
        if usable { Ok(Self { timing, size: None }) } else { Err(bad()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_equals_the_built_in_sensor() {
        let described = Sensor::by_descriptor("432, 4480,3214,8").expect("a good descriptor");
        assert_eq!(described.timing, Sensor::default().timing);
        assert_eq!(described.size, None);
    }

    #[test]
    fn bad_sensors_say_what_is_expected() {
        for text in
            ["", "1,2,3", "1,2,3,4,5", "x,1,2,3", "0,4480,3214,8", "432,4480,8,8", "NaN,1,2,1"]
        {
            let error = Sensor::by_descriptor(text).expect_err("a bad descriptor");
            assert!(error.to_string().contains("432,4480,3214,8"), "{error}");
        }
        assert!(Sensor::by_name("imx258").expect_err("unknown").to_string().contains("ov5670"));
    }
}
