//! Figures of a sample, and how sure they are.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal, StudentsT};
use statrs::statistics::{Data, OrderStatistics, Statistics};

/// A figure, with the interval that holds the true one with 95 % confidence if one can be told.
#[derive(Clone, Copy)]
pub struct Estimate {
    pub value: f64,
    pub interval: Option<[f64; 2]>,
}

/// The probability below the interval's upper end.
const UPPER: f64 = 0.975;

/// The mean; its interval is Student's.
pub fn mean(sample: &[f64]) -> Option<Estimate> {
    let value = (!sample.is_empty()).then(|| sample.mean())?;
    let interval = freedom(sample).and_then(|freedom| {
        let reach = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(UPPER) * standard_error(sample);
        Some([value - reach, value + reach])
    });
    Some(Estimate { value, interval })
}

/// The standard deviation, of two or more; its interval is by χ², which takes the sample to be normal.
pub fn deviation(sample: &[f64]) -> Option<Estimate> {
    let freedom = freedom(sample)?;
    let value = sample.std_dev();
    let squares = ChiSquared::new(freedom).ok()?;
    let end = |probability| value * (freedom / squares.inverse_cdf(probability)).sqrt();
    Some(Estimate { value, interval: Some([end(UPPER), end(1.0 - UPPER)]) })
}

/// The share of hits in percent; its interval is Wilson's (score, without continuity correction).
pub fn percent(hits: u64, of: u64) -> Option<Estimate> {
    let (hits, of) = ((of > 0).then_some(hits)? as f64, of as f64);
    let z = Normal::standard().inverse_cdf(UPPER);
    let share = hits / of;
    let centre = share + z * z / (2.0 * of);
    let reach = z * (share * (1.0 - share) / of + z * z / (4.0 * of * of)).sqrt();
    let end = |end: f64| 100.0 * (end / (1.0 + z * z / of)).clamp(0.0, 1.0);
    Some(Estimate { value: 100.0 * share, interval: Some([end(centre - reach), end(centre + reach)]) })
}

/// The 99 % quantile (Hyndman and Fan's eighth, nearly unbiased), of a hundred or more.
pub fn p99(sample: &[f64]) -> Option<f64> {
    (sample.len() >= 100).then(|| Data::new(sample.to_vec()).quantile(0.99))
}

/// Whether the means of two samples differ by more than chance would have it once in a thousand (Welch's t).
pub fn differ(one: &[f64], other: &[f64]) -> bool {
    let [first, second] = [one, other].map(|sample| standard_error(sample).powi(2));
    let apart = (one.mean() - other.mean()).abs();
    let (Some(n), Some(m)) = (freedom(one), freedom(other)) else { return false };
    let freedom = (first + second).powi(2) / (first * first / n + second * second / m);
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(student) => apart > student.inverse_cdf(0.9995) * (first + second).sqrt(),
        // Neither varies at all.
        Err(_) => apart > 0.0,
    }
}

fn standard_error(sample: &[f64]) -> f64 {
    sample.std_dev() / (sample.len() as f64).sqrt()
}

/// Degrees of freedom.
fn freedom(sample: &[f64]) -> Option<f64> {
    (sample.len() > 1).then_some(sample.len() as f64 - 1.0)
}
