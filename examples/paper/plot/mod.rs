//! The figures as SVG.

#[path = "../../support/panel.rs"]
mod panel;

use std::error::Error;
use std::fs;
use std::path::Path;

use plotters::prelude::*;

use crate::evaluation::Evaluation;
use crate::evaluation::duplication::{self, Duplication, Place};
use crate::evaluation::figure3::Figure3;
use crate::evaluation::figure6::{self, Figure6};
use crate::evaluation::models::Models;
use crate::evaluation::outcome::Outcome;

use panel::{Area, Axis, Band, Drawn, Line, Mark, Panel, Stack, Stroke};
use panel::{BLUE, GREEN, GREY, ORANGE, PURPLE, SKY};
use panel::{legend_across, legend_down, pixels, svg};

// In pixels.
const PANEL: (u32, u32) = (430, 350);
const WIDE_PANEL: u32 = 580;
const LEGEND_ABOVE: u32 = 32;
const LEGEND_BESIDE: u32 = 210;

/// Writes all figures into a directory that is there; how many they are.
pub fn all(evaluation: &Evaluation, directory: &Path) -> Result<usize, Box<dyn Error>> {
    let Evaluation { figure3, variability, figure6, duplication } = evaluation;
    // Figures 3b, 4 and 5 share their layers, so that a model has one colour in all.
    let outcomes_3b: Vec<_> = figure3.points.iter().map(|point| &point.mdinference).collect();
    let outcomes_4: Vec<_> = variability.points.iter().map(|point| &point.at_100).collect();
    let outcomes_5: Vec<_> = variability.points.iter().map(|point| &point.at_250).collect();
    let slas: Vec<f64> = figure3.points.iter().map(|point| point.sla_ms.into()).collect();
    let variations: Vec<f64> = variability.points.iter().map(|point| point.variation.into()).collect();
    let usage = stacks(
        &figure3.models,
        [(&slas, &outcomes_3b), (&variations, &outcomes_4), (&variations, &outcomes_5)],
        |outcome| &outcome.usage,
    );
    let [usage_3b, usage_4, usage_5] = usage;
    let below_50 = Mark::range(0.0, 0.0..50.0, "attainment below 50, stable network", (26, 32));
    let around_80 = Mark::value(50.0, 80.0, "accuracy around 80", (-10, 14));

    let (width, height) = PANEL;
    let beside = (2 * width + LEGEND_BESIDE, LEGEND_ABOVE + height);
    let single = (WIDE_PANEL + LEGEND_BESIDE, height + 30);
    let drawings = [
        drawing("figure3a", (3 * width, LEGEND_ABOVE + height), |area| figure3a(figure3, area))?,
        drawing("figure3b", single, |area| figure3b(usage_3b, area))?,
        drawing("figure4", beside, |area| {
            network_variability(&variations, &outcomes_4, usage_4, "SLA 100 ms", below_50, area)
        })?,
        drawing("figure5", beside, |area| {
            network_variability(&variations, &outcomes_5, usage_5, "SLA 250 ms", around_80, area)
        })?,
        drawing("figure6", single, |area| self::figure6(figure6, area))?,
        drawing("figure7", (2 * width, LEGEND_ABOVE + height), |area| figure7(duplication, area))?,
        drawing("figure8", (2 * width + LEGEND_BESIDE, height), |area| figure8(duplication, area))?,
    ];
    for (name, svg) in &drawings {
        fs::write(directory.join(name).with_extension("svg"), svg)?;
    }
    Ok(drawings.len())
}

