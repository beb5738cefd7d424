//! What the paper claims of MDInference in its abstract, its introduction, its conclusion and its text on request
//! duplication, of the networks of Table IV at an SLA of 250 ms.

use mdinference::Micros;
use statrs::distribution::{ContinuousCDF, Normal};

use super::duplication::{Compared, Duplication, MEASURED_REQUESTS, SLA_MS, measured};
use super::network::RESIDENTIAL;
use super::outcome::{ON_DEVICE_ACCURACY, Outcome};
use super::row::{Across, Row, Section};
use super::statement::paper;
use super::zoo::Zoo;

pub fn section(duplication: &Duplication) -> Section {
    let [university, residential] = duplication.places().map(|place| &place.table4);
    let rows = [
        r#abstract(university, residential),
        introduction(residential),
        section_4e(residential),
        section_5d(residential),
        conclusion(university, residential),
    ];
    Section {
        title: "What the paper claims of it, in percent and points".into(),
        points: Vec::new(),
        across: Across::Sla,
        rows: rows.into_iter().flatten().collect(),
        notes: vec![
            "A number that the paper measured is met to within three standard errors, as the cells of Table IV are. In \
             time is a remote answer within the SLA; with duplication every request has an answer by then. The cloud \
             alone is static accuracy without duplication."
                .into(),
            "The device of the lowest SLA is estimated from what the paper and its authors publish: the fastest model \
             takes 3.956 ms on a c5 CPU, where NasNet Mobile takes 100.973 ms; that takes 236 ms on a Pixel 2, and up to \
             2.5 times as long on other devices (Section IV-A)."
                .into(),
        ],
    }
}

/// How much more accurate one is than another, in points, and the standard error of that as measured twice.
fn gain(outcome: &Outcome, other: &Outcome) -> (f64, f64) {
    let [error, other_error] = [outcome, other].map(|outcome| outcome.accuracy_error(MEASURED_REQUESTS));
    (outcome.duplicated_accuracy - other.duplicated_accuracy, error.hypot(other_error))
}

fn mdinference(figure: &'static str, column: &str, ours: f64) -> Row {
    Row::new(figure, "mdinference", column, SLA_MS, ours)
}

fn r#abstract(university: &Compared, residential: &Compared) -> Vec<Row> {
    const FIGURE: &str = "abstract";
    let in_time = |place: &str, compared: &Compared| {
        let outcome = &compared.mdinference;
        let stated = paper("Abstract", "claim", place, "requests whose aggregate accuracy is increased");
        mdinference(FIGURE, &format!("{place} requests in time (%)"), outcome.attainment)
            .against(measured(stated, outcome.reliance_error(MEASURED_REQUESTS)))
    };
    let over_static = paper("Abstract", "claim", "MDInference", "aggregate accuracy over static approaches");
    vec![
        mdinference(
            FIGURE,
            "university accuracy over static latency (points)",
            gain(&university.mdinference, &university.static_latency).0,
        )
        .against(over_static.at_least())
        .note("the better network"),
        mdinference(
            FIGURE,
            "residential accuracy over static latency (points)",
            gain(&residential.mdinference, &residential.static_latency).0,
        )
        .note("the paper names no network"),
        in_time("university", university),
        in_time("residential", residential),
    ]
}

fn introduction(residential: &Compared) -> Vec<Row> {
    const FIGURE: &str = "section I";
    let stated = |column| paper("I", "contribution", "MDInference", column);
    vec![
        mdinference(
            FIGURE,
            "residential requests answered, over the cloud alone (points)",
            100.0 - residential.static_accuracy.attainment,
        )
        .fitted_to(stated("SLA attainment improvement over in-cloud approaches up to").rounded()),
        mdinference(
            FIGURE,
            "residential accuracy over on-device only (points)",
            residential.mdinference.duplicated_accuracy - ON_DEVICE_ACCURACY,
        )
        .against(stated("aggregate accuracy over purely on-device more than").above()),
    ]
}

