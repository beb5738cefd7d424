//! Three models in flash, as integers.

use mdinference::{Accuracy, Catalog, CatalogError, Latency, Micros, Profile};

/// Accuracy in parts per million, mean and deviation in µs.
const MEASURED: [(u32, u32, u32); 3] =
    [(497_000, 3_210, 80), (779_000, 31_110, 190), (826_000, 112_610, 360)];

pub(crate) fn catalog() -> Result<Catalog<12>, CatalogError> {
    Catalog::try_new(MEASURED.map(|(ppm, mean, deviation)| {
        let latency = Latency { mean: Micros::new(mean), deviation: Micros::new(deviation) };
        Ok(Profile::new(Accuracy::try_from(ppm)?, latency))
    }))
}
