//! Analogue gains of the sensor's codes, as the library knows them.

use std::collections::BTreeMap;

use cami_ipu3_requests::{Cause, RequestError};

use crate::connection::Up;
use crate::sensor::Sensor;

/// Gains that are remembered: a sensor has some thousand codes, a scene some ten.
const MOST: usize = 256;

/// What was asked so far.
#[derive(Debug, Default)]
pub struct Gains {
    known: BTreeMap<i32, f32>,
    /// The least and the greatest of the sensor, if the tuning tells.
    pub limits: Option<(f32, f32)>,
}

impl Gains {
    /// The gain of a code, if it is known already.
    pub fn known(&self, code: i32) -> Option<f32> {
        self.known.get(&code).copied()
    }

    /// The gain of a code; `None` where the tuning does not tell.
    pub fn of(&mut self, up: &mut Up<'_>, code: i32) -> Result<Option<f32>, RequestError> {
        if let Some(gain) = self.known(code) {
            return Ok(Some(gain));
        }
        let Ok(short) = u16::try_from(code) else { return Ok(None) };
        let gain = match up.engine.gain_of(up.requester, up.buffers, short) {
            // A tuning without the table; frames go on without the gain.
            Err(RequestError { cause: Cause::Status(_) | Cause::Answer(_), .. }) => None,
            asked => asked?,
        };
        let gain = gain.filter(|gain| gain.is_finite() && *gain > 0.0);
        if let Some(gain) = gain {
            self.learn(code, gain);
        }
        Ok(gain)
    }

    /// Remembers the gain of a code; none is beyond the limits.
    pub fn learn(&mut self, code: i32, gain: f32) {
        let gain = match self.limits {
            Some((least, greatest)) => gain.clamp(least, greatest),
            None => gain,
        };
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(code, gain);
    }

    /// Finds the limits: those of the sensor's codes, as far as the library has a gain for them.
    ///
    /// A driver may know more codes than the tuning (ov13858: 8191, and 1984), and those have a gain
    /// of 1 for Intel's library.
    pub fn find_limits(&mut self, up: &mut Up<'_>, sensor: &Sensor) -> Result<(), RequestError> {
        self.limits = None;
        let most = up.engine.max_gain.filter(|gain| gain.is_finite() && *gain > 0.0);
        let most_code = up.engine.max_code.map(i32::from);
        let least = self.of(up, sensor.gain.min)?;
        let greatest = match (most, most_code) {
            (Some(most), Some(code)) if code <= sensor.gain.max => Some(most),
            _ => self.of(up, sensor.gain.max)?,
        };
        self.limits = match (least, greatest) {
            (Some(least), Some(greatest)) => {
                let greatest = most.map_or(greatest, |most| greatest.min(most));
                Some((least.min(greatest), greatest.max(least)))
            }
            _ => None,
        };
        Ok(())
    }
}
