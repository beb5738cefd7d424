//! Anything that may be read with serde, from any bytes, as JSON and as postcard: what gets in is valid, does no harm where it
//! is used, and comes back as it was. Run by proptest and by a fuzz target alike.

use std::fmt::Debug;

use mdinference::device::{Counters, Ending, Strategy, TokenBucket};
use mdinference::estimate::{LatencyEstimator, NetworkEstimator, Observation, Smoothing};
use mdinference::load::{Growth, Settings, Shed};
use mdinference::{
    Accuracy, Budget, Catalog, Decision, Device, Draw, Index, Latency, Learning, Learnt, Margin, Micros,
    ModelId, NetworkTime, Policy, Price, Profile, Report, Request, Server, Share, Sharpness, Standing,
    Timestamp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

const MODELS: usize = 8;

/// How many types there are.
pub(crate) const TYPES: u8 = 29;

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
        20 => read.of(|_: Shed| {}),
        21 => read.of(|request: Request<'static>| {
            let (zoo, draw) = (zoo(), Draw::from_id(1));
            let decision = zoo.select(&Policy::PAPER, request, draw);
            assert_eq!(Index::new(zoo.clone(), Policy::PAPER).select(request, draw), decision);
            if let Ok(decision) = decision {
                assert!(
                    zoo.models()
                        .any(|model| { model.id == decision.model && request.exclusion(&model).is_none() })
                );
            }
        }),
        22 => read.of(|mut estimator: LatencyEstimator| {
            estimator.latency().into_iter().for_each(check_latency);
            let took = Observation::Took(Micros::MAX);
            for _ in 0..6 {
                estimator.observe(took, Timestamp::from_micros(7), Smoothing::LATENCY);
            }
            check_latency(estimator.latency().expect("something is known"));
            let both = estimator.merged(&LatencyEstimator::new());
            check_latency(both.believed(Some(&estimator), Smoothing::LATENCY).expect("something is known"));
        }),
        23 => read.of(|mut estimator: NetworkEstimator| {
            estimator.observe(Micros::new(7), Timestamp::default(), Smoothing::LATENCY);
            check_latency(estimator.output().expect("something is known"));
        }),
        24 => read.of(|smoothing: Smoothing| assert!(0.0 < smoothing.get() && smoothing.get() <= 1.0)),
        25 => read.of(|cap: TokenBucket| serve(Device::new(local(), Strategy::Always).with_cap(cap))),
        26 => read.of(|strategy: Strategy| serve(Device::new(local(), strategy))),
        27 => read.of(|ending: Ending| {
            let mut counters = Counters::default();
            counters.record(ending);
            assert_eq!(counters.requests(), 1);
        }),
        _ => read.of(|counters: Counters| {
            let both = counters.merged(counters);
            assert!(both.requests() >= counters.requests());
        }),
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

fn local() -> Profile {
    Profile::from_percent_and_millis(39.5, 40.0, 4.0).expect("a profile")
}

/// One request, of which the remote result never comes.
fn serve(mut device: Device) {
    let at = |millis| Timestamp::default().after(Micros::from_millis(millis));
    let mut request = device.begin(at(0), Micros::from_millis(250), None);
    for millis in [0, 100, 200, 250] {
        // Two starts, an ending, two cancels, and then nothing.
        assert!((0..6).any(|_| device.poll(&mut request, at(millis)).is_none()), "it never comes to rest");
    }
    assert!(request.ending().is_some());
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
