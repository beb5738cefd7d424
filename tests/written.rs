//! What is written with serde comes back, for people as for machines; and what a constructor refuses is refused, by name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[path = "operations/written.rs"]
mod operations;
mod support;

use std::fmt::{Debug, Write as _};

use mdinference::device::{Counters, Ending, LocalRun, Source, Strategy, TokenBucket};
use mdinference::estimate::{NetworkEstimator, Smoothing};
use mdinference::load::{Growth, Hopeless, Settings, Shed, Stretch};
use mdinference::{
    Accuracy, Budget, Catalog, Cost, Decision, Draw, Exclusion, Latency, Learning, Learnt, Margin, Micros,
    ModelId, NetworkTime, NothingEligible, Policy, Price, Profile, Reason, Report, Request, Server, Share,
    Sharpness, Standing, Ticket, Timestamp, Value, Verdict,
};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use support::config;
use support::expected::assert_expected;

#[track_caller]
fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
    let json = serde_json::to_string(&value).unwrap();
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), value, "from {json}");
    let bytes = postcard::to_stdvec(&value).unwrap();
    assert_eq!(postcard::from_bytes::<T>(&bytes).unwrap(), value, "from {bytes:?}");
}

fn catalog() -> Catalog<4> {
    let profiles = [(49.7, 3.21, 0.08), (82.6, 112.61, 0.36)]
        .map(|(accuracy, mean, deviation)| Profile::from_percent_and_millis(accuracy, mean, deviation));
    Catalog::try_new(profiles).unwrap()
}

fn at(millis: u32) -> Timestamp {
    Timestamp::default().after(Micros::from_millis(millis))
}

/// A run of the better of the two, begun after a second.
fn run() -> Ticket {
    let mut server = Server::new(catalog(), Policy::PAPER, Learning::DEFAULT);
    server.begin(Budget::of(Micros::from_millis(170)), Draw::from_id(1), at(1_000)).1
}

/// What is learnt of a model by some runs, one of them a suspect, and some answers.
fn learnt() -> Learnt {
    let mut server = Server::new(catalog(), Policy::PAPER, Learning::DEFAULT);
    let model = server.catalog().id(1).unwrap();
    for millis in [100, 120, 800] {
        let (_, ticket) = server.begin(Budget::of(Micros::from_millis(170)), Draw::from_id(1), at(0));
        server.learn(ticket.completed(at(millis)), at(millis));
        server.learn(Report::judged(model, millis < 800), at(millis));
    }
    *server.learnt(model).unwrap()
}

#[test]
fn what_is_written_comes_back() {
    let catalog = catalog();
    comes_back(catalog.select(&Policy::PAPER, Budget::of(Micros::MAX), Draw::from_id(1)));
    comes_back(catalog.profiles()[1].with_cost(Cost(7)));
    comes_back(catalog.id(1).unwrap());
    comes_back(catalog);
    comes_back(Accuracy::MAX);
    comes_back(Micros::MAX);
    comes_back(Timestamp::from_micros(u64::MAX));
    comes_back(Latency { mean: Micros::MAX, deviation: Micros::new(1) });
    comes_back(Budget::of(Micros::new(1)));
    comes_back(NetworkTime::TwiceInput(Micros::new(1)));
    comes_back(Margin::new(2.333).unwrap());
    comes_back(Policy::PAPER.with_sharpness(Sharpness::new(u32::MAX).unwrap()));
    comes_back(Exclusion::AboveMaximumCost);
    comes_back(NothingEligible::default());
    comes_back(Draw::from_bytes(b"a request"));
    comes_back(Value::of(Accuracy::MAX));
    let price = Price { per_micro: u64::MAX, per_micro_squared: 1, per_cost: 2 };
    comes_back(price);
    let budget = Budget::of(Micros::new(9));
    comes_back(Request::new(budget));
    let request =
        Request::new(budget).with_min_accuracy(Accuracy::MAX).with_max_cost(Cost(3)).with_price(price);
    comes_back(request.with_earlier(Budget::of(Micros::new(5)), Accuracy::ZERO));
    // What is borrowed is not dropped in silence.
    let borrowing = request.with_waits(&[Micros::MAX]);
    assert!(serde_json::to_string(&borrowing).is_err());
    comes_back(borrowing.owned());
    comes_back(borrowing.owned().with_duplicate());
}