fn section_4e(residential: &Compared) -> Vec<Row> {
    const FIGURE: &str = "section IV-E";
    let outcome = &residential.mdinference;
    vec![
        Row::new(FIGURE, "fastest on-device model", "lowest SLA kept (ms)", None, lowest_sla())
            .against(paper("IV-E", "duplication", "SLA", "as low as").at_most())
            .note("99.99 % in time; estimated device"),
        mdinference(FIGURE, "residential on-device results used (%)", outcome.reliance()).against(measured(
            paper("IV-E", "duplication", "residential", "on-device result used"),
            outcome.reliance_error(MEASURED_REQUESTS),
        )),
    ]
}

fn section_5d(residential: &Compared) -> Vec<Row> {
    const FIGURE: &str = "section V-D";
    let stated = |column| paper("V-D", "Table IV", "MDInference", column);
    let Compared { static_latency, static_accuracy, mdinference: outcome, .. } = residential;
    let (over_accuracy, error) = gain(outcome, static_accuracy);
    // Expected, where the paper measured the same two numbers; and the probability of that.
    let missed_more = (outcome.reliance() - static_latency.reliance()) / 100.0 * MEASURED_REQUESTS;
    let none_differs = (-missed_more).exp();
    vec![
        mdinference(FIGURE, "residential accuracy over static accuracy (points)", over_accuracy)
            .against(measured(stated("residential accuracy over static accuracy"), error)),
        mdinference(
            FIGURE,
            "residential reliance under static accuracy's (points)",
            static_accuracy.reliance() - outcome.reliance(),
        )
        .against(stated("reliance improvement over static accuracy more than").above()),
        mdinference(FIGURE, "residential misses more than the fastest model (of 5000)", missed_more)
            .against(stated("miss rate").says(none_differs > 1.0 / 370.0))
            .note(format!("none: {:.0} % of the time", 100.0 * none_differs)),
    ]
}

fn conclusion(university: &Compared, residential: &Compared) -> Vec<Row> {
    const FIGURE: &str = "section VII";
    let stated = |column| paper("VII", "conclusion", "MDInference", column);
    let (over_accuracy, error) = gain(&residential.mdinference, &residential.static_accuracy);
    vec![
        mdinference(FIGURE, "residential requests improved (%)", residential.mdinference.attainment)
            .against(stated("requests with improved accuracy over").above()),
        mdinference(
            FIGURE,
            "university accuracy over static latency (points)",
            gain(&university.mdinference, &university.static_latency).0,
        )
        .against(stated("improvement in some cases over").above()),
        mdinference(FIGURE, "residential accuracy over static accuracy (points)", over_accuracy)
            .against(measured(stated("increase over highest-latency model with duplication"), error)),
    ]
}

/// The smallest SLA, in steps of 5 ms, at which all but one in 10,000 requests on the residential network are answered
/// by the fastest model on the device or, sooner, by the fastest on the server.
fn lowest_sla() -> f64 {
    let zoo = Zoo::shipped("c5").expect("the shipped zoos are sound");
    let latency = |name: &str| {
        let index = zoo.names.iter().position(|other| other == name).expect("a model of a shipped zoo");
        let latency = zoo.profiles[index].latency;
        [latency.mean, latency.deviation].map(Micros::as_millis)
    };
    let number = |column| {
        let stated = paper("IV-A", "example", "NasNet Mobile", column);
        stated.number().expect("a number")
    };
    let slower = number("latency on Pixel 2") / latency("nasnet_mobile")[0]
        * number("slowdown on other devices up to");
    let [mean, deviation] = latency("mobilenet_v1_0.25_128").map(|millis| millis * slower);
    let network = RESIDENTIAL.network();
    let missed = |sla_ms: f64| {
        let local = 1.0 - Normal::standard().cdf((sla_ms - mean) / deviation);
        local * (1.0 - network.below(sla_ms - 2.454))
    };
    (1..)
        .map(|step| f64::from(5 * step))
        .find(|&sla_ms| missed(sla_ms) < 1e-4)
        .expect("the device answers in the end")
}
