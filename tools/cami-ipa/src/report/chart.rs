//! Line charts over frames, as inline SVG.
//!
//! Colours come from the page's style sheet; a script of the page shows the values of the frame
//! under the pointer, read from the `data-` attributes written here.

use std::fmt::Write;

use super::text::Escaped;

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 40.0;
/// Base lines of the two rows of labels above the chart, and about how wide a letter is.
const LABEL_ROWS: [f64; 2] = [34.0, 20.0];
const LETTER: f64 = 6.5;
const BOTTOM: f64 = 30.0;

/// How values become heights.
#[derive(Debug, Clone, Copy)]
pub enum Scale {
    /// Evenly, from the first value to the second.
    Linear(f64, f64),
    /// By powers of ten, from the first value to the second.
    Log(f64, f64),
}

/// What the values follow one another by.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    /// What stands before and behind its numbers.
    pub around: (&'static str, &'static str),
    /// The number of the first value.
    pub first: f64,
    /// From one value to the next.
    pub step: f64,
}

impl Axis {
    /// One value for each frame, from one on.
    pub fn frames(first: u32) -> Self {
        Self { around: ("frame ", ""), first: f64::from(first), step: 1.0 }
    }

    /// Values at equal times, in seconds.
    pub fn seconds(first: f64, step: f64) -> Self {
        Self { around: ("at ", " s"), first, step }
    }
}

/// One line.
#[derive(Debug)]
pub struct Series<'a> {
    /// Its name in the legend.
    pub name: &'a str,
    /// Class of the style sheet that colours it.
    pub class: &'a str,
    /// Its values; not a number where there is none.
    pub values: Vec<f64>,
}

/// An area in which values are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Band {
    /// First and last frame.
    pub frames: (u64, u64),
    /// Lowest and highest value.
    pub values: (f64, f64),
}

/// A vertical line.
#[derive(Debug)]
pub struct Mark {
    /// Where on the axis.
    pub at: f64,
    /// Class of the style sheet.
    pub class: &'static str,
    /// What is written at its upper end.
    pub label: String,
}

/// A chart.
#[derive(Debug)]
pub struct Chart<'a> {
    /// Identifies it in the page.
    pub id: &'a str,
    /// One sentence that says what is seen, for those who do not see it.
    pub description: String,
    /// Unit of the values, behind numbers.
    pub unit: &'a str,
    /// The horizontal axis.
    pub axis: Axis,
    /// The vertical axis.
    pub scale: Scale,
    /// The lines; all of the same length.
    pub series: Vec<Series<'a>>,
    /// Wanted areas.
    pub bands: Vec<Band>,
    /// Vertical lines.
    pub marks: Vec<Mark>,
}

