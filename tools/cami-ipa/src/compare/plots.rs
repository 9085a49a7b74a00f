//! The figures as plots, in SVG files.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::closed_loop::LIGHTS;
use super::figures::{ContestantFigures, Figures, LightFigures};
use crate::failure::Failure;

/// Sizes of the pictures, in pixels.
const WIDE: (u32, u32) = (1100, 460);
const BARS: (u32, u32) = (900, 420);
/// Colours that people with any colour vision tell apart (Okabe and Ito, 2008).
const COLOURS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115)];
const FONT: &str = "sans-serif";
/// Share of a group's width that its bars take.
const BAR_SHARE: f64 = 0.8;

type Drawn = Result<(), Box<dyn std::error::Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Writes them into a folder, which is made.
pub fn write(folder: &Path, figures: &Figures) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let done: Vec<&ContestantFigures> =
        figures.contestants.iter().filter(|one| one.failure.is_none()).collect();
    let draw = |name: &str, size, what: &dyn Fn(&Area<'_>) -> Drawn| {
        let path = folder.join(name);
        let drawn = {
            let area = SVGBackend::new(&path, size).into_drawing_area();
            area.fill(&WHITE)
                .map_err(Into::into)
                .and_then(|()| what(&area))
                .and_then(|()| area.present().map_err(Into::into))
        };
        drawn.map_err(|error| failed(&path, &*error))
    };
    draw("ae.svg", WIDE, &|area| exposure(area, &done, figures.frames_per_light))?;
    draw("awb.svg", BARS, &|area| {
        let bars = Bars { title: "Error of white balance on the grey patches", unit: "degrees" };
        bars.draw(area, &done, |light| (light.awb_error_deg, None))
    })?;
    draw("de2000_picture.svg", BARS, &|area| {
        let title = "Picture as emitted: CIEDE2000, mean of 24 patches (line: worst patch)";
        let bars = Bars { title, unit: "CIEDE2000" };
        bars.draw(area, &done, |light| (light.de2000_picture_mean, Some(light.de2000_picture_max)))
    })?;
    draw("de2000_colour.svg", BARS, &|area| {
        let title = "Colour at equal exposure: CIEDE2000, mean of 24 patches (line: worst patch)";
        let bars = Bars { title, unit: "CIEDE2000" };
        bars.draw(area, &done, |light| (light.de2000_colour_mean, Some(light.de2000_colour_max)))
    })
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::environment(format!("{} cannot be written: {error}", path.display()))
}

fn colour(index: usize) -> RGBColor {
    COLOURS.get(index).copied().unwrap_or(BLACK)
}

/// Brightness of the picture over time, and where the lights change.
fn exposure(area: &Area<'_>, done: &[&ContestantFigures], per_light: u64) -> Drawn {
    let end = per_light as f64 * LIGHTS.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .caption("Brightness of the picture while the light changes", (FONT, 18))
        .margin(12)
        .x_label_area_size(38)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..end, 0.0..112.0)?;
    chart
        .configure_mesh()
        .x_desc("frame")
        .y_desc("mean of green, % of full scale")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .label_style((FONT, 13))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (index, (name, _, lux)) in (0_u32..).zip(LIGHTS) {
        let first = f64::from(index) * per_light as f64;
        if index > 0 {
            let line = [(first, 0.0), (first, 112.0)];
            chart.draw_series(LineSeries::new(line, BLACK.mix(0.35)))?;
        }
        let label =
            Text::new(format!("{name}, {lux} lx"), (first + end * 0.006, 110.0), (FONT, 13));
        chart.draw_series(std::iter::once(label))?;
    }
    for (index, one) in done.iter().enumerate() {
        let points =
            (0_u32..).zip(&one.level).map(|(frame, level)| (f64::from(frame), 100.0 * level));
        let style = colour(index).stroke_width(2);
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(&one.name)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::Coordinate(620, 60))
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.35))
        .label_font((FONT, 14))
        .draw()?;
    Ok(())
}

/// A plot of bars, a group for each light.
struct Bars {
    title: &'static str,
    unit: &'static str,
}

