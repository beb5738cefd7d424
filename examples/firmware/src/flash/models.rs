//! Table III of the paper and its fictional model, a constant in flash.

use mdinference::{Catalog, catalog};

pub(crate) static ZOO: Catalog<12> = catalog![
    (49.0, 4.91, 0.06),
    (49.7, 3.21, 0.08),
    (63.2, 4.21, 0.06),
    (64.2, 25.49, 0.14),
    (68.3, 4.67, 0.07),
    (71.0, 5.43, 0.11),
    (73.9, 21.18, 0.17),
    (77.5, 50.85, 0.33),
    (77.9, 31.11, 0.19),
    (80.1, 59.21, 0.22),
    (82.6, 112.61, 0.36),
    (50.0, 112.61, 0.36),
];