impl Chart<'_> {
    /// Draws it.
    pub fn render(&self) -> String {
        let mut svg = String::new();
        let id = self.id;
        let frames = self.frames();
        let _ = write!(
            svg,
            "<figure class=\"chart\" id=\"{id}\" data-left=\"{LEFT}\" data-right=\"{}\" \
             data-frames=\"{frames}\" data-before=\"{}\" data-behind=\"{}\" data-first=\"{}\" \
             data-step=\"{}\">\n\
             <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}-d\">\n\
             <desc id=\"{id}-d\">{}</desc>\n",
            WIDTH - RIGHT,
            self.axis.around.0,
            self.axis.around.1,
            self.axis.first,
            self.axis.step,
            Escaped(&self.description)
        );
        self.grid(&mut svg);
        for band in &self.bands {
            let (x0, x1) = (self.x(band.frames.0 as f64), self.x(band.frames.1 as f64));
            let (y0, y1) = (self.y(band.values.1), self.y(band.values.0));
            let _ = writeln!(
                svg,
                "<rect class=\"band\" x=\"{x0:.1}\" y=\"{y0:.1}\" width=\"{:.1}\" \
                 height=\"{:.1}\"/>",
                (x1 - x0).max(1.0),
                (y1 - y0).max(1.0)
            );
        }
        self.draw_marks(&mut svg);
        for series in &self.series {
            self.line(&mut svg, series);
        }
        let _ = writeln!(
            svg,
            "<line class=\"cursor\" y1=\"{TOP}\" y2=\"{}\" x1=\"-9\" x2=\"-9\"/>\n</svg>",
            HEIGHT - BOTTOM
        );
        self.legend(&mut svg);
        svg.push_str("</figure>\n");
        svg
    }

    fn frames(&self) -> usize {
        self.series.first().map_or(0, |series| series.values.len())
    }

    fn x(&self, at: f64) -> f64 {
        let last = self.frames().saturating_sub(1).max(1) as f64;
        let index = (at - self.axis.first) / self.axis.step;
        LEFT + (index / last).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear(low, high) => (value - low) / (high - low),
            Scale::Log(low, high) => (value.max(low) / low).ln() / (high / low).ln(),
        };
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    /// Values at which the vertical axis has a line.
    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear(low, high) => {
                let step = nice_step((high - low) / 4.0);
                let first = (low / step).ceil();
                (0..12_u32)
                    .map(|n| (first + f64::from(n)) * step)
                    .take_while(|v| *v <= high + step * 1e-6)
                    .collect()
            }
            Scale::Log(low, high) => (-9..12_i32)
                .map(|power| 10_f64.powi(power))
                .filter(|value| (low * 0.999..=high * 1.001).contains(value))
                .collect(),
        }
    }

    fn grid(&self, svg: &mut String) {
        for value in self.ticks() {
            let y = self.y(value);
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                short(value),
                Escaped(self.unit)
            );
        }
        let first = self.axis.first;
        let last = first + self.frames().saturating_sub(1) as f64 * self.axis.step;
        let step = nice_step((last - first) / 8.0);
        let step = if self.axis.step < 1.0 { step } else { step.max(1.0) };
        let begin = (first / step).ceil();
        for n in 0..20_u32 {
            let at = (begin + f64::from(n)) * step;
            if at > last {
                break;
            }
            let _ = writeln!(
                svg,
                "<text class=\"tick\" x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                self.x(at),
                HEIGHT - BOTTOM + 18.0,
                short(at)
            );
        }
    }

    /// Labels that would run into one another stand in two rows.
    fn draw_marks(&self, svg: &mut String) {
        let mut marks: Vec<&Mark> = self.marks.iter().collect();
        marks.sort_by(|one, other| one.at.total_cmp(&other.at));
        let mut taken_until = LABEL_ROWS.map(|_| 0.0);
        for mark in marks {
            let x = self.x(mark.at);
            let width = mark.label.chars().count() as f64 * LETTER + 4.0;
            // A label near the right edge stands on the left of its line.
            let on_left = x + width > WIDTH - RIGHT;
            let start = if on_left { x - width } else { x };
            let mut y = LABEL_ROWS.last().copied().unwrap_or(TOP);
            for (row, taken) in LABEL_ROWS.iter().zip(&mut taken_until) {
                if *taken <= start {
                    *taken = start + width;
                    y = *row;
                    break;
                }
            }
            let (anchor, at) = if on_left { ("end", x - 4.0) } else { ("start", x + 4.0) };
            let _ = writeln!(
                svg,
                "<line class=\"mark {0}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{1}\" y2=\"{2}\"/>\
                 <text class=\"mark-label {0}\" x=\"{at:.1}\" y=\"{y}\" text-anchor=\"{anchor}\">\
                 {3}</text>",
                mark.class,
                y - 9.0,
                HEIGHT - BOTTOM,
                Escaped(&mark.label)
            );
        }
    }

    fn line(&self, svg: &mut String, series: &Series<'_>) {
        let mut path = String::new();
        let mut drawn = false;
        for (x, y) in self.points(series) {
            if y.is_nan() {
                drawn = false;
                continue;
            }
            if !drawn {
                // A point without neighbours is a line to itself.
                let _ = write!(path, "M{x:.1},{y:.1} ");
            }
            drawn = true;
            let _ = write!(path, "{x:.1},{y:.1} ");
        }
        let value = |value: &f64| if value.is_nan() { "-".to_owned() } else { short(*value) };
        let values: Vec<String> = series.values.iter().map(value).collect();
        let _ = writeln!(
            svg,
            "<path class=\"line {}\" d=\"{}\" data-name=\"{}\" data-unit=\"{}\" \
             data-values=\"{}\"/>",
            series.class,
            path.trim_end(),
            Escaped(series.name),
            Escaped(self.unit),
            values.join(" ")
        );
    }

    /// Where the line goes. Of values that share half a unit of width only the lowest and the highest
    /// are drawn, so that a long line stays small and no spike is lost.
    fn points(&self, series: &Series<'_>) -> Vec<(f64, f64)> {
        let point = |(index, value): (u32, &f64)| {
            let x = self.x(self.axis.first + f64::from(index) * self.axis.step);
            (x, if value.is_nan() { f64::NAN } else { self.y(*value) })
        };
        let all: Vec<(f64, f64)> = (0..).zip(&series.values).map(point).collect();
        let mut points = Vec::new();
        for near in all.chunk_by(|one, other| (one.0 * 2.0).floor() == (other.0 * 2.0).floor()) {
            let order = |one: &&(f64, f64), other: &&(f64, f64)| one.1.total_cmp(&other.1);
            let known = || near.iter().filter(|point| !point.1.is_nan());
            match (known().min_by(order), known().max_by(order)) {
                (Some(low), Some(high)) if low.0 < high.0 => points.extend([*low, *high]),
                (Some(low), Some(high)) if low.0 > high.0 => points.extend([*high, *low]),
                (Some(only), _) => points.push(*only),
                (None, _) => points.extend(near.first()),
            }
        }
        points
    }

    fn legend(&self, svg: &mut String) {
        svg.push_str("<figcaption>");
        for series in &self.series {
            let _ = write!(
                svg,
                "<span class=\"key {}\">{}</span> ",
                series.class,
                Escaped(series.name)
            );
        }
        if !self.bands.is_empty() {
            svg.push_str("<span class=\"key band-key\">wanted</span> ");
        }
        svg.push_str("<output></output></figcaption>\n");
    }
}

