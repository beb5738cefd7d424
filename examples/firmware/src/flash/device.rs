//! Request duplication, and nothing else.

#![no_std]
#![no_main]

use core::hint::black_box;

use mdinference::device::{Event, Strategy};
use mdinference::{Accuracy, Device, Latency, Micros, Profile, Timestamp};
use mdinference_firmware as _; // The panic handler.

#[cortex_m_rt::entry]
fn main() -> ! {
    let latency = Latency { mean: Micros::from_millis(40), deviation: Micros::from_millis(4) };
    let mut device = Device::new(Profile::new(Accuracy::ZERO, latency), Strategy::DEFERRED);
    loop {
        let mut request =
            device.begin(Timestamp::from_micros(black_box(0)), Micros::from_millis(250), black_box(None));
        while request.poll_at().is_some() {
            let now = Timestamp::from_micros(black_box(0));
            request.handle(now, black_box(Event::Local));
            black_box(device.poll(&mut request, now));
        }
    }
}
