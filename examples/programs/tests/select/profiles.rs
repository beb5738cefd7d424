//! The profiles that a timing log tells, against what they are by definition.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{expected, transcript, transcripts};

#[test]
fn of_a_log() {
    expected::assert_expected(
        "select/profiles.txt",
        &transcripts(&[
            ("--timings timings.csv", ""),
            ("--timings timings.csv --json", ""),
            ("--timings timings.csv --csv", ""),
            ("--timings timings.csv --sla-ms 60 --network-ms 20", ""),
            ("--timings timings.csv --requests requests.csv --margin 2 --without cold", ""),
            ("--timings -", &slow_mode()),
            ("--timings -", "model,ms\n\"a, b\",1\n# \"a, b\",900\n\"#c\",2\n\"a, b\",3\n\"#c\",2\n"),
            ("--timings - --csv", "correct,ms,model\nTrue,1,\"#c, \"\"d\"\"\"\nFalse,3,\"#c, \"\"d\"\"\"\n"),
        ]),
    );
}

/// Of 200 runs each twentieth takes three times as long as the others.
fn slow_mode() -> String {
    let run = |run: u32| {
        format!("slow at times,{}.{},{}\n", if run % 20 == 19 { 90 } else { 30 }, run % 7, run % 2)
    };
    String::from("model,ms,correct\n") + &(0..200).map(run).collect::<String>()
}

/// What `--json` says of each model.
fn objects(arguments: &str, input: &str) -> Vec<Value> {
    let transcript = transcripts(&[(arguments, input)]);
    let lines = transcript.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn number(object: &Value, key: &str) -> f64 {
    object[key].as_f64().unwrap_or_else(|| panic!("there is no {key}: {object}"))
}

fn ends(object: &Value, key: &str) -> [f64; 2] {
    [&object[key][0], &object[key][1]].map(|end| end.as_f64().unwrap())
}

/// To half of the last of so many decimals.
fn assert_near(is: f64, should: f64, decimals: i32) {
    assert!((is - should).abs() <= 0.500_001 * 10f64.powi(-decimals), "{is} is not {should}");
}

/// The times of a model in the committed log.
fn times(model: &str) -> Vec<f64> {
    let rows = include_str!("timings.csv").lines().filter_map(|line| line.strip_prefix(&format!("{model},")));
    rows.map(|row| row.split(',').next().unwrap().parse().unwrap()).collect()
}

fn mean_and_deviation(times: &[f64]) -> (f64, f64) {
    let count = times.len() as f64;
    let mean = times.iter().sum::<f64>() / count;
    let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0)).sqrt())
}

#[test]
fn mean_and_deviation_are_those_of_the_sample_with_intervals_by_the_tables() {
    let objects = objects("--timings timings.csv --json", "");
    for model in ["steady", "drifts"] {
        let object = objects.iter().find(|object| object["model"] == model).unwrap();
        let times = times(model);
        assert_eq!((times.len(), number(object, "runs")), (20, 20.0));
        let (mean, deviation) = mean_and_deviation(&times);
        assert_near(number(object, "mean_ms"), mean, 3);
        assert_near(number(object, "std_ms"), deviation, 3);
        // For 19 degrees of freedom the NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2 and
        // 1.3.6.7.4, has t(0.975) = 2.093, and 8.907 and 32.852 for χ² at 0.025 and 0.975, each to half of
        // the last digit.
        let reach = 2.093 * deviation / 20f64.sqrt();
        let [low, high] = ends(object, "mean_ms_95");
        assert!(
            (low - (mean - reach)).abs() < 0.001 && (high - (mean + reach)).abs() < 0.001,
            "{low} {high}"
        );
        let [low, high] = ends(object, "std_ms_95");
        let by_table = [32.852, 8.907].map(|square: f64| deviation * (19.0 / square).sqrt());
        assert!((low - by_table[0]).abs() < 0.001 && (high - by_table[1]).abs() < 0.001, "{low} {high}");
    }
}

/// The ends of Wilson's interval are the shares p from which what was seen is 1.96 standard errors away,
/// where those are of p: (p̂ − p)² = z²·p·(1 − p)/n.
#[test]
fn accuracy_is_the_share_of_right_answers_with_the_interval_of_wilsons_definition() {
    for object in objects("--timings timings.csv --json", "") {
        let (right, judged) = (number(&object, "right"), number(&object, "judged"));
        if judged == 0.0 {
            assert!(object["accuracy"].is_null() && object["accuracy_95"].is_null());
            continue;
        }
        assert_near(number(&object, "accuracy"), 100.0 * right / judged, 4);
        for end in ends(&object, "accuracy_95").map(|percent| percent / 100.0) {
            let apart = (right / judged - end).abs();
            let errors = 1.959_964 * (end * (1.0 - end) / judged).sqrt();
            assert!((apart - errors).abs() < 1e-5, "{object}: {apart} is not {errors}");
        }
    }
}

