//! Where the whites of a generic sensor are, by the colour temperature of the light.
//!
//! The sensor is the generic one of the project's virtual camera (`tools/virtual-camera`,
//! `sensor.rs`): a small mobile sensor of no particular make. Whites of lights up to 4000 K are
//! those of Planckian radiators (lamps), from 5000 K on those of CIE daylight. A test computes the
//! table anew from that camera.

/// A white: red over green and blue over green of a neutral surface, both as natural logarithms,
/// in which distances mean the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct White {
    /// Logarithm of red over green.
    pub red: f64,
    /// Logarithm of blue over green.
    pub blue: f64,
}

impl White {
    /// The white of two ratios, both above zero.
    pub fn from_ratios(r_per_g: f64, b_per_g: f64) -> Self {
        Self { red: r_per_g.ln(), blue: b_per_g.ln() }
    }

    /// Red over green and blue over green.
    pub fn ratios(self) -> (f64, f64) {
        (self.red.exp(), self.blue.exp())
    }

    /// The white a share of the way to another one.
    pub fn towards(self, other: Self, share: f64) -> Self {
        let between = |a: f64, b: f64| a + (b - a) * share;
        Self { red: between(self.red, other.red), blue: between(self.blue, other.blue) }
    }

    /// Square of the distance of two whites.
    pub fn squared_distance(self, other: Self) -> f64 {
        (self.red - other.red).powi(2) + (self.blue - other.blue).powi(2)
    }
}

/// Colour temperature (K), red over green, blue over green.
#[rustfmt::skip]
pub const TABLE: [(f64, f64, f64); 14] = [
    (2000.0, 1.3036, 0.4609), (2300.0, 1.1014, 0.4716), (2600.0, 0.9615, 0.4931),
    (2856.0, 0.8734, 0.5157), (3100.0, 0.8079, 0.5390), (3500.0, 0.7269, 0.5780),
    (4000.0, 0.6558, 0.6254), (5000.0, 0.5598, 0.6851), (5500.0, 0.5303, 0.7215),
    (6000.0, 0.5076, 0.7545), (6504.0, 0.4895, 0.7843), (7500.0, 0.4636, 0.8342),
    (9000.0, 0.4387, 0.8913), (12000.0, 0.4123, 0.9647),
];

/// Coldest and warmest white of the table, K.
pub const CCT_RANGE: (f64, f64) = (2000.0, 12_000.0);

/// The place on the locus that is nearest to a white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// Its colour temperature, K.
    pub cct: f64,
    /// The place itself.
    pub white: White,
    /// Square of the distance to it.
    pub squared_distance: f64,
}

/// A part of the locus, made for many questions about it.
#[derive(Debug, Clone)]
pub struct Locus {
    /// Reciprocal colour temperature (1/K, in which the locus is even) and white, from warm to
    /// cold; never empty.
    points: Vec<(f64, White)>,
}

impl Locus {
    /// The locus between two colour temperatures, K; they are put in order and into
    /// [`CCT_RANGE`], and a single one is a single point.
    pub fn between(a: f64, b: f64) -> Self {
        let (low, high) = CCT_RANGE;
        // `max` and `min` pass over NaN.
        let (a, b) = (a.max(low).min(high), b.max(low).min(high));
        let (warm, cold) = (a.min(b), a.max(b));
        let inner = TABLE.iter().filter(|(cct, ..)| warm < *cct && *cct < cold);
        let mut points = vec![(warm.recip(), white_of(warm))];
        points.extend(inner.map(|(cct, r, b)| (cct.recip(), White::from_ratios(*r, *b))));
        points.push((cold.recip(), white_of(cold)));
        Self { points }
    }

    /// The whole table.
    pub fn whole() -> Self {
        Self::between(CCT_RANGE.0, CCT_RANGE.1)
    }

    /// The nearest place on it.
    pub fn nearest(&self, white: White) -> Nearest {
        let mut best = Nearest { cct: 0.0, white, squared_distance: f64::INFINITY };
        for pair in self.points.windows(2) {
            let [(from, start), (to, end)] = pair else { continue };
            let length = start.squared_distance(*end);
            let along = (white.red - start.red) * (end.red - start.red)
                + (white.blue - start.blue) * (end.blue - start.blue);
            let share = if length > 0.0 { (along / length).clamp(0.0, 1.0) } else { 0.0 };
            let place = start.towards(*end, share);
            let squared_distance = place.squared_distance(white);
            if squared_distance < best.squared_distance {
                let cct = (from + (to - from) * share).recip();
                best = Nearest { cct, white: place, squared_distance };
            }
        }
        best
    }
}

/// The white of a colour temperature in K, limited to [`CCT_RANGE`].
pub fn white_of(cct: f64) -> White {
    let cct = cct.max(CCT_RANGE.0).min(CCT_RANGE.1);
    let mut pairs = TABLE.windows(2);
    let pair = pairs.find_map(|pair| match pair {
        [from, to] if cct <= to.0 => Some((*from, *to)),
        _ => None,
    });
    // Within the range there is always a pair.
    let [.., from, to] = TABLE;
    let (from, to) = pair.unwrap_or((from, to));
    let share = (cct.recip() - from.0.recip()) / (to.0.recip() - from.0.recip());
    White::from_ratios(from.1, from.2).towards(White::from_ratios(to.1, to.2), share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use virtual_camera::{Camera, ChartCamera, Light, ScheduledLight, Source};

    #[test]
    fn the_table_is_that_of_the_generic_sensor() {
        for (cct, r_per_g, b_per_g) in TABLE {
            let source = if cct <= 4000.0 { Source::Planckian(cct) } else { Source::Daylight(cct) };
            let light = Light { source, lux: 500.0 };
            let camera =
                ChartCamera::new(&[ScheduledLight { first_frame: 0, light }], 0).expect("a light");
            let wall = camera.scene(0);
            assert!((wall.r_per_g - r_per_g).abs() < 1e-4, "{cct}: {}", wall.r_per_g);
            assert!((wall.b_per_g - b_per_g).abs() < 1e-4, "{cct}: {}", wall.b_per_g);
        }
    }

    #[test]
    fn every_white_of_the_locus_is_found_again() {
        let locus = Locus::whole();
        for step in 0..=100 {
            let cct = 2000.0 * 6.0_f64.powf(f64::from(step) / 100.0);
            let nearest = locus.nearest(white_of(cct));
            assert!((nearest.cct / cct - 1.0).abs() < 1e-6, "{cct}: {nearest:?}");
            assert!(nearest.squared_distance < 1e-12);
        }
        assert_eq!((TABLE[0].0, TABLE[TABLE.len() - 1].0), CCT_RANGE);
    }

    #[test]
    fn a_part_of_the_locus_ends_where_it_ends() {
        let daylight = Locus::between(7000.0, 5000.0);
        assert!((daylight.nearest(white_of(2856.0)).cct - 5000.0).abs() < 1e-6);
        assert!((daylight.nearest(white_of(12_000.0)).cct - 7000.0).abs() < 1e-6);
        let point = Locus::between(3000.0, 3000.0);
        assert!((point.nearest(white_of(9000.0)).cct - 3000.0).abs() < 1e-6);
        let rubbish = Locus::between(f64::NAN, f64::INFINITY);
        assert!(rubbish.nearest(white_of(5000.0)).cct.is_finite());
    }
}
