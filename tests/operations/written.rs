//! Anything that may be read with serde, from any bytes, as JSON and as postcard: what gets in is valid, does no harm where it
//! is used, and comes back as it was. Run by proptest and by a fuzz target alike.

use std::fmt::Debug;

use mdinference::load::{Growth, Settings, Shed};
use mdinference::{
    Accuracy, Budget, Catalog, Decision, Draw, Latency, Learning, Learnt, Margin, Micros, ModelId,
    NetworkTime, Policy, Price, Profile, Report, Server, Share, Sharpness, Standing, Timestamp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

const MODELS: usize = 8;

/// How many types there are.
pub(crate) const TYPES: u8 = 21;

/// The first byte says which type, the second how it is written; the others are what is written.
pub(crate) fn run(bytes: &[u8]) {
    let [of, how, written @ ..] = bytes else { return };
    let read = Read { written, json: how % 2 == 0 };
    match of % TYPES {
        0 => read.of(|catalog: Catalog<MODELS>| drop(server(&catalog))),
        1 => read.of(|learnt: Learnt| {
            let mut server = server(&zoo());
            for model in server.catalog().models().map(|model| model.id).collect::<Vec<_>>() {
                server.hear(model, Some(learnt));
            }
            check(server.catalog());
        }),
        2 => read.of(|report: Report| {
            let mut server = server(&zoo());
            server.learn(report, Timestamp::default());
            check(server.catalog());
        }),
        3 => read.of(|_: Standing| {}),
        4 => read.of(|learning: Learning| {
            let mut server = Server::new(zoo(), Policy::PAPER, learning);
            let (_, ticket) = server.begin(Budget::of(Micros::MAX), Draw::from_id(1), Timestamp::default());
            let end = Timestamp::from_micros(1_000_000);
            server.learn(ticket.completed(end), end);
            check(server.catalog());
        }),
        5 => read.of(|policy: Policy| {
            check_margin(policy.margin);
            zoo().select(&policy, Budget::of(Micros::from_millis(50)), Draw::from_id(1));
        }),
        6 => read.of(|profile: Profile| check_profile(&profile)),
        7 => read.of(|latency: Latency| check_latency(latency)),
        8 => read.of(|accuracy: Accuracy| assert!(accuracy <= Accuracy::MAX)),
        9 => read.of(|time: Micros| assert!(time <= Micros::MAX)),
        10 => read.of(check_margin),
        11 => read.of(|sharpness: Sharpness| assert!(sharpness.get() > 0)),
        12 => read.of(|share: Share| assert!(share <= Share::ALL)),
        13 => read.of(|growth: Growth| assert!((0.0..=1.0).contains(&growth.get()))),
        14 => read.of(|budget: Budget| assert!(budget.time() <= Micros::MAX)),
        15 => read.of(|network: NetworkTime| assert!(network.both_ways() <= Micros::MAX)),
        16 => read.of(|model: ModelId| assert!(model.index() < MODELS || zoo().get(model).is_none())),
        17 => read.of(|_: Decision| {}),
        18 => read.of(|_: Price| {}),
        19 => read.of(|_: Settings| {}),
        _ => read.of(|_: Shed| {}),
    }
}

/// What is read.
#[derive(Clone, Copy)]
struct Read<'a> {
    written: &'a [u8],
    json: bool,
}

impl Read<'_> {
    fn of<T: DeserializeOwned + Serialize + PartialEq + Debug>(self, check: impl FnOnce(T)) {
        let read = || -> Option<T> {
            if self.json {
                serde_json::from_slice(self.written).ok()
            } else {
                postcard::from_bytes(self.written).ok()
            }
        };
        // Twice, since not all can be copied.
        if let (Some(value), Some(same)) = (read(), read()) {
            let json = serde_json::to_string(&value).expect("it can be written");
            assert_eq!(serde_json::from_str::<T>(&json).expect("it was written"), value, "from {json}");
            let bytes = postcard::to_stdvec(&value).expect("it can be written");
            assert_eq!(postcard::from_bytes::<T>(&bytes).expect("it was written"), value, "from {bytes:?}");
            check(same);
        }
    }
}

fn zoo() -> Catalog<MODELS> {
    let profiles = [(39.5, 3.21, 0.08), (77.9, 31.11, 0.19), (82.6, 112.61, 0.36)]
        .map(|(accuracy, mean, deviation)| Profile::from_percent_and_millis(accuracy, mean, deviation));
    Catalog::try_new(profiles).expect("three models")
}

fn server(catalog: &Catalog<MODELS>) -> Server<MODELS> {
    check(catalog);
    let server = Server::new(catalog.clone(), Policy::PAPER, Learning::DEFAULT);
    check(server.catalog());
    server
}

fn check(catalog: &Catalog<MODELS>) {
    assert!((1..=MODELS).contains(&catalog.len()));
    let models: Vec<_> = catalog.models().collect();
    assert_eq!(models.len(), catalog.len());
    assert!(models.windows(2).all(|pair| pair[0].profile.latency.mean <= pair[1].profile.latency.mean));
    for model in models {
        assert_eq!(catalog.get(model.id), Some(&model.profile));
        check_profile(&model.profile);
    }
}

fn check_profile(profile: &Profile) {
    assert!(profile.accuracy <= Accuracy::MAX);
    check_latency(profile.latency);
}

fn check_latency(latency: Latency) {
    assert!(latency.mean <= Micros::MAX && latency.deviation <= Micros::MAX);
}

fn check_margin(margin: Margin) {
    assert!(margin.thousandths() <= 1_000_000);
}