/// The name of a figure, and its SVG of this size in pixels.
fn drawing(
    name: &'static str,
    size: (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Drawn,
) -> Result<(&'static str, String), Box<dyn Error>> {
    Ok((name, svg(size, draw)?))
}

fn figure3a(figure: &Figure3, area: &Area<'_>) -> Drawn {
    let curves = |measure: fn(&Outcome) -> f64| {
        let points = |outcome: fn(&_) -> &Outcome| {
            figure.points.iter().map(|point| (point.sla_ms.into(), measure(outcome(point)))).collect()
        };
        vec![
            line("static greedy", ORANGE, Stroke::Dashed, points(|point| &point.greedy)),
            line("MDInference", BLUE, Stroke::Solid, points(|point| &point.mdinference)),
        ]
    };
    let sla = || Axis { label: "SLA (ms)", range: 0.0..400.0 };

    let mut latency = curves(|outcome| outcome.latency_ms);
    latency.push(line("latency = SLA", GREY, Stroke::Dotted, vec![(0.0, 0.0), (300.0, 300.0)]));
    let greedy = figure.at(115).greedy.latency_ms;
    let latency = Panel::new("Latency", sla(), Axis { label: "mean latency (ms)", range: 0.0..300.0 })
        .with_lines(latency)
        .with_marks(vec![
            Mark::value(115.0, greedy * (1.0 - 0.425), "42–43 % less", (10, 18)),
            Mark::value(200.0, 200.0, "greedy within SLA above 200", (-10, -44)),
        ]);
    let accuracy = Panel::new("Accuracy", sla(), Axis { label: "accuracy (%)", range: 45.0..85.0 })
        .with_lines(curves(|outcome| outcome.accuracy))
        .with_marks(vec![
            Mark::value(115.0, 68.0, "68 in the text", (-10, -4)),
            Mark::value(115.0, 65.5, "65–66 in the plot", (12, 5)),
        ]);
    let attainment = Panel::new("SLA attainment", sla(), Axis { label: "requests (%)", range: 0.0..102.0 })
        .with_lines(curves(|outcome| outcome.attainment));

    let (top, panels) = area.split_vertically(pixels(LEGEND_ABOVE as i32));
    legend_across(&top, &latency.keys())?;
    for (panel, area) in [latency, accuracy, attainment].iter().zip(panels.split_evenly((1, 3))) {
        panel.draw(&area)?;
    }
    Ok(())
}

fn figure3b(usage: Stack, area: &Area<'_>) -> Drawn {
    let panel = Panel::new(
        "Models used by MDInference, T_nw = 100 ± 50 ms",
        Axis { label: "SLA (ms)", range: 10.0..400.0 },
        Axis { label: "requests (%)", range: 0.0..100.0 },
    )
    .with_stack(usage);
    beside_its_legend(&panel, area)
}

/// Figures 4 and 5.
fn network_variability(
    variations: &[f64],
    outcomes: &[&Outcome],
    usage: Stack,
    sla: &str,
    mark: Mark,
    area: &Area<'_>,
) -> Drawn {
    let curve = |measure: fn(&Outcome) -> f64| {
        variations.iter().copied().zip(outcomes.iter().map(|outcome| measure(outcome))).collect()
    };
    let variation = || Axis { label: "coefficient of variation of the one-way time (%)", range: 0.0..100.0 };
    let quality = Panel::new(
        format!("Accuracy and SLA attainment, {sla}"),
        variation(),
        Axis { label: "accuracy, attainment (%)", range: 0.0..102.0 },
    )
    .with_lines(vec![
        line("accuracy", BLUE, Stroke::Solid, curve(|outcome| outcome.accuracy)),
        line("SLA attainment", GREEN, Stroke::Dashed, curve(|outcome| outcome.attainment)),
    ])
    .with_marks(vec![mark]);
    let usage = Panel::new(
        format!("Models used, {sla}"),
        variation(),
        Axis { label: "requests (%)", range: 0.0..100.0 },
    )
    .with_stack(usage);
    let (top, rest) = area.split_vertically(pixels(LEGEND_ABOVE as i32));
    legend_across(&top, &quality.keys())?;
    two_beside_their_legend([&quality, &usage], &usage, &rest)
}

fn figure6(figure: &Figure6, area: &Area<'_>) -> Drawn {
    let styles = [
        (GREY, Stroke::Solid),
        (SKY, Stroke::Dashed),
        (BLUE, Stroke::Solid),
        (GREEN, Stroke::Dashed),
        (ORANGE, Stroke::Dotted),
    ];
    let lines = figure.algorithms().into_iter().zip(styles).enumerate();
    let lines = lines.map(|(index, (algorithm, (colour, stroke)))| {
        let accuracy = |point: &figure6::Point| point.outcomes[index].accuracy;
        let points = figure.points.iter().map(|point| (point.sla_ms.into(), accuracy(point))).collect();
        line(&algorithm.to_string().replace("mdinference", "MDInference"), colour, stroke, points)
    });
    let panel = Panel::new(
        "Exploration with NasNet Fictional in the zoo, T_nw = 100 ± 50 ms",
        Axis { label: "SLA (ms)", range: 0.0..400.0 },
        Axis { label: "accuracy (%)", range: 45.0..85.0 },
    )
    .with_lines(lines.collect());
    beside_its_legend(&panel, area)
}

fn figure7(duplication: &Duplication, area: &Area<'_>) -> Drawn {
    let styles = [
        ("static latency", GREY, Stroke::Solid),
        ("static accuracy", ORANGE, Stroke::Dashed),
        ("random", PURPLE, Stroke::Dotted),
        ("MDInference", BLUE, Stroke::Solid),
    ];
    let panels = duplication.places().map(|place| {
        let lines = styles.into_iter().enumerate().map(|(index, (name, colour, stroke))| {
            let accuracy = |point: &duplication::Point| point.compared.named()[index].1.duplicated_accuracy;
            let points = place.points.iter().map(|point| (point.sla_ms.into(), accuracy(point))).collect();
            line(name, colour, stroke, points)
        });
        let mut marks = vec![Mark::value(250.0, 41.4, "41.40", (-4, -16))];
        if place.name == "residential" {
            let low = place.table4.static_accuracy.duplicated_accuracy;
            marks.push(Mark::range(250.0, low..low + 7.32, "+7.32", (-8, 12)));
        }
        Panel::new(
            title(place),
            Axis { label: "SLA (ms)", range: 0.0..500.0 },
            Axis { label: "accuracy with duplication (%)", range: 35.0..85.0 },
        )
        .with_lines(lines.collect())
        .with_marks(marks)
    });
    let (top, rest) = area.split_vertically(pixels(LEGEND_ABOVE as i32));
    legend_across(&top, &panels[0].keys())?;
    for (panel, area) in panels.iter().zip(rest.split_evenly((1, 2))) {
        panel.draw(&area)?;
    }
    Ok(())
}

fn figure8(duplication: &Duplication, area: &Area<'_>) -> Drawn {
    let [university, residential] = duplication.places();
    let slas = |place: &Place| -> Vec<f64> { place.points.iter().map(|point| point.sla_ms.into()).collect() };
    fn outcomes(place: &Place) -> Vec<&Outcome> {
        place.points.iter().map(|point| &point.compared.mdinference).collect()
    }
    let answered = stacks(
        &duplication.models,
        [(&slas(university), &outcomes(university)), (&slas(residential), &outcomes(residential))],
        |outcome| &outcome.answered,
    );
    let panel = |place: &Place, mut stack: Stack, in_time: f64| {
        stack.bands.push(Band {
            name: "on the device".into(),
            colour: GREY,
            heights: outcomes(place).into_iter().map(Outcome::reliance).collect(),
        });
        Panel::new(
            format!("{}: who answers", title(place)),
            Axis { label: "SLA (ms)", range: 25.0..500.0 },
            Axis { label: "requests (%)", range: 0.0..100.0 },
        )
        .with_stack(stack)
        .with_marks(vec![Mark::value(
            250.0,
            in_time,
            format!("{in_time} not on the device"),
            (10, 18),
        )])
    };
    let [at_university, at_home] = answered;
    let left = panel(university, at_university, 99.74);
    let right = panel(residential, at_home, 96.84);
    two_beside_their_legend([&left, &right], &left, area)
}

fn beside_its_legend(panel: &Panel, area: &Area<'_>) -> Drawn {
    let (left, right) = area.split_horizontally(pixels(WIDE_PANEL as i32));
    panel.draw(&left)?;
    legend_down(&right, &panel.keys())
}

fn two_beside_their_legend([left, right]: [&Panel; 2], explained: &Panel, area: &Area<'_>) -> Drawn {
    let width = pixels(PANEL.0 as i32);
    let (first, rest) = area.split_horizontally(width);
    let (second, legend) = rest.split_horizontally(width);
    left.draw(&first)?;
    right.draw(&second)?;
    legend_down(&legend, &explained.keys())
}

fn line(name: &str, colour: RGBColor, stroke: Stroke, points: Vec<(f64, f64)>) -> Line {
    Line { name: name.to_owned(), colour, stroke, points }
}

fn title(place: &Place) -> String {
    let (first, rest) = place.name.split_at(1);
    format!("{}{rest} network", first.to_uppercase())
}

/// The shares of the models, by μ, as one stack a series of outcomes, the same layers in each. Models that nowhere come
/// to 2 % are one layer below all others, if they come to anything.
fn stacks<const N: usize>(
    models: &Models,
    series: [(&[f64], &[&Outcome]); N],
    shares: fn(&Outcome) -> &[f64],
) -> [Stack; N] {
    let largest = |index: usize| {
        let outcomes = series.iter().flat_map(|(_, outcomes)| outcomes.iter());
        outcomes.map(|outcome| shares(outcome)[index]).fold(0.0, f64::max)
    };
    let by_mean = models.catalog.models().map(|model| model.id.index());
    let (main, minor): (Vec<usize>, Vec<usize>) = by_mean.partition(|&index| largest(index) >= 2.0);
    series.map(|(stations, outcomes)| {
        let layer = |name: &str, colour, members: &[usize]| {
            let height = |outcome: &&Outcome| members.iter().map(|&index| shares(outcome)[index]).sum();
            Band { name: name.to_owned(), colour, heights: outcomes.iter().map(height).collect() }
        };
        let mut bands = Vec::new();
        if minor.iter().any(|&index| largest(index) > 0.1) {
            bands.push(layer("others, each below 2 %", RGBColor(0x77, 0x77, 0x77), &minor));
        }
        for (place, &index) in main.iter().enumerate() {
            let colour = ramp(place as f64 / (main.len() - 1) as f64);
            bands.push(layer(&models.names[index], colour, &[index]));
        }
        Stack { stations: stations.to_vec(), bands }
    })
}

/// From dark to light in even steps of lightness (after viridis), for 0 to 1.
fn ramp(place: f64) -> RGBColor {
    const STOPS: [[u8; 3]; 6] = [
        [0x44, 0x01, 0x54],
        [0x41, 0x44, 0x87],
        [0x2A, 0x78, 0x8E],
        [0x22, 0xA8, 0x84],
        [0x7A, 0xD1, 0x51],
        [0xF7, 0xE3, 0x5A],
    ];
    let scaled = place * (STOPS.len() - 1) as f64;
    let below = (scaled as usize).min(STOPS.len() - 2);
    let part = scaled - below as f64;
    let mix = |channel: usize| {
        let [from, to] = [STOPS[below][channel], STOPS[below + 1][channel]].map(f64::from);
        (from + part * (to - from)).round() as u8
    };
    RGBColor(mix(0), mix(1), mix(2))
}
