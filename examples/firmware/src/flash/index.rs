//! A selection by the index, and nothing else.

#![no_std]
#![no_main]

mod models;
mod quiet;

use core::hint::black_box;

use mdinference::{Budget, Draw, Index, Micros, Policy};

#[cortex_m_rt::entry]
fn main() -> ! {
    let index = models::catalog().map(|catalog| Index::new(catalog, Policy::PAPER));
    loop {
        if let Ok(index) = &index {
            let budget = Budget::of(Micros::new(black_box(0)));
            black_box(index.select(budget, Draw::from_id(black_box(0))));
        }
    }
}
