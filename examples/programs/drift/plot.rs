//! How accurate and how late the policies are over time, and when `live` probes, as SVG.

use std::error::Error;
use std::ops::Range;

use mdinference::Timestamp;
use plotters::style::RGBColor;

use crate::comparison::Run;
use crate::panel::{self, Axis, Dot, Key, Line, Panel, SHADE, Stroke};
use crate::panel::{BLUE, GREEN, ORANGE, REPORTED, legend_across, pixels};
use crate::traffic::START;
use crate::world::{Outcome, World};

// In pixels.
const WIDTH: u32 = 1_000;
const LEGEND: u32 = 32;
const HEIGHT: u32 = 230;

/// Bins of the time axis at most.
const MOST: f64 = 300.0;
/// Requests in a bin at least, on average.
const FEWEST: f64 = 100.0;

/// The policies' colours, in the order in which they are drawn.
const POLICIES: [(&str, RGBColor); 3] = [("frozen", ORANGE), ("clairvoyant", GREEN), ("live", BLUE)];

pub fn svg(what: &str, world: &World, runs: &[Run]) -> Result<String, Box<dyn Error>> {
    let bins = Bins::new(world);
    let live = runs.iter().find(|run| run.policy == "live");
    let probes = live.map_or(Vec::new(), |live| bins.probes(&live.outcomes));
    let curves = |value: fn(&Outcome) -> f64| -> Curves {
        POLICIES.map(|(policy, _)| {
            runs.iter()
                .find(|run| run.policy == policy)
                .map_or(Vec::new(), |run| bins.means(&run.outcomes, value))
        })
    };
    let panel = |title: String, label, range| {
        Panel::new(title, Axis { label: "time (s)", range: 0.0..bins.end() }, Axis { label, range })
            .with_shades(bins.shades(world))
    };
    let accuracy = curves(|outcome| outcome.effective().as_percent());
    let late = curves(|outcome| if outcome.late { 100.0 } else { 0.0 });
    let most = probes.iter().map(|dot| dot.at.1).fold(5.0, f64::max);
    let (accuracies, lates) = (range(&accuracy), 0.0..range(&late).end);
    let panels = [
        panel(what.to_owned(), "effective accuracy (%)", accuracies.clone())
            .with_lines(lines(accuracy, &accuracies)),
        panel(String::new(), "late (%)", lates.clone()).with_lines(lines(late, &lates)),
        panel(String::new(), "probes of live", 0.0..1.1 * most).with_dots(probes),
    ];
    let mut keys: Vec<Key> =
        POLICIES.map(|(policy, colour)| Key::Line(policy.to_owned(), colour, Stroke::Solid)).into();
    keys[0] = Key::Line("frozen; along an edge: beyond it".to_owned(), POLICIES[0].1, Stroke::Solid);
    keys.push(Key::Dot(format!("probes in {} s", bins.seconds), BLUE));
    keys.push(Key::Dot("some of them late".to_owned(), REPORTED));
    keys.push(Key::Band("disturbed".to_owned(), SHADE));
    panel::svg((WIDTH, LEGEND + HEIGHT * panels.len() as u32), |area| {
        let (above, below) = area.split_vertically(pixels(LEGEND as i32));
        legend_across(&above, &keys)?;
        let areas = below.split_evenly((panels.len(), 1));
        panels.iter().zip(&areas).try_for_each(|(panel, area)| panel.draw(area))
    })
}

/// One for each of the policies.
type Curves = [Vec<(f64, f64)>; 3];

/// Room for all but frozen, which may be so far off that nothing could be told apart any more.
fn range(curves: &Curves) -> Range<f64> {
    let values = curves[1..].iter().flatten().map(|&(_, value)| value);
    let (least, most) =
        values.fold((f64::MAX, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
    let room = (0.1 * (most - least)).max(0.5);
    (least - room).max(0.0)..(most + room).min(100.0)
}

fn lines(curves: Curves, range: &Range<f64>) -> Vec<Line> {
    let within = |(x, y): (f64, f64)| (x, y.clamp(range.start, range.end));
    let line = |(points, (policy, colour)): (Vec<_>, (&str, RGBColor))| Line {
        name: policy.to_owned(),
        colour,
        stroke: Stroke::Solid,
        points: points.into_iter().map(within).collect(),
    };
    curves.into_iter().zip(POLICIES).map(line).collect()
}

/// Equal parts of the time axis.
struct Bins<'a> {
    world: &'a World,
    seconds: f64,
    count: usize,
}

impl<'a> Bins<'a> {
    fn new(world: &'a World) -> Self {
        let seconds = world.arrivals.last().map_or(0.0, |arrival| since_start(arrival.at)).max(1e-6);
        let wanted = (seconds / MOST).max(FEWEST * seconds / world.arrivals.len() as f64);
        let power = 10.0_f64.powf(wanted.log10().floor());
        let round = [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power);
        let seconds_each =
            round.fold(f64::MAX, |best, step| if step < wanted { best } else { best.min(step) });
        Self { world, seconds: seconds_each, count: (seconds / seconds_each).ceil() as usize }
    }

    fn end(&self) -> f64 {
        self.seconds * self.count as f64
    }

    fn of(&self, request: usize) -> usize {
        ((since_start(self.world.arrivals[request].at) / self.seconds) as usize).min(self.count - 1)
    }

    fn middle(&self, bin: usize) -> f64 {
        (bin as f64 + 0.5) * self.seconds
    }

    /// The mean of each bin that has any request.
    fn means(&self, outcomes: &[Outcome], value: fn(&Outcome) -> f64) -> Vec<(f64, f64)> {
        let mut sums = vec![(0.0, 0_u32); self.count];
        for (request, outcome) in outcomes.iter().enumerate() {
            let (sum, count) = &mut sums[self.of(request)];
            *sum += value(outcome);
            *count += 1;
        }
        let means = sums.into_iter().enumerate().filter(|&(_, (_, count))| count > 0);
        means.map(|(bin, (sum, count))| (self.middle(bin), sum / f64::from(count))).collect()
    }

    /// How many there are in each bin that has any.
    fn probes(&self, outcomes: &[Outcome]) -> Vec<Dot> {
        let mut counts = vec![(0_u32, 0_u32); self.count];
        for (request, outcome) in outcomes.iter().enumerate().filter(|(_, outcome)| outcome.probe) {
            let (all, late) = &mut counts[self.of(request)];
            *all += 1;
            *late += u32::from(outcome.late);
        }
        let any = counts.into_iter().enumerate().filter(|&(_, (all, _))| all > 0);
        let dot = |(bin, (all, late))| {
            let colour = if late > 0 { REPORTED } else { BLUE };
            Dot { at: (self.middle(bin), f64::from(all)), colour, ring: false }
        };
        any.map(dot).collect()
    }

    fn shades(&self, world: &World) -> Vec<Range<f64>> {
        let end = |to: Option<Timestamp>| to.map_or(self.end(), since_start).min(self.end());
        world.spans().iter().map(|span| since_start(span.from)..end(span.to)).collect()
    }
}

fn since_start(at: Timestamp) -> f64 {
    // Not `Timestamp::since`, which ends at 35 minutes.
    (at.as_micros() - START.as_micros()) as f64 / 1e6
}
