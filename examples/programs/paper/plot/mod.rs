//! The figures as SVG.

#[path = "../../support/panel.rs"]
mod panel;

use std::error::Error;
use std::fs;
use std::path::Path;

use plotters::prelude::*;

use crate::evaluation::Evaluation;
use crate::evaluation::algorithm::Algorithm;
use crate::evaluation::duplication::{self, Duplication, Place};
use crate::evaluation::figure3::Figure3;
use crate::evaluation::figure6::{self, Figure6};
use crate::evaluation::figure8::{Figure8, Sample};
use crate::evaluation::models::Models;
use crate::evaluation::outcome::Outcome;
use crate::evaluation::statement::paper;
use crate::evaluation::variability::{self, SLAS_MS, Variability};

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
    let Evaluation { figure3, variability, figure6, duplication, figure8, .. } = evaluation;
    // Figures 3b and 5 share their layers, so that a model has one colour in both.
    let slas: Vec<f64> = figure3.points.iter().map(|point| point.sla_ms.into()).collect();
    let outcomes_3b: Vec<_> = figure3.points.iter().map(|point| &point.mdinference).collect();
    let variations: Vec<f64> =
        variability.networks[0].points.iter().map(|point| point.variation.into()).collect();
    let outcomes_5 = variability.networks.each_ref().map(|varied| {
        [0, 1].map(|sla| varied.points.iter().map(|point| &point.outcomes[sla]).collect::<Vec<_>>())
    });
    let series_5 = outcomes_5.iter().flatten().map(|outcomes| (&variations[..], &outcomes[..]));
    let series = std::iter::once((&slas[..], &outcomes_3b[..])).chain(series_5).collect::<Vec<_>>();
    let mut usage = stacks(&figure3.models, &series, |outcome| &outcome.usage).into_iter();
    let usage_3b = usage.next().expect("the first of the series");

    let (width, height) = PANEL;
    let single = (WIDE_PANEL + LEGEND_BESIDE, height + 30);
    let four_beside = (2 * width + LEGEND_BESIDE, 2 * height);
    let drawings = [
        drawing("figure3a", (3 * width, LEGEND_ABOVE + height), |area| figure3a(figure3, area))?,
        drawing("figure3b", single, |area| figure3b(usage_3b, area))?,
        drawing("figure4", (2 * width + LEGEND_BESIDE, height), |area| figure4(variability, area))?,
        drawing("figure5", four_beside, |area| figure5(variability, usage.collect(), area))?,
        drawing("figure6", (3 * width, LEGEND_ABOVE + height), |area| self::figure6(figure6, area))?,
        drawing("figure7", (2 * width, LEGEND_ABOVE + 2 * height), |area| figure7(duplication, area))?,
        drawing("figure8", (2 * width, LEGEND_ABOVE + 2 * height), |area| self::figure8(figure8, area))?,
        drawing("answers", (2 * width + LEGEND_BESIDE, height), |area| answers(duplication, area))?,
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
        .with_marks(vec![Mark::value(115.0, 68.0, "68", (-10, -4))]);
    let attainment = Panel::new("SLA attainment", sla(), Axis { label: "requests (%)", range: 0.0..102.0 })
        .with_lines(curves(|outcome| outcome.attainment));

    below_their_legend(&[latency, accuracy, attainment], area, 3)
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

fn figure4(variability: &Variability, area: &Area<'_>) -> Drawn {
    let styles = [Stroke::Solid, Stroke::Dashed];
    let panels = [0, 1].map(|sla| {
        let lines = variability.networks.iter().zip(styles).flat_map(|(varied, stroke)| {
            let curve = |measure: fn(&Outcome) -> f64| {
                let point =
                    |point: &variability::Point| (point.variation.into(), measure(&point.outcomes[sla]));
                varied.points.iter().map(point).collect()
            };
            [
                line(&format!("accuracy, {}", varied.name), BLUE, stroke, curve(|outcome| outcome.accuracy)),
                line(
                    &format!("attainment, {}", varied.name),
                    GREEN,
                    stroke,
                    curve(|outcome| outcome.attainment),
                ),
            ]
        });
        let mark = match sla {
            0 => Mark::range(0.0, 0.0..50.0, "attainment below 50, stable network", (26, 32)),
            _ => Mark::value(50.0, 80.0, "accuracy around 80", (-10, 14)),
        };
        Panel::new(
            format!("Accuracy and SLA attainment, SLA {} ms", SLAS_MS[sla]),
            variation(),
            Axis { label: "accuracy, attainment (%)", range: 0.0..102.0 },
        )
        .with_lines(lines.collect())
        .with_marks(vec![mark])
    });
    beside_their_legend(&panels, area, 2)
}

fn figure5(variability: &Variability, usage: Vec<Stack>, area: &Area<'_>) -> Drawn {
    let names = variability.networks.iter().flat_map(|varied| SLAS_MS.map(|sla| (varied.name, sla)));
    let panel = |((network, sla), stack)| {
        Panel::new(
            format!("Models used, SLA {sla} ms, {network}"),
            variation(),
            Axis { label: "requests (%)", range: 0.0..100.0 },
        )
        .with_stack(stack)
    };
    let panels: Vec<Panel> = names.zip(usage).map(panel).collect();
    beside_their_legend(&panels, area, 2)
}

/// The horizontal axis of Figures 4 and 5.
fn variation() -> Axis {
    Axis { label: "coefficient of variation of the network (%)", range: 0.0..100.0 }
}

fn figure6(figure: &Figure6, area: &Area<'_>) -> Drawn {
    let styles = [
        (GREY, Stroke::Solid),
        (SKY, Stroke::Dashed),
        (BLUE, Stroke::Solid),
        (GREEN, Stroke::Dashed),
        (ORANGE, Stroke::Dotted),
    ];
    let curves = |measure: fn(&Outcome) -> f64| {
        let lines = figure.algorithms().into_iter().zip(styles).enumerate();
        let line = |(index, (algorithm, (colour, stroke))): (usize, (Algorithm, _))| {
            let value = |point: &figure6::Point| (point.sla_ms.into(), measure(&point.outcomes[index]));
            let name = algorithm.to_string().replace("mdinference", "MDInference");
            line(&name, colour, stroke, figure.points.iter().map(value).collect())
        };
        lines.map(line).collect()
    };
    let sla = || Axis { label: "SLA (ms)", range: 0.0..400.0 };
    let panels = [
        Panel::new("Inference", sla(), Axis { label: "mean inference latency (ms)", range: 0.0..120.0 })
            .with_lines(curves(|outcome| outcome.inference_ms)),
        Panel::new("Accuracy", sla(), Axis { label: "accuracy (%)", range: 45.0..85.0 })
            .with_lines(curves(|outcome| outcome.accuracy)),
        Panel::new("SLA attainment", sla(), Axis { label: "requests (%)", range: 0.0..102.0 })
            .with_lines(curves(|outcome| outcome.attainment)),
    ];
    below_their_legend(&panels, area, 3)
}

/// The algorithms of Table IV in the order of its rows.
const STYLES: [(&str, RGBColor, Stroke); 4] = [
    ("static latency", GREY, Stroke::Solid),
    ("static accuracy", ORANGE, Stroke::Dashed),
    ("random", PURPLE, Stroke::Dotted),
    ("MDInference", BLUE, Stroke::Solid),
];

fn figure7(duplication: &Duplication, area: &Area<'_>) -> Drawn {
    let curves = |place: &Place, measure: fn(&Outcome) -> f64| {
        let lines = STYLES.into_iter().enumerate().map(|(index, (name, colour, stroke))| {
            let value =
                |point: &duplication::Point| (point.sla_ms.into(), measure(point.compared.named()[index].1));
            line(name, colour, stroke, place.points.iter().map(value).collect())
        });
        lines.collect()
    };
    let sla = || Axis { label: "SLA (ms)", range: 0.0..500.0 };
    let [university, residential] = duplication.places();
    let panels = [residential, university].map(|place| {
        let printed = |row: &str, column: &str| {
            let cell = paper("V-D", "Table IV", row, &format!("{} {column}", place.name));
            (cell.number().expect("a printed cell"), &cell.value)
        };
        let accuracy = |row| printed(row, "aggregate accuracy");
        let (lowest, text) = accuracy("Static Latency");
        let range = accuracy("Static Accuracy").0..accuracy("MDInference").0;
        let gain = format!("+{:.2}", range.end - range.start);
        // Between the curves if there is room, else below them.
        let beside = if range.end - range.start > 5.0 { (-8, 12) } else { (10, 18) };
        let accuracies =
            vec![Mark::value(250.0, lowest, text, (-4, -16)), Mark::range(250.0, range, gain, beside)];
        let reliances = [("Static Accuracy", (12, -20)), ("MDInference", (12, -6))].map(|(row, offset)| {
            let (value, text) = printed(row, "on-device reliance");
            Mark::value(250.0, value, text, offset)
        });
        [
            Panel::new(
                format!("Accuracy, {} network", place.name),
                sla(),
                Axis { label: "accuracy with duplication (%)", range: 35.0..85.0 },
            )
            .with_lines(curves(place, |outcome| outcome.duplicated_accuracy))
            .with_marks(accuracies),
            Panel::new(
                format!("On-device reliance, {} network", place.name),
                sla(),
                Axis { label: "requests answered on the device (%)", range: 0.0..102.0 },
            )
            .with_lines(curves(place, Outcome::reliance))
            .with_marks(reliances.into()),
        ]
    });
    below_their_legend(panels.as_flattened(), area, 2)
}

fn figure8(figure: &Figure8, area: &Area<'_>) -> Drawn {
    let panels = figure.algorithms.each_ref().map(|(algorithm, samples)| {
        let band = |name: &str, colour, height: fn(&Sample) -> f64| {
            // A bar is a layer that rises and falls at its edges.
            let heights = samples.iter().flat_map(|sample| [0.0, height(sample), height(sample), 0.0]);
            Band { name: name.to_owned(), colour, heights: heights.collect() }
        };
        let edges = |number: usize| [-0.35, -0.35, 0.35, 0.35].map(|edge| number as f64 + edge);
        let stack = Stack {
            stations: (1..=samples.len()).flat_map(edges).collect(),
            bands: vec![
                band("network", SKY, |sample| if sample.on_device { 0.0 } else { sample.network_ms }),
                band("inference on the server", BLUE, |sample| {
                    if sample.on_device { 0.0 } else { sample.inference_ms }
                }),
                band("answered on the device, at the SLA", GREY, |sample| {
                    if sample.on_device { f64::from(duplication::SLA_MS) } else { 0.0 }
                }),
            ],
        };
        Panel::new(
            algorithm.replace("mdinference", "MDInference"),
            Axis { label: "sampled request, by network time", range: 0.3..samples.len() as f64 + 0.7 },
            Axis { label: "response time (ms)", range: 0.0..275.0 },
        )
        .with_stack(stack)
    });
    below_their_legend(&panels, area, 2)
}

/// Who answers, over the SLA.
fn answers(duplication: &Duplication, area: &Area<'_>) -> Drawn {
    let places = duplication.places();
    let slas = places[0].points.iter().map(|point| point.sla_ms.into()).collect::<Vec<f64>>();
    let outcomes = places
        .map(|place| place.points.iter().map(|point| &point.compared.mdinference).collect::<Vec<&Outcome>>());
    let series = outcomes.each_ref().map(|outcomes| (&slas[..], &outcomes[..]));
    let answered = stacks(&duplication.models, &series, |outcome| &outcome.answered);
    let panels = places.iter().zip(&outcomes).zip(answered).map(|((place, outcomes), mut stack)| {
        stack.bands.push(Band {
            name: "on the device".into(),
            colour: GREY,
            heights: outcomes.iter().map(|outcome| outcome.reliance()).collect(),
        });
        let in_time = if place.name == "university" { 99.74 } else { 96.84 };
        Panel::new(
            format!("Who answers, {} network", place.name),
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
    });
    let panels: Vec<Panel> = panels.collect();
    beside_their_legend(&panels, area, 2)
}

fn beside_its_legend(panel: &Panel, area: &Area<'_>) -> Drawn {
    let (left, right) = area.split_horizontally(pixels(WIDE_PANEL as i32));
    panel.draw(&left)?;
    legend_down(&right, &panel.keys())
}

/// Panels that share a legend, in so many columns.
fn beside_their_legend(panels: &[Panel], area: &Area<'_>, columns: usize) -> Drawn {
    let (left, legend) = area.split_horizontally(pixels(columns as i32 * PANEL.0 as i32));
    for (panel, area) in panels.iter().zip(left.split_evenly((panels.len() / columns, columns))) {
        panel.draw(&area)?;
    }
    legend_down(&legend, &panels[0].keys())
}

/// The same below their legend.
fn below_their_legend(panels: &[Panel], area: &Area<'_>, columns: usize) -> Drawn {
    let (top, rest) = area.split_vertically(pixels(LEGEND_ABOVE as i32));
    legend_across(&top, &panels[0].keys())?;
    for (panel, area) in panels.iter().zip(rest.split_evenly((panels.len() / columns, columns))) {
        panel.draw(&area)?;
    }
    Ok(())
}

fn line(name: &str, colour: RGBColor, stroke: Stroke, points: Vec<(f64, f64)>) -> Line {
    Line { name: name.to_owned(), colour, stroke, points }
}

/// The shares of the models, by μ, as one stack a series of outcomes, the same layers in each. Models that nowhere come
/// to 2 % are one layer below all others, if they come to anything.
fn stacks(models: &Models, series: &[(&[f64], &[&Outcome])], shares: fn(&Outcome) -> &[f64]) -> Vec<Stack> {
    let largest = |index: usize| {
        let outcomes = series.iter().flat_map(|(_, outcomes)| outcomes.iter());
        outcomes.map(|outcome| shares(outcome)[index]).fold(0.0, f64::max)
    };
    let by_mean = models.catalog.models().map(|model| model.id.index());
    let (main, minor): (Vec<usize>, Vec<usize>) = by_mean.partition(|&index| largest(index) >= 2.0);
    let stack = |(stations, outcomes): &(&[f64], &[&Outcome])| {
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
    };
    series.iter().map(stack).collect()
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