/// What a server's log holds, and what it tells others, or its next self.
#[test]
fn what_a_server_says_comes_back() {
    let overdue = run().overdue(at(1_900)).unwrap();
    for report in [overdue, run().completed(at(1_120)), run().failed(at(1_001)), run().cancelled(at(1_001))] {
        comes_back(report);
    }
    let model = catalog().id(1).unwrap();
    comes_back(Report::judged(model, false));
    comes_back(overdue.told);
    comes_back(learnt());
    comes_back(Learning::DEFAULT.with_probe_interval(Micros::MAX));
    for share in [Share::default(), Share::from_percent(0.0001).unwrap(), Share::ALL] {
        comes_back(share);
    }
    for standing in [Standing::Trusted, Standing::Held, Standing::Probing, Standing::Canary] {
        comes_back(standing);
    }
    let mut batch = run();
    batch.batch_of(8, Stretch::from_thousandths(2_050));
    comes_back(batch.completed(at(1_120)));
    comes_back(Settings::DEFAULT.with_priced(false).with_hopeless(Hopeless::Fastest));
    comes_back(Growth::new(0.5).unwrap());
    comes_back(Shed::NothingEligible(NothingEligible { not_allowed: 1, ..NothingEligible::default() }));
    comes_back(Reason::Probe);
    comes_back(Verdict::Probe);
    comes_back(Verdict::Excluded(Exclusion::NotAllowed));
}

/// What may be read, with which type it is and how it is written before it: see `operations`.
fn all_written() -> Vec<Vec<u8>> {
    fn both(all: &mut Vec<Vec<u8>>, of: u8, value: &impl Serialize) {
        all.push([&[of, 0], &serde_json::to_vec(value).unwrap()[..]].concat());
        all.push([&[of, 1], &postcard::to_stdvec(value).unwrap()[..]].concat());
    }
    let all = &mut Vec::new();
    let overdue = run().overdue(at(1_900)).unwrap();
    both(all, 0, &catalog());
    both(all, 1, &learnt());
    both(all, 2, &overdue);
    both(all, 2, &run().completed(at(1_120)));
    both(all, 2, &Report::judged(catalog().id(1).unwrap(), false));
    both(all, 3, &Standing::Probing);
    both(all, 4, &Learning::DEFAULT);
    both(all, 5, &Policy::PAPER);
    both(all, 6, &catalog().profiles()[1]);
    both(all, 7, &catalog().profiles()[1].latency);
    both(all, 8, &Accuracy::MAX);
    both(all, 9, &Micros::MAX);
    both(all, 10, &Margin::PAPER);
    both(all, 11, &Sharpness::PAPER);
    both(all, 12, &Share::ALL);
    both(all, 13, &Growth::DEFAULT);
    both(all, 14, &Budget::of(Micros::new(1)));
    both(all, 15, &NetworkTime::TwiceInput(Micros::new(1)));
    both(all, 16, &catalog().id(1).unwrap());
    both(all, 17, &catalog().select(&Policy::PAPER, Budget::of(Micros::MAX), Draw::from_id(1)));
    both(all, 18, &Price::NONE);
    both(all, 19, &Settings::DEFAULT);
    both(all, 20, &Shed::NothingEligible(NothingEligible { not_allowed: 1, ..NothingEligible::default() }));
    let request =
        Request::new(Budget::of(Micros::new(9))).with_min_accuracy(Accuracy::MAX).with_max_cost(Cost(3));
    both(all, 21, &request);
    both(all, 21, &request.with_price(Price::NONE).with_earlier(Budget::of(Micros::new(5)), Accuracy::ZERO));
    both(all, 22, &learnt().latency);
    both(all, 23, &NetworkEstimator::new());
    both(all, 24, &Smoothing::LATENCY);
    both(all, 25, &TokenBucket::new(3, Micros::new(100)));
    both(all, 26, &Strategy::AT_RISK);
    let (delivered, local_run) = (Some(Source::Local), LocalRun::Started);
    both(all, 27, &Ending { delivered, overruled: true, local_run, after: Micros::new(250) });
    both(all, 28, &Counters { remote: 1, avoided: 1, ..Counters::default() });
    std::mem::take(all)
}

proptest! {
    #![proptest_config(config(5_000))]

    /// Whatever is damaged: a few bytes changed, lost, or doubled.
    #[test]
    fn nothing_invalid_gets_in(
        which in any::<prop::sample::Index>(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![Just(b'9'), Just(b'-'), any::<u8>()], 0..3_u8), 0..4),
    ) {
        let mut bytes = which.get(&all_written()).clone();
        for (place, byte, how) in damages {
            let place = place.index(bytes.len() - 2) + 2;
            match how {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ => drop((bytes.len() > 3).then(|| bytes.remove(place))),
            }
        }
        operations::run(&bytes);
    }
}

