//! A server that chooses and learns, and nothing else.

#![no_std]
#![no_main]

use core::hint::black_box;

use mdinference::{Budget, Draw, Learning, Micros, Policy, Server, Timestamp};
use mdinference_firmware::zoo::CATALOG;

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut server = Server::new(CATALOG.clone(), Policy::PAPER, Learning::DEFAULT);
    loop {
        let budget = Budget::of(Micros::new(black_box(0)));
        let now = Timestamp::from_micros(black_box(0));
        let (_, ticket) = server.begin(budget, Draw::from_id(black_box(0)), now);
        let now = Timestamp::from_micros(black_box(0));
        black_box(server.learn(ticket.completed(now), now));
    }
}