impl Bars {
    /// Draws the bars of `value`, and a thin line up to its second part.
    fn draw(
        &self,
        area: &Area<'_>,
        done: &[&ContestantFigures],
        value: fn(&LightFigures) -> (f64, Option<f64>),
    ) -> Drawn {
        let tops = done.iter().flat_map(|one| &one.lights).map(|light| {
            let (mean, most) = value(light);
            most.unwrap_or(mean)
        });
        // Room for the legend above the bars.
        let top = tops.fold(0.5, f64::max) * 1.4;
        let groups = LIGHTS.len();
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, (FONT, 18))
            .margin(12)
            .x_label_area_size(30)
            .y_label_area_size(56)
            .build_cartesian_2d(0.0..groups as f64, 0.0..top)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .y_desc(self.unit)
            .label_style((FONT, 13))
            .light_line_style(TRANSPARENT)
            .draw()?;
        let width = BAR_SHARE / done.len().max(1) as f64;
        for (index, one) in done.iter().enumerate() {
            let style = colour(index);
            let left =
                |group: u32| f64::from(group) + (1.0 - BAR_SHARE) / 2.0 + width * index as f64;
            let bars = (0_u32..).zip(&one.lights).map(|(group, light)| {
                let x = left(group);
                Rectangle::new([(x, 0.0), (x + width * 0.92, value(light).0)], style.filled())
            });
            chart.draw_series(bars)?.label(&one.name).legend(move |(x, y)| {
                Rectangle::new([(x, y - 5), (x + 14, y + 5)], style.filled())
            });
            let lines = (0_u32..).zip(&one.lights).filter_map(|(group, light)| {
                let (mean, most) = value(light);
                let x = left(group) + width * 0.46;
                Some(PathElement::new(vec![(x, mean), (x, most?)], style.stroke_width(2)))
            });
            chart.draw_series(lines)?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.9))
            .border_style(BLACK.mix(0.35))
            .label_font((FONT, 14))
            .draw()?;
        // Names below the groups, in pixels: the axis itself has numbers only.
        for (group, (name, _, _)) in (0_u32..).zip(LIGHTS) {
            let (x, y) = chart.backend_coord(&(f64::from(group) + 0.5, 0.0));
            let style = TextStyle::from((FONT, 14)).pos(plotters::style::text_anchor::Pos::new(
                plotters::style::text_anchor::HPos::Center,
                plotters::style::text_anchor::VPos::Top,
            ));
            area.draw(&Text::new(name, (x, y + 8), style))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn light(name: &str, error: f64) -> LightFigures {
        LightFigures {
            name: name.to_owned(),
            ae_frames: Some(7),
            ae_overshoot: 0.0,
            level: 0.2,
            awb_frames: None,
            awb_error_deg: error,
            awb_red_error: 0.0,
            awb_blue_error: 0.0,
            de2000_picture_mean: 5.0,
            de2000_picture_max: 9.0,
            de2000_colour_mean: 3.0,
            de2000_colour_max: 8.0,
        }
    }

    #[test]
    fn files_hold_a_bar_for_each_light_and_contestant() {
        let contestant = |name: &str, error: f64| ContestantFigures {
            lights: LIGHTS.iter().map(|(name, ..)| light(name, error)).collect(),
            level: vec![0.2; 120],
            failure: None,
            ..ContestantFigures::of_failure(name, "", String::new())
        };
        let figures = Figures {
            libcamera_version: None,
            sensor: "ov13858".to_owned(),
            frames_per_light: 20,
            contestants: vec![
                contestant("reference", 0.5),
                contestant("vendor", 2.0),
                ContestantFigures::of_failure("libcamera", "", "it died".to_owned()),
            ],
        };
        let folder = tempfile::tempdir().expect("a folder");
        let plots = folder.path().join("plots");
        write(&plots, &figures).expect("plots");
        let text = |name: &str| std::fs::read_to_string(plots.join(name)).expect("a plot");
        let awb = text("awb.svg");
        let fills = |svg: &str, colour: &str| svg.matches(&format!("fill=\"{colour}\"")).count();
        // Six bars and the legend; who failed has none.
        assert_eq!(fills(&awb, "#0072B2"), 7);
        assert_eq!(fills(&awb, "#D55E00"), 7);
        assert_eq!(fills(&awb, "#009E73"), 0);
        for (name, ..) in LIGHTS {
            assert!(awb.contains(name), "{name}");
        }
        assert!(text("ae.svg").contains("TL84, 600 lx"));
        assert!(text("de2000_colour.svg").contains("worst patch"));
        assert!(text("de2000_picture.svg").contains("CIEDE2000"));
    }
}
