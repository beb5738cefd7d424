//! What the examples read: whatever it is, it is read, or refused in one line that says where.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[path = "../load/arrivals.rs"]
#[allow(dead_code, reason = "shared with the example")]
mod arrivals;
#[path = "../select/caution.rs"]
mod caution;
#[path = "../select/estimate.rs"]
mod estimate;
#[path = "../load/measures.rs"]
#[allow(dead_code, reason = "shared with the example")]
mod measures;
#[path = "../support/network.rs"]
#[allow(dead_code, reason = "shared with the examples")]
mod network;
#[path = "operations/readers.rs"]
mod operations;
#[path = "../select/profiles.rs"]
mod profiles;
#[path = "../select/requests.rs"]
mod requests;
#[path = "../drift/scenario.rs"]
#[allow(dead_code, reason = "shared with the example")]
mod scenario;
#[path = "../load/setting.rs"]
#[allow(dead_code, reason = "shared with the example")]
mod setting;
#[path = "../support/table.rs"]
mod table;
#[path = "../select/timings.rs"]
mod timings;
#[path = "../load/world.rs"]
#[allow(dead_code, reason = "shared with the example")]
mod world;
#[path = "../support/zoo.rs"]
#[allow(dead_code, reason = "shared with the examples")]
mod zoo;

use proptest::prelude::*;

/// Fields of rows: what may stand in them, and what may not.
const FIELDS: [&str; 20] = [
    "a",
    "b b",
    "B-b",
    "0",
    "1",
    "12.5",
    "100",
    "-1",
    "1e9",
    "1e308",
    "-1e308",
    "1e-320",
    "nan",
    "inf",
    "true",
    "",
    "\"q, \"\"r\"\"\"",
    "\"two\nlines\"",
    "# no comment",
    "\u{feff}",
];

/// The greatest numbers that there are, and the least.
#[test]
fn the_gaps_between_any_arrivals_are_numbers() {
    for (log, gaps) in [
        ("-1.7e308\n0\n1.7e308\n", Some(vec![1.0, 1.0])),
        ("0\n1\n4\n", Some(vec![0.5, 1.5])),
        ("0\n5e-324\n5e-324\n", None),
        ("7\n7\n", None),
        ("7\n", None),
        ("", None),
    ] {
        let read = arrivals::Process::read("log", log.as_bytes());
        assert_eq!(read.ok(), gaps.map(arrivals::Process::Recorded), "{log:?}");
    }
}

/// The one that an editor shows, whatever is passed over before.
#[test]
fn a_message_names_the_line() {
    for before in ["", "\n", "\r\n", "\r\r\r\n", "# none\n", "\r# none\n\n"] {
        let log = format!("model,ms\na,1\n{before}a,b\n");
        let refused = timings::read(zoo::Table::read("log", log.as_bytes()).unwrap()).err().unwrap();
        let row = log.lines().count();
        assert_eq!(
            refused.to_string(),
            format!("log: row {row}, column 'ms': 'b' is not a number"),
            "of {log:?}"
        );
    }
}

#[test]
fn a_message_is_one_line() {
    let refused = zoo::Zoo::read("zoo", "model,accuracy,mean_ms,std_ms\na,\"1\n2\",3,4\n".as_bytes(), None);
    assert_eq!(refused.unwrap_err().to_string(), r"zoo: row 2, column 'accuracy': '1\n2' is not a number");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn whatever_is_read_is_read_or_refused(
        of in any::<u8>(), how in any::<u8>(),
        rows in prop::collection::vec(
            (prop::collection::vec(prop::sample::select(FIELDS.to_vec()), 1..7), prop::sample::select(vec!["\n", "\r\n", "\n\n", "\n# more\n"])),
            0..8,
        ),
    ) {
        let rows: String = rows.iter().map(|(fields, end)| fields.join(",") + end).collect();
        operations::run(&[&[of, how], rows.as_bytes()].concat());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        operations::run(&bytes);
    }
}
