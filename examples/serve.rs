//! A server's life in a few lines, in virtual time: it picks a model for each request, learns how long that took, and notices
//! when a model has become slow.
//!
//! `cargo run --release --example serve`

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::error::Error;

use mdinference::{Budget, Catalog, Draw, Learning, Micros, NetworkTime, Policy, Profile, Server, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const NAMES: [&str; 3] = ["MobileNetV1 0.25", "InceptionV3", "NasNet Large"];
const TOOK: [Micros; 3] = [Micros::from_millis(3), Micros::from_millis(31), Micros::from_millis(113)];

fn main() -> Result<(), Box<dyn Error>> {
    let zoo = Catalog::<3>::try_new([
        Profile::from_percent_and_millis(49.7, 3.21, 0.08),
        Profile::from_percent_and_millis(77.9, 31.11, 0.19),
        Profile::from_percent_and_millis(82.6, 112.61, 0.36),
    ])?;
    let mut server = Server::new(zoo, Policy::PAPER, Learning::DEFAULT);
    let mut random = StdRng::seed_from_u64(1);
    let mut now = Timestamp::default();

    println!("request  model               took  is");
    for request in 1..=16 {
        // Each is to be answered within 250 ms, of which the network takes 40 each way.
        let network = NetworkTime::TwiceInput(Micros::from_millis(40));
        let budget = Budget::new(Micros::from_millis(250), network);
        let (decision, ticket) = server.begin(budget, Draw::from_uniform_bits(random.next_u64()), now);

        // From the ninth request on the largest model takes three times as long.
        let model = decision.model.index();
        let slow = if model == 2 && request > 8 { 3 } else { 1 };
        let took = Micros::new(TOOK[model].get() * slow);
        now = now.after(took);
        server.learn(ticket.completed(now), now);

        let standing = server.standing(decision.model).map(|standing| standing.to_string());
        println!(
            "{request:7}  {:16}  {:>6}  {}",
            NAMES[model],
            took.to_string(),
            standing.unwrap_or_default()
        );
        now = now.after(Micros::from_millis(100));
    }
    Ok(())
}
