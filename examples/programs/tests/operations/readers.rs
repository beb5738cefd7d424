//! What the examples read, from any bytes: a value within its ranges, or one line that says what is wrong, and where. Run by
//! proptest and by a fuzz target alike, which both have the examples' modules.

use mdinference::{Accuracy, Latency, Micros, Profile};

use crate::arrivals::{Process, arrivals};
use crate::profiles::{self, Profiles};
use crate::requests::Requests;
use crate::scenario::Scenario;
use crate::setting::Setting;
use crate::timings;
use crate::zoo::{BadInput, Table, Zoo};

/// By which a message begins.
const FILE: &str = "any.csv";

/// What is read, and the header that it may be given: without one, few bytes are a table.
const READERS: [&str; 5] = [
    "model,accuracy,mean_ms,std_ms,cost,zoo\n",
    "model,ms,correct\n",
    "sla_ms,network_ms\n",
    "model,from_request,to_request,latency_factor,accuracy_delta,stall_ms\n",
    "# in ms\n",
];

/// The first byte says which reader, the second how; the others are what is read.
#[allow(unreachable_pub, reason = "a fuzz target includes this file too")]
pub fn run(bytes: &[u8]) {
    let [of, how, read @ ..] = bytes else { return };
    let of = usize::from(*of) % READERS.len();
    let header = if how % 2 == 0 { READERS[of].as_bytes() } else { &[] };
    let read = &[header, read].concat()[..];
    let refused = match of {
        0 => zoo(read, [None, Some("a"), Some("")][usize::from(how / 2) % 3]),
        1 => log(read),
        2 => requests(read),
        3 => scenario(read),
        _ => arrivals_of(read),
    };
    if let Err(refused) = refused {
        check_message(&refused, read);
    }
}

/// A message is a line that begins with the file; the row that it names is there, and holds what it cites.
fn check_message(refused: &BadInput, read: &[u8]) {
    let message = refused.to_string();
    assert!(!message.chars().any(char::is_control), "{message:?} is not a line");
    let what = message.strip_prefix(FILE).and_then(|rest| rest.strip_prefix(": "));
    let what = what.unwrap_or_else(|| panic!("{message:?} does not name the file"));
    assert!(!what.is_empty());
    let Some(row) = what.strip_prefix("row ").or(what.strip_prefix("line ")) else { return };
    let digits = row.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
    let row: usize = digits.parse().unwrap_or_else(|_| panic!("{message:?} does not name the row"));
    let lines: Vec<&[u8]> = read.split(|&byte| byte == b'\n').collect();
    assert!((1..=lines.len()).contains(&row), "{message:?} of {} lines", lines.len());
    // One that is quoted may go on over several lines.
    let cited = what.split_once(": '").and_then(|(_, rest)| rest.split_once("' ")).map(|(cited, _)| cited);
    if let Some(cited) = cited.filter(|cited| cited.is_ascii() && !cited.contains('\\'))
        && !read.contains(&b'"')
    {
        let line = lines[row - 1];
        let there = cited.is_empty() || line.windows(cited.len()).any(|part| part == cited.as_bytes());
        assert!(there, "{message:?} of {:?}", String::from_utf8_lossy(line));
    }
}

fn check_profile(profile: &Profile) {
    let Latency { mean, deviation } = profile.latency;
    assert!(profile.accuracy <= Accuracy::MAX && mean <= Micros::MAX && deviation <= Micros::MAX);
}

fn check_zoo(zoo: &Zoo) {
    assert!(!zoo.names.is_empty());
    assert_eq!(zoo.names.len(), zoo.profiles.len());
    for (place, name) in zoo.names.iter().enumerate() {
        assert!(!name.is_empty() && !zoo.names[..place].contains(name), "{:?}", zoo.names);
    }
    zoo.profiles.iter().for_each(check_profile);
}

fn zoo(read: &[u8], name: Option<&str>) -> Result<(), BadInput> {
    check_zoo(&Zoo::read(FILE, read, name)?);
    Ok(())
}

