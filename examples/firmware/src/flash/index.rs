//! A selection by the index, and nothing else.

#![no_std]
#![no_main]

use core::hint::black_box;

use mdinference::{Budget, Draw, Index, Micros, Policy};
use mdinference_firmware::zoo::CATALOG;

#[cortex_m_rt::entry]
fn main() -> ! {
    let index = Index::new(CATALOG.clone(), Policy::PAPER);
    loop {
        let budget = Budget::of(Micros::new(black_box(0)));
        black_box(index.select(budget, Draw::from_id(black_box(0))));
    }
}
