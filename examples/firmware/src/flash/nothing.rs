//! What a program takes that does nothing.

#![no_std]
#![no_main]

use core::hint::black_box;

use mdinference_firmware as _; // The panic handler.

#[cortex_m_rt::entry]
fn main() -> ! {
    loop {
        black_box(0);
    }
}
