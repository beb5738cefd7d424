//! Accuracy against the number of models, as SVG.

use std::error::Error;

use crate::panel::{self, Axis, Dot, Key, Line, Panel, Stroke};
use crate::panel::{BLUE, GREEN, GREY, ORANGE, legend_down, pixels};
use crate::search::{Found, Settings};

// In pixels.
const PANEL: (u32, u32) = (580, 380);
const LEGEND: u32 = 200;

/// A line a network, dashed where the whole zoo is, with a ring around the smallest number that is enough.
pub fn svg(settings: &Settings, all: &[Found]) -> Result<String, Box<dyn Error>> {
    let most = all.iter().map(|found| found.rows.len()).max().unwrap_or(0).max(8) as f64;
    let range = 0.5..most + 0.5;
    let worst = |found: &Found| found.rows.first().map_or(found.whole, |row| row.accuracy);
    let in_fives = |accuracy: f64| (accuracy / 5.0).floor() * 5.0;
    let least = in_fives(all.iter().map(worst).fold(100.0, f64::min));
    let greatest = in_fives(all.iter().map(|found| found.whole).fold(0.0, f64::max)) + 5.0;

    let line = |colour, stroke, points| Line { name: String::new(), colour, stroke, points };
    let (mut lines, mut dots, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for (found, colour) in all.iter().zip([GREEN, BLUE, ORANGE].into_iter().cycle()) {
        let points = found.rows.iter().map(|row| (row.count() as f64, row.accuracy));
        lines.push(line(colour, Stroke::Dashed, [range.start, range.end].map(|x| (x, found.whole)).to_vec()));
        lines.push(line(colour, Stroke::Solid, points.clone().collect()));
        let enough = found.enough as f64;
        dots.extend(points.map(|at| Dot { at, colour, ring: at.0 == enough }));
        keys.push(Key::Line(found.place.name().to_owned(), colour, Stroke::Solid));
    }
    keys.push(Key::Line("the whole zoo".to_owned(), GREY, Stroke::Dashed));
    keys.push(Key::Ring(format!("fewest within {} points", settings.within.as_percent()), GREY));
    let panel = Panel::new(
        "The best k models",
        Axis { label: "models (k)", range },
        Axis { label: "expected accuracy of the base (%)", range: least..greatest },
    )
    .with_lines(lines)
    .with_dots(dots);
    panel::svg((PANEL.0 + LEGEND, PANEL.1), |area| {
        let (left, right) = area.split_horizontally(pixels(PANEL.0 as i32));
        panel.draw(&left)?;
        legend_down(&right, &keys)
    })
}
