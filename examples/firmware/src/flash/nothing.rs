//! What a program takes that does nothing.

#![no_std]
#![no_main]

mod quiet;

use core::hint::black_box;

#[cortex_m_rt::entry]
fn main() -> ! {
    loop {
        black_box(0);
    }
}