/// A timing log, the profiles that it tells, and those as a zoo, which is read as it is written.
fn log(read: &[u8]) -> Result<(), BadInput> {
    let runs = timings::read(Table::read(FILE, read)?)?;
    assert!(!runs.is_empty());
    for runs in &runs {
        assert!(!runs.model.is_empty() && runs.right <= runs.judged);
        assert!(runs.ms.iter().all(|&ms| Micros::try_from_millis(ms).is_ok()));
        assert!(runs.judged <= runs.ms.len() as u64 + runs.failed);
        assert!(runs.ms.len() as u64 + runs.failed > 0);
    }
    let profiles = Profiles::of(runs);
    assert!(profiles.warnings().all(|warning| !warning.is_empty()) && !profiles.text().is_empty());
    profiles.json().lines().for_each(check_figures);
    let (zoo, _) = profiles.zoo(FILE)?;
    check_zoo(&zoo);
    let written = profiles::csv(&zoo);
    let again = Zoo::read(FILE, written.as_bytes(), None);
    let again = again.unwrap_or_else(|refused| panic!("{refused} of {written:?}"));
    assert_eq!((again.names, again.profiles), (zoo.names, zoo.profiles), "as {written:?}");
    Ok(())
}

/// Each figure is within its interval, to the step that it is rounded to, and an accuracy is one.
fn check_figures(json: &str) {
    let figures: serde_json::Value = serde_json::from_str(json).unwrap();
    for name in ["mean_ms", "std_ms", "accuracy"] {
        let (figure, interval) = (&figures[name], &figures[format!("{name}_95")]);
        let Some(figure) = figure.as_f64() else {
            assert!(figure.is_null() && interval.is_null(), "{json}");
            continue;
        };
        assert!(figure >= 0.0 && (name != "accuracy" || figure <= 100.0), "{json}");
        let near = 1e-3 + figure * 1e-9;
        if let Some(ends) = interval.as_array() {
            let [low, high] = [0, 1].map(|end| ends[end].as_f64().unwrap_or_else(|| panic!("{json}")));
            assert!(low - near <= figure && figure <= high + near, "{json}");
        }
    }
}

fn requests(read: &[u8]) -> Result<(), BadInput> {
    let mut requests = Requests::read(Table::read(FILE, read)?)?;
    while let Some((sla, network)) = requests.next()? {
        assert!(sla <= Micros::MAX && network <= Micros::MAX);
    }
    Ok(())
}

fn some_zoo() -> Zoo {
    let profile = Profile::from_percent_and_millis(49.7, 3.21, 0.08).unwrap();
    Zoo { names: ["a", "B b", "b-b"].map(str::to_owned).into(), profiles: vec![profile; 3] }
}

fn scenario(read: &[u8]) -> Result<(), BadInput> {
    let zoo = some_zoo();
    let scenario = Scenario::read(FILE, read, &zoo)?;
    assert_eq!(scenario.canary, None);
    for disturbance in &scenario.disturbances {
        assert!(disturbance.model < zoo.names.len() && disturbance.from <= disturbance.to);
        assert!(disturbance.factor > 0.0 && disturbance.factor <= 1e6);
        assert!((-100.0..=100.0).contains(&disturbance.delta) && disturbance.stall <= Micros::MAX);
    }
    Ok(())
}

/// The arrivals of a log, as gaps whose mean is 1; and requests that come so.
fn arrivals_of(read: &[u8]) -> Result<(), BadInput> {
    let process = Process::read(FILE, read)?;
    let Process::Recorded(gaps) = &process else { panic!("{process:?} is not of a log") };
    assert!(gaps.iter().all(|gap| gap.is_finite() && *gap >= 0.0), "{gaps:?}");
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    assert!((mean - 1.0).abs() < 1e-6, "{gaps:?} are {mean} on average");
    let zoo = some_zoo();
    let (sla, rate) = (250_000, 10.0);
    let setting =
        Setting { zoo: &zoo, sla, workers: 2, max_batch: 1, growth: 0.0, rate, late_worth: 0.0, seed: 1 };
    let arrivals = arrivals(&setting, &process, 50, 1);
    assert!(arrivals.windows(2).all(|pair| pair[0].job.arrived <= pair[1].job.arrived));
    assert!(arrivals.iter().all(|arrival| arrival.job.deadline - arrival.job.arrived <= sla));
    Ok(())
}