/// 1, 2 or 5 times a power of ten, at least `rough`.
fn nice_step(rough: f64) -> f64 {
    if !rough.is_finite() || rough <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0]
        .map(|n| n * power)
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * power)
}

/// A number of up to four digits.
pub fn short(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    let trimmed =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if trimmed == "-0" { "0".into() } else { trimmed.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(scale: Scale, values: Vec<f64>) -> String {
        Chart {
            id: "c",
            description: "a <description>".into(),
            unit: " %",
            axis: Axis::frames(0),
            scale,
            series: vec![Series { name: "level", class: "s1", values }],
            bands: vec![Band { frames: (0, 2), values: (0.5, 1.5) }],
            marks: vec![Mark { at: 1.0, class: "fault", label: "killed".into() }],
        }
        .render()
    }

    #[test]
    fn values_become_heights() {
        let svg = chart(Scale::Linear(0.0, 2.0), vec![0.0, 1.0, 2.0]);
        assert!(svg.contains("62.0,230.0 465.0,135.0 868.0,40.0"), "{svg}");
        assert!(svg.contains("a &lt;description&gt;"));
        assert!(svg.contains("data-values=\"0 1 2\""));
        let svg = chart(Scale::Log(1.0, 100.0), vec![1.0, 10.0, 100.0]);
        assert!(svg.contains("62.0,230.0 465.0,135.0 868.0,40.0"), "{svg}");
    }

    #[test]
    fn labels_do_not_run_into_one_another() {
        let mark = |at| Mark { at, class: "good", label: "converged".into() };
        let svg = Chart {
            id: "c",
            description: String::new(),
            unit: "",
            axis: Axis::frames(0),
            scale: Scale::Linear(0.0, 1.0),
            series: vec![Series { name: "level", class: "s1", values: vec![0.5; 101] }],
            bands: Vec::new(),
            marks: vec![mark(54.0), mark(50.0), mark(99.0)],
        }
        .render();
        let rows: Vec<&str> = svg
            .split("mark-label good\" x=\"")
            .skip(1)
            .filter_map(|rest| rest.split("y=\"").nth(1)?.split('"').next())
            .collect();
        assert_eq!(rows, ["34", "20", "34"], "{svg}");
        assert!(svg.contains("text-anchor=\"end\">converged"), "the last stands on the left");
    }

    #[test]
    fn a_chart_of_nothing_or_of_nonsense_is_still_a_chart() {
        for values in [vec![], vec![1.0], vec![f64::NAN, f64::INFINITY]] {
            let svg = chart(Scale::Linear(0.0, 1.0), values);
            assert!(svg.contains("</figure>"));
            assert!(!svg.contains("NaN,") && !svg.contains(",NaN"), "{svg}");
        }
    }

    #[test]
    fn a_gap_is_a_gap_and_a_lone_value_a_dot() {
        let svg = chart(Scale::Linear(0.0, 2.0), vec![f64::NAN, 1.0, f64::NAN, 0.0, 2.0]);
        let path = svg.split(" d=\"").nth(1).and_then(|rest| rest.split('"').next());
        assert_eq!(
            path,
            Some("M263.5,135.0 263.5,135.0 M666.5,230.0 666.5,230.0 868.0,40.0"),
            "{svg}"
        );
        assert!(svg.contains("data-values=\"- 1 - 0 2\""), "{svg}");
    }

    #[test]
    fn a_long_line_is_short_and_keeps_its_spikes() {
        let mut values = vec![1.0; 100_000];
        if let Some(spike) = values.get_mut(77_777) {
            *spike = 2.0;
        }
        let svg = chart(Scale::Linear(0.0, 2.0), values);
        let path = svg.split(" d=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert!(path.len() < 40_000, "{}", path.len());
        assert_eq!(path.matches(",40.0").count(), 1);
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [(0.0, "0"), (0.12346, "0.1235"), (33_333.0, "33333"), (2.5, "2.5")] {
            assert_eq!(short(value), text);
        }
    }
}