proptest! {
    #![proptest_config(config(2_000))]

    /// Every microsecond and every part per million, also where people read it.
    #[test]
    fn profiles_come_back(ppm in 0..=1_000_000_u32, mean in 0..=Micros::MAX.get(), deviation in 0..=Micros::MAX.get(), cost in any::<u32>()) {
        let latency = Latency { mean: Micros::new(mean), deviation: Micros::new(deviation) };
        comes_back(Profile::new(Accuracy::from_ppm(ppm).unwrap(), latency).with_cost(Cost(cost)));
        let profile = Profile::new(Accuracy::from_ppm(ppm).unwrap(), latency);
        let toml = toml::to_string(&profile).unwrap();
        prop_assert_eq!(toml::from_str::<Profile>(&toml).unwrap(), profile, "from {}", toml);
    }
}

/// The keys that people write, and that programs rely on.
#[test]
fn what_is_written_is_as_committed() {
    let mut text = String::new();
    let mut line = |json: serde_json::Result<String>| writeln!(text, "{}", json.unwrap()).unwrap();
    let catalog = catalog();
    let decision = catalog.select(&Policy::PAPER, Budget::of(Micros::from_millis(170)), Draw::from_id(1));
    line(serde_json::to_string(&catalog));
    line(serde_json::to_string(&catalog.profiles()[0].latency));
    line(serde_json::to_string(&Policy::PAPER));
    line(serde_json::to_string(&decision));
    let price = Price::per_milli(Accuracy::from_percent(0.1).unwrap());
    let request = Request::new(decision.budget).with_price(price);
    line(serde_json::to_string(&request));
    line(serde_json::to_string(&request.with_earlier(Budget::default(), Accuracy::MAX)));
    line(serde_json::to_string(&NetworkTime::TwiceInput(Micros::new(40))));
    line(serde_json::to_string(&Learning::DEFAULT));
    line(serde_json::to_string(&Report::judged(decision.model, true)));
    line(serde_json::to_string(&run().overdue(at(1_900)).unwrap()));
    line(serde_json::to_string(&run().completed(at(1_120))));
    line(serde_json::to_string(&run().cancelled(at(1_005))));
    line(serde_json::to_string(&Standing::Held));
    line(serde_json::to_string(&Reason::Probe));
    line(serde_json::to_string(&Share::from_percent(1.0).unwrap()));
    line(serde_json::to_string(&learnt()));
    line(serde_json::to_string(&Settings::DEFAULT));
    line(serde_json::to_string(&Growth::DEFAULT));
    assert_expected("written/json.txt", &text);
}

/// A zoo in a configuration file: the catalog reads it as it is, and the names are the caller's.
#[test]
fn a_zoo_as_people_write_it() {
    #[derive(Deserialize)]
    struct Config {
        model: Catalog<8>,
    }
    #[derive(Deserialize)]
    struct Names {
        model: Vec<Name>,
    }
    #[derive(Deserialize)]
    struct Name {
        name: String,
    }
    let text = include_str!("written/models.toml");
    let Config { model: catalog } = toml::from_str(text).unwrap();
    let Names { model: names } = toml::from_str(text).unwrap();
    let nasnet = Profile::from_percent_and_millis(82.6, 112.61, 0.36).unwrap().with_cost(Cost(5));
    assert_eq!(catalog.profiles()[2], nasnet);
    assert_eq!(catalog.profiles()[0].cost, Cost(0));
    assert_eq!(
        names.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(),
        ["mobilenet_v1_0.25", "inception_v3", "nasnet_large"]
    );
}