#[test]
fn of_a_cold_start_the_rest_is_told() {
    let objects = objects("--timings timings.csv --json", "");
    let warnings = objects.iter().find(|object| object["model"] == "cold").unwrap()["warnings"].to_string();
    let times = times("cold");
    let (mean, deviation) = mean_and_deviation(&times[1..]);
    assert!(times[0] > 1.5 * mean && times[0] > mean + 6.0 * deviation);
    assert!(
        warnings.contains(&format!("without it μ is {mean:.3} ms and σ {deviation:.3} ms")),
        "{warnings}"
    );
}

/// A warning that is to be, or not, by a log that is just so or just not.
#[test]
fn warnings_begin_where_they_say() {
    let warned = |what: &str, times: &[f64]| {
        let log: String = times.iter().map(|time| format!("m,{time},1\n")).collect();
        let objects = objects("--timings - --json", &format!("model,ms,correct\n{log}"));
        objects[0]["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|warning| warning.as_str().unwrap().contains(what))
    };
    let even = |count: usize, low: f64, high: f64| {
        (0..count).map(|run| if run % 2 == 0 { low } else { high }).collect::<Vec<f64>>()
    };
    assert!(warned("only 19 runs", &even(19, 9.0, 11.0)));
    assert!(!warned("only", &even(20, 9.0, 11.0)));
    // The others are at 10 ± 0: one and a half times that is the limit; then, at 10 ± 2, it is 10 + 6 · 2.
    let first = |first: f64, rest: &[f64]| [&[first], rest].concat();
    assert!(!warned("cold start", &first(15.0, &even(20, 10.0, 10.0))));
    assert!(warned("cold start", &first(15.001, &even(20, 10.0, 10.0))));
    let (mean, deviation) = mean_and_deviation(&even(20, 8.0, 12.0));
    assert!(!warned("cold start", &first(mean + 5.999 * deviation, &even(20, 8.0, 12.0))));
    assert!(warned("cold start", &first(mean + 6.001 * deviation, &even(20, 8.0, 12.0))));
    // A second half that is 5 % slower, and one that is a little more so; and one that is, by chance, for all
    // one knows.
    assert!(!warned("drift", &[even(20, 99.0, 101.0), even(20, 104.0, 105.9)].concat()));
    assert!(warned("drift", &[even(20, 99.0, 101.0), even(20, 104.0, 106.1)].concat()));
    assert!(!warned("drift", &[even(20, 50.0, 150.0), even(20, 56.0, 156.0)].concat()));
    // Two slow runs of a hundred are beyond 99 %; of uniform times none is.
    let slow = |run: usize| if run == 50 || run == 51 { 30.0 } else { 10.0 };
    assert!(warned("heavy tail", &(0..100).map(slow).collect::<Vec<f64>>()));
    assert!(!warned("heavy tail", &(0..99).map(slow).collect::<Vec<f64>>()), "too few to tell");
    assert!(!warned(
        "heavy tail",
        &(0..100).map(|run| 10.0 + (run * 37 % 100) as f64 / 10.0).collect::<Vec<f64>>()
    ));
}

#[test]
fn the_zoo_that_is_printed_is_read_as_the_same_profiles() {
    let printed = transcripts(&[("--timings timings.csv --csv", "")]);
    let lines = printed.lines().skip(1).take_while(|line| !line.starts_with("warning"));
    let zoo: String = lines.map(|line| format!("{line}\n")).collect();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::write(directory.join("of_timings.csv"), &zoo).unwrap();

    // As numbers, those of `--json`.
    let objects = objects("--timings timings.csv --json", "");
    let known: Vec<&Value> = objects.iter().filter(|object| !object["accuracy"].is_null()).collect();
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(zoo.as_bytes()).records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 4);
    for row in &rows {
        let object = known.iter().find(|object| object["model"] == row[0]).unwrap();
        for (field, key) in row.iter().skip(1).zip(["accuracy", "mean_ms", "std_ms"]) {
            assert_eq!(field.parse::<f64>().unwrap(), number(object, key), "{key} of {}", &row[0]);
        }
    }

    // And read again, they answer alike to the last bit.
    for request in ["--sla-ms 60 --network-ms 20 --json", "--sla-ms 14 --network-ms 0 --margin 0 --json"] {
        let of_log = transcripts(&[(&format!("--timings timings.csv {request}"), "")]);
        let of_zoo = transcript::transcripts(
            env!("CARGO_BIN_EXE_select"),
            directory,
            &[(&format!("--zoo of_timings.csv {request}"), "")],
        );
        let answer =
            |transcript: &str| transcript.lines().find(|line| line.starts_with('{')).map(str::to_owned);
        assert!(answer(&of_log).is_some());
        assert_eq!(answer(&of_log), answer(&of_zoo));
    }
}
