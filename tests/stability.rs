//! Value stability: the decisions for the shipped zoos, committed. A change here is a value-breaking change, to be listed
//! in the CHANGELOG.
//!
//! `UPDATE_EXPECTED=1 cargo test --test stability` writes them anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod support;
#[path = "../examples/programs/support/zoo.rs"]
#[allow(dead_code, unreachable_pub)]
mod zoo;

use std::fmt::Write as _;

use mdinference::{
    Accuracy, Budget, Catalog, Decision, Draw, Index, Latency, Micros, NetworkTime, Profile, Reason,
};

use support::case::policy;
use support::expected::assert_expected;
use zoo::Zoo;

/// Draws that spread evenly over all 64 bits: multiples of 2⁶⁴ divided by the golden ratio.
fn draws() -> impl Iterator<Item = u64> {
    (1..).map(|step: u64| step.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// 96 requests: a row a request, a column a policy, each with what the scan and the index pick.
fn decisions<const N: usize>(names: &[String], profiles: &[Profile], slas_ms: [u32; 7]) -> String {
    let policies = [policy(1_000, 1), policy(0, 1), policy(2_333, 1), policy(1_000, 3)];
    let catalog = Catalog::<N>::new(profiles.iter().copied()).unwrap();
    let indices = policies.map(|policy| Index::new(catalog.clone(), policy));
    let mut text = String::from(
        "# budget in ms, draw, and what the index picks at (γ, k) = (1, 1), (0, 1), (2.333, 1), (1, 3):\n\
         # = the base, ! the fastest as nothing fits, | what the plain scan picks where that differs\n",
    );
    for (request, draw) in draws().take(96).enumerate() {
        let sla = Micros::from_millis(slas_ms[request % slas_ms.len()]);
        // 0 to 25.5 ms one way, from bits of the draw that do not decide.
        let input = Micros::new((draw & 0xFF) as u32 * 100);
        let budget = Budget::new(sla, NetworkTime::TwiceInput(input));
        write!(text, "{:>8} {draw:016x}", format!("{:.3}", budget.time().as_millis())).unwrap();
        for (policy, index) in policies.iter().zip(&indices) {
            let draw = Draw::from_uniform_bits(draw);
            let (scan, index) = (catalog.select(policy, budget, draw), index.select(budget, draw));
            write!(text, "  {}", shown(names, &index)).unwrap();
            if scan != index {
                write!(text, "|{}", shown(names, &scan)).unwrap();
            }
        }
        text.push('\n');
    }
    text
}

fn shown(names: &[String], decision: &Decision) -> String {
    let mark = match decision.reason {
        Reason::Base => "=",
        Reason::Explored => "",
        Reason::Tight | Reason::TooLate => "!",
        Reason::Probe => panic!("only a server probes"),
    };
    format!("{mark}{}", names[decision.model.index()].replace(' ', "_"))
}

macro_rules! shipped {
    ($($zoo:ident)*) => {
        $(
            #[test]
            fn $zoo() {
                let zoo = Zoo::shipped(stringify!($zoo)).unwrap();
                let text = decisions::<24>(&zoo.names, &zoo.profiles, [30, 60, 100, 140, 180, 250, 1_500]);
                assert_expected(concat!("stability/", stringify!($zoo), ".txt"), &text);
            }
        )*
    };
}

shipped!(table3_fictional p2 c5);

/// 64 models of 1 to 200 ms, many in each other's windows, as no shipped zoo has them.
#[test]
fn dense() {
    let mut profiles = Vec::new();
    for (number, draw) in draws().take(64).enumerate() {
        let mean = 1_000 + (draw >> 32) as u32 % 199_000;
        let latency = Latency { mean: Micros::new(mean), deviation: Micros::new(mean / 5) };
        let ppm = 400_000 + mean * 2 + number as u32 * 1_000;
        profiles.push(Profile::new(Accuracy::from_ppm(ppm).unwrap(), latency));
    }
    let names: Vec<String> = (0..64).map(|number| number.to_string()).collect();
    let text = decisions::<64>(&names, &profiles, [30, 60, 100, 140, 180, 250, 400]);
    assert_expected("stability/dense.txt", &text);
}
