//! A selection by the plain scan, and nothing else.

#![no_std]
#![no_main]

use core::hint::black_box;

use mdinference::{Budget, Draw, Micros, Policy};
use mdinference_firmware::zoo::CATALOG;

#[cortex_m_rt::entry]
fn main() -> ! {
    loop {
        let budget = Budget::of(Micros::new(black_box(0)));
        black_box(CATALOG.select(&Policy::PAPER, budget, Draw::from_id(black_box(0))));
    }
}
