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

const BEST_STATIC: &str = "best static in hindsight";

/// Room below and above the lines that decide the range, in points.
const ROOM: f64 = 3.0;
/// How far below the lower of `priced` and the best static others are followed.
const BELOW: f64 = 12.0;

/// One panel, with `title` above it. Who falls far behind runs along the edge.
pub fn accuracy(title: &str, rows: &[Row]) -> Result<String, Box<dyn Error>> {
    let lines = lines(rows, |row| Some(row.effective_accuracy()));
    let most = values(&lines, |_| true).fold(0.0, f64::max);
    let least = values(&lines, leads).fold(most, f64::min);
    let range = (least - BELOW).max(0.0)..(most + ROOM).min(100.0);
    draw(title, rows, lines, Axis { label: "effective accuracy (%)", range })
}

/// The same of what is late.
pub fn late(title: &str, rows: &[Row]) -> Result<String, Box<dyn Error>> {
    let lines = lines(rows, |row| match &row.came_to {
        CameTo::Measures(measures) => Some(measures.late_pct),
        CameTo::Limit(_) => None,
    });
    let most = values(&lines, |name| name != "paper").fold(0.0, f64::max);
    draw(title, rows, lines, Axis { label: "late (%)", range: 0.0..(most + ROOM).min(100.0) })
}

fn leads(name: &str) -> bool {
    ["priced", BEST_STATIC].contains(&name)
}

fn values(lines: &[Line], of: impl Fn(&str) -> bool) -> impl Iterator<Item = f64> {
    lines.iter().filter(move |line| of(&line.name)).flat_map(|line| &line.points).map(|&(_, y)| y)
}

/// Over the doublings of the least load.
fn lines(rows: &[Row], value: impl Fn(&Row) -> Option<f64>) -> Vec<Line> {
    let least = least_load(rows);
    let line = |(policy, colour, stroke)| {
        let is = |row: &&Row| match policy {
            FIXED => is_best_fixed(rows, row),
            _ => row.policy == policy,
        };
        let point = |row: &Row| Some(((row.rate / least).log2(), value(row)?));
        let mut points: Vec<(f64, f64)> = rows.iter().filter(is).filter_map(point).collect();
        points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let name = if policy == FIXED { BEST_STATIC } else { policy };
        Line { name: name.to_owned(), colour, stroke, points }
    };
    let lines = POLICIES.into_iter().map(line);
    lines.filter(|line| !line.points.is_empty()).collect()
}

fn least_load(rows: &[Row]) -> f64 {
    rows.iter().map(|row| row.rate).fold(f64::MAX, f64::min)
}

fn draw(title: &str, rows: &[Row], lines: Vec<Line>, y: Axis) -> Result<String, Box<dyn Error>> {
    let least = least_load(rows);
    let doublings = rows.iter().map(|row| (row.rate / least).log2()).fold(0.0, f64::max);
    // Room beside the points, and a width where there is one rate alone.
    let x = Axis { label: "requests a second and worker", range: -0.15..doublings + 0.15 };
    let range = y.range.clone();
    let dots = |line: &Line| {
        let dot = |&at| Dot { at, colour: line.colour, ring: false };
        line.points.iter().map(dot).collect::<Vec<_>>()
    };
    let dots: Vec<Dot> = lines.iter().filter(|line| leads(&line.name)).flat_map(dots).collect();
    let within = |mut line: Line| {
        if line.points.iter().any(|(_, y)| !range.contains(y)) {
            line.name.push_str("; at the edge: beyond");
        }
        for (_, y) in &mut line.points {
            *y = y.clamp(range.start, range.end);
        }
        line
    };
    let lines: Vec<Line> = lines.into_iter().map(within).collect();
    // As they lie.
    let keys = lines.iter().rev().map(|line| Key::Line(line.name.clone(), line.colour, line.stroke));
    let keys: Vec<Key> = keys.collect();
    let load = move |doublings: f64| {
        let load = least * doublings.exp2();
        // Three digits tell neighbours apart.
        if load < 9.95 {
            format!("{load:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            format!("{load:.0}")
        }
    };
    let panel = Panel::new(title, x, y).with_x_labels(load).with_lines(lines).with_dots(dots);
    panel::svg((WIDTH, HEIGHT), |area| {
        let (left, right) = area.split_horizontally(pixels(WIDTH as i32 - LEGEND));
        panel.draw(&left)?;
        legend_down(&right, &keys)
    })
}