#[test]
fn what_a_constructor_refuses_is_refused() {
    let mut text = String::new();
    fn refused<T: DeserializeOwned + Debug>(text: &mut String, json: &str) {
        let error = serde_json::from_str::<T>(json).expect_err(json);
        writeln!(text, "{json}: {error}").unwrap();
    }
    let model = |accuracy: &str, mean: &str, rest: &str| {
        format!(r#"{{"accuracy_percent":{accuracy},"mean_ms":{mean},"deviation_ms":{rest}}}"#)
    };
    refused::<Accuracy>(&mut text, "1000001");
    refused::<Accuracy>(&mut text, "-1");
    refused::<Accuracy>(&mut text, "0.5");
    refused::<Micros>(&mut text, "-1");
    refused::<Micros>(&mut text, "2147483648");
    refused::<Micros>(&mut text, "null");
    refused::<ModelId>(&mut text, r#"{"place":65536,"tag":0}"#);
    refused::<Margin>(&mut text, "-1");
    refused::<Margin>(&mut text, "1001");
    refused::<Margin>(&mut text, "1e999");
    refused::<Sharpness>(&mut text, "0");
    refused::<Sharpness>(&mut text, "1.5");
    refused::<Policy>(&mut text, r#"{"margin":1,"sharpness":0}"#);
    refused::<Policy>(&mut text, r#"{"margin":1}"#);
    refused::<Policy>(&mut text, r#"{"margin":1,"sharpness":1,"sharpnes":2}"#);
    refused::<Profile>(&mut text, &model("100.1", "1", "1"));
    refused::<Profile>(&mut text, &model("\"good\"", "1", "1"));
    refused::<Profile>(&mut text, &model("1", "-1", "1"));
    refused::<Profile>(&mut text, &model("1", "2147484", "1"));
    refused::<Profile>(&mut text, &model("1", "1", "1e999"));
    refused::<Profile>(&mut text, &model("1", "1", r#"1,"cost":-1"#));
    refused::<Profile>(&mut text, &model("1", "1", r#"1,"cost":0.5"#));
    refused::<Profile>(&mut text, &model("1", "1", r#"1,"cost":4294967296"#));
    refused::<Profile>(&mut text, &model("1", "1", r#"1,"mean_ms":1"#));
    refused::<Profile>(&mut text, &model("1", "1", r#"1,"mean_us":1000"#));
    refused::<Profile>(&mut text, r#"{"accuracy_percent":1,"mean_ms":1}"#);
    refused::<Profile>(&mut text, "[1,1]");
    refused::<Profile>(&mut text, "7");
    refused::<Catalog<2>>(&mut text, "[]");
    let good = model("1", "1", "1");
    refused::<Catalog<2>>(&mut text, &format!("[{good},{good},{good}]"));
    refused::<Catalog<2>>(&mut text, &format!("[{good},{}]", model("101", "1", "1")));
    let id = r#"{"place":0,"tag":0}"#;
    refused::<Decision>(&mut text, &format!(r#"{{"model":{id},"base":-1,"reason":"Base","budget_us":1}}"#));
    refused::<Decision>(&mut text, &format!(r#"{{"model":{id},"base":0,"reason":"Whim","budget_us":1}}"#));
    refused::<Decision>(&mut text, &format!(r#"{{"model":{id},"base":0,"reason":"Base","budget":1}}"#));
    refused::<Request<'static>>(&mut text, r#"{"budget_us":1,"max_costs":2}"#);
    refused::<Request<'static>>(&mut text, r#"{"budget_us":1,"min_accuracy_ppm":1000001}"#);
    refused::<Request<'static>>(&mut text, r#"{"budget_us":1,"duplicate":1}"#);
    refused::<Learning>(&mut text, r#"{"latency":0.05,"accuracy":0.001,"probe_interval":1000000}"#);
    refused::<Learning>(&mut text, r#"{"latency":0.05,"accuracy":0.001,"patience_us":60000000}"#);
    refused::<Share>(&mut text, "1000001");
    refused::<Share>(&mut text, "0.5");
    refused::<Growth>(&mut text, "1.5");
    refused::<Settings>(&mut text, r#"{"hopeless":"Drop"}"#);
    refused::<Settings>(&mut text, r#"{"price":true}"#);
    refused::<Standing>(&mut text, r#""Dead""#);
    refused::<Report>(&mut text, &format!(r#"{{"model":{id},"told":{{"Judged":{{}}}}}}"#));
    refused::<Report>(&mut text, &format!(r#"{{"model":{id},"told":{{"Overdue":{{"began":0}}}}}}"#));
    let ended =
        |rest: &str| format!(r#"{{"model":{id},"told":{{"Ended":{{"began":0,"probe":false{rest}}}}}}}"#);
    assert!(serde_json::from_str::<Report>(&ended(r#","observation":{"took_us":1}"#)).is_ok());
    refused::<Report>(&mut text, &ended(""));
    refused::<Report>(&mut text, &ended(r#","observation":{"took_us":1},"batches":8"#));
    refused::<Report>(&mut text, &ended(r#","observation":{"took_ms":1}"#));
    refused::<Report>(&mut text, &ended(r#","observation":{"took_us":-1}"#));
    assert_expected("written/refusals.txt", &text);
}

/// Integers as machines write them are checked too.
#[test]
fn integers_are_checked() {
    let profile = catalog().profiles()[0];
    let bytes = postcard::to_stdvec(&profile).unwrap();
    assert_eq!(bytes.len(), 3 + 2 + 1 + 1, "accuracy, mean, deviation, cost as varints");
    let bytes = postcard::to_stdvec(&(1_000_001_u32, 1_u32, 1_u32, 0_u32)).unwrap();
    assert!(postcard::from_bytes::<Profile>(&bytes).is_err());
    let bytes = postcard::to_stdvec(&(1_u32, Micros::MAX.get() + 1, 1_u32, 0_u32)).unwrap();
    assert!(postcard::from_bytes::<Profile>(&bytes).is_err());
}
