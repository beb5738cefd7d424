//! What to beware of in the runs of a model, each in one line.

use statrs::statistics::Statistics;

use crate::estimate;
use crate::timings::Runs;

/// Fewer runs, or fewer judged answers, tell little.
const FEW: usize = 20;

pub fn cautions(runs: &Runs) -> Vec<String> {
    let others = runs.ms.get(1..).unwrap_or_default();
    let (cold, steady) = match cold_start(runs, others) {
        Some(cold) => (Some(cold), others),
        None => (None, runs.ms.as_slice()),
    };
    let all = [few_runs(runs), few_judged(runs), failed(runs), cold, tail(steady), drift(steady)];
    all.into_iter().flatten().collect()
}

fn few_runs(runs: &Runs) -> Option<String> {
    match runs.ms.len() {
        0 => Some("no run has a time: there is no μ and no σ".to_owned()),
        1 => Some("only 1 run: there is no σ".to_owned()),
        count if count < FEW => Some(format!("only {count} runs")),
        _ => None,
    }
}

fn few_judged(runs: &Runs) -> Option<String> {
    match runs.judged {
        0 => Some("no answer is judged: there is no accuracy".to_owned()),
        count if count < FEW as u64 => Some(format!("only {}", counted(count, "judged answer"))),
        _ => None,
    }
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn failed(runs: &Runs) -> Option<String> {
    let (failed, timed) = (runs.failed, runs.ms.len() as u64);
    (failed > 0 && timed > 0).then(|| {
        format!("{failed} of {} have no time: μ and σ are of the others", counted(failed + timed, "run"))
    })
}

/// The first run is an outlier by the library's rule: above both 1.5 μ and μ + 6σ of the others.
fn cold_start(runs: &Runs, others: &[f64]) -> Option<String> {
    let (&first, Some(_)) = (runs.ms.first()?, others.get(1)) else { return None };
    let (mean, deviation) = (others.mean(), others.std_dev());
    (first > (1.5 * mean).max(mean + 6.0 * deviation)).then(|| {
        let row = runs.first_row;
        format!(
            "its first run, {first} ms in row {row}, looks like a cold start: without it μ is {mean:.3} ms \
             and σ {deviation:.3} ms"
        )
    })
}

/// More than a normal tail would have by far: its 99 % quantile, 2.3 σ above the mean, is above 3 σ.
fn tail(steady: &[f64]) -> Option<String> {
    let (mean, deviation, p99) = (steady.mean(), steady.std_dev(), estimate::p99(steady)?);
    (p99 > mean + 3.0 * deviation).then(|| {
        let margin = (100.0 * (p99 - mean) / deviation).ceil() / 100.0;
        format!("heavy tail: p99 is {p99:.3} ms, which is μ + {margin:.2}σ (if times were normal, μ + 2.33σ)")
    })
}

/// The halves differ by over 5 %, and by more than chance.
fn drift(steady: &[f64]) -> Option<String> {
    let (first, second) = (steady.len() >= FEW).then(|| steady.split_at(steady.len() / 2))?;
    let (before, after) = (first.mean(), second.mean());
    ((after - before).abs() > 0.05 * before && estimate::differ(first, second)).then(|| {
        format!("drift: {before:.3} ms on average in the first half of its runs, {after:.3} ms in the second")
    })
}
