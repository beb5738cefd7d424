//! Effective accuracy, or what is late, against load, as SVG.

use std::error::Error;

use plotters::style::RGBColor;

use crate::comparison::{CameTo, LIMIT, Row};
use crate::panel::{self, Axis, Dot, Key, Line, Panel, Stroke, legend_down, pixels};
use crate::panel::{BLUE, GREEN, ORANGE, PURPLE, REPORTED, SKY};
use crate::policies::FIXED;
use crate::report::is_best_fixed;

// In pixels.
const WIDTH: u32 = 1_000;
const HEIGHT: u32 = 460;
const LEGEND: i32 = 240;

const BLACK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const GREY: RGBColor = RGBColor(0x88, 0x88, 0x88);
const OLIVE: RGBColor = RGBColor(0x80, 0x80, 0x20);

/// What each is drawn as, from the back to the front; those that did not compete are left out.
const POLICIES: [(&str, RGBColor, Stroke); 12] = [
    (LIMIT, GREY, Stroke::Dotted),
    ("paper", REPORTED, Stroke::Solid),
    ("paper_no_waits", REPORTED, Stroke::Dotted),
    ("paper_dispatch", ORANGE, Stroke::Solid),
    ("lowest_latency", SKY, Stroke::Dotted),
    ("accuracy_floor", SKY, Stroke::Solid),
    ("slackfit", GREEN, Stroke::Solid),
    ("proteus", PURPLE, Stroke::Solid),
    ("load_table", OLIVE, Stroke::Dashed),
    ("static_shedding", GREY, Stroke::Dashed),
    (FIXED, BLACK, Stroke::Dashed),
    ("priced", BLUE, Stroke::Solid),
];

/// One panel, with `title` above it.
pub fn accuracy(title: &str, rows: &[Row]) -> Result<String, Box<dyn Error>> {
    let lines = lines(rows, |row| Some(row.effective_accuracy()));
    let all = || lines.iter().flat_map(|line| &line.points).map(|&(_, y)| y);
    let most = all().fold(0.0, f64::max);
    let least = all().fold(most, f64::min);
    let y = Axis { label: "effective accuracy (%)", range: (least - 2.0).max(0.0)..(most + 2.0) };
    draw(title, rows, lines, y)
}

pub fn late(title: &str, rows: &[Row]) -> Result<String, Box<dyn Error>> {
    let lines = lines(rows, |row| match &row.came_to {
        CameTo::Measures(measures) => Some(measures.late_pct),
        CameTo::Limit(_) => None,
    });
    let most = lines.iter().flat_map(|line| &line.points).map(|&(_, y)| y).fold(1.0, f64::max);
    draw(title, rows, lines, Axis { label: "late (%)", range: 0.0..1.05 * most })
}

/// Along the logarithm of the load.
fn lines(rows: &[Row], value: impl Fn(&Row) -> Option<f64>) -> Vec<Line> {
    let line = |(policy, colour, stroke)| {
        let is = |row: &&Row| match policy {
            FIXED => is_best_fixed(rows, row),
            _ => row.policy == policy,
        };
        let point = |row: &Row| Some((row.rate.log2(), value(row)?));
        let mut points: Vec<(f64, f64)> = rows.iter().filter(is).filter_map(point).collect();
        points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let name = if policy == FIXED { "best static in hindsight" } else { policy };
        Line { name: name.to_owned(), colour, stroke, points }
    };
    let lines = POLICIES.into_iter().map(line);
    lines.filter(|line| !line.points.is_empty()).collect()
}

fn draw(title: &str, rows: &[Row], lines: Vec<Line>, y: Axis) -> Result<String, Box<dyn Error>> {
    let loads = || rows.iter().map(|row| row.rate.log2());
    let (least, most) = (loads().fold(f64::MAX, f64::min), loads().fold(f64::MIN, f64::max));
    // Room beside the points, and a width where there is one rate alone.
    let x = Axis { label: "requests a second and worker", range: least - 0.15..most + 0.15 };
    let marked = |line: &&Line| ["priced", "best static in hindsight"].contains(&line.name.as_str());
    let dots = lines.iter().filter(marked).flat_map(|line| {
        line.points.iter().map(|&at| Dot { at, colour: line.colour, ring: false }).collect::<Vec<_>>()
    });
    let dots: Vec<Dot> = dots.collect();
    // As they lie.
    let keys = lines.iter().rev().map(|line| Key::Line(line.name.clone(), line.colour, line.stroke));
    let keys: Vec<Key> = keys.collect();
    let panel = Panel::new(title, x, y).with_x_labels(load).with_lines(lines).with_dots(dots);
    panel::svg((WIDTH, HEIGHT), |area| {
        let (left, right) = area.split_horizontally(pixels(WIDTH as i32 - LEGEND));
        panel.draw(&left)?;
        legend_down(&right, &keys)
    })
}

fn load(log2: f64) -> String {
    let load = log2.exp2();
    let decimals = if load < 10.0 { 1 } else { 0 };
    format!("{load:.decimals$}")
}
