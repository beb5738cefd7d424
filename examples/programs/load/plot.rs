//! Effective accuracy, and what is late or shed, against load, as SVG.

use std::error::Error;
use std::ops::Range;

use plotters::style::RGBColor;

use crate::comparison::{CameTo, LIMIT, Row};
use crate::measures::Measures;
use crate::panel::{self, Axis, Dot, Key, Line, Panel, Stroke, legend_down, pixels};
use crate::panel::{BLUE, GREEN, ORANGE, PURPLE, REPORTED, SKY};
use crate::policies::FIXED;
use crate::report::is_best_fixed;

// In pixels.
const WIDTH: u32 = 1_000;
/// Of a panel.
const HEIGHT: u32 = 420;
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

/// Of effective accuracy, with `title` above it. Who falls far behind runs along the edge.
pub fn accuracy(title: &str, rows: &[Row]) -> Result<String, Box<dyn Error>> {
    let lines = lines(rows, |row| Some(row.effective_accuracy()));
    let most = values(&lines, |_| true).fold(0.0, f64::max);
    let least = values(&lines, leads).fold(most, f64::min);
    let range = (least - BELOW).max(0.0)..(most + ROOM).min(100.0);
    draw(rows, vec![Curves { title, label: "effective accuracy (%)", range, lines }])
}

/// The same of what is late, and of what is shed.
pub fn late(title: &str, rows: &[Row]) -> Result<String, Box<dyn Error>> {
    let curves = |title, label, share: fn(&Measures) -> f64| {
        let lines = lines(rows, |row| match &row.came_to {
            CameTo::Measures(measures) => Some(share(measures)),
            CameTo::Limit(_) => None,
        });
        let most = values(&lines, |name| !name.starts_with("paper")).fold(0.0, f64::max);
        Curves { title, label, range: 0.0..(most + ROOM).min(100.0), lines }
    };
    let late = curves(title, "late (%)", |measures| measures.late_pct);
    draw(rows, vec![late, curves("", "shed (%)", |measures| measures.shed_pct)])
}

/// A panel to be.
struct Curves<'a> {
    title: &'a str,
    label: &'static str,
    range: Range<f64>,
    lines: Vec<Line>,
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

fn draw(rows: &[Row], all: Vec<Curves<'_>>) -> Result<String, Box<dyn Error>> {
    let least = least_load(rows);
    let doublings = rows.iter().map(|row| (row.rate / least).log2()).fold(0.0, f64::max);
    let height = HEIGHT * all.len() as u32;
    let panel = |curves: Curves<'_>| {
        let dots = |line: &Line| {
            let dot = |&at| Dot { at, colour: line.colour, ring: false };
            line.points.iter().map(dot).collect::<Vec<_>>()
        };
        let dots = curves.lines.iter().filter(|line| leads(&line.name)).flat_map(dots).collect();
        let within = |line| within(line, &curves.range);
        let lines: Vec<Line> = curves.lines.into_iter().map(within).collect();
        // Room beside the points, and a width where there is one rate alone.
        let x = Axis { label: "requests a second and worker", range: -0.15..doublings + 0.15 };
        let y = Axis { label: curves.label, range: curves.range };
        let labels = move |doublings: f64| load(least * doublings.exp2());
        Panel::new(curves.title, x, y).with_x_labels(labels).with_lines(lines).with_dots(dots)
    };
    let panels: Vec<Panel> = all.into_iter().map(panel).collect();
    panel::svg((WIDTH, height), |area| {
        for (panel, area) in panels.iter().zip(area.split_evenly((panels.len(), 1))) {
            let (left, right) = area.split_horizontally(pixels(WIDTH as i32 - LEGEND));
            panel.draw(&left)?;
            // As the lines lie.
            let keys: Vec<Key> = panel.keys().into_iter().rev().collect();
            legend_down(&right, &keys)?;
        }
        Ok(())
    })
}

/// What is beyond the range runs along its edge.
fn within(mut line: Line, range: &Range<f64>) -> Line {
    if line.points.iter().any(|(_, y)| !(range.start..=range.end).contains(y)) {
        line.name.push_str("; at the edge: beyond");
    }
    for (_, y) in &mut line.points {
        *y = y.clamp(range.start, range.end);
    }
    line
}

/// Three digits tell neighbours apart.
fn load(rate: f64) -> String {
    if rate < 9.995 {
        format!("{rate:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{rate:.0}")
    }
}
