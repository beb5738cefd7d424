//! What the library costs on the boards, against what it may.
//!
//! ```text
//! check_costs [--write] COSTS (BOARD SPEED SMALL FOLDER)...
//! ```
//!
//! COSTS is the table of values and limits. Of each board, SPEED and SMALL are what the program `costs`
//! printed, built for speed and for flash, and FOLDER has the programs `flash_…`. With `--write` the values
//! are written, and a limit for whatever has none; else the exit status is 1 if a value is past its limit, or
//! without one.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use object::{Object, ObjectSection, SectionKind};

const HEADER: &str = "board,what,of,value,limit";

/// What is counted, in its order, and how it is said.
const KINDS: [(&str, &str); 6] = [
    ("instructions", "Instructions, built for speed"),
    ("instructions_small", "Instructions, built for flash"),
    ("stack", "Stack, bytes, built for speed"),
    ("stack_small", "Stack, bytes, built for flash"),
    ("flash", "Flash, bytes, built for flash"),
    ("ram", "RAM, bytes"),
];

/// Board, kind, and of what.
type Key = (String, String, String);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (write, rest) = match arguments.split_first() {
        Some((first, rest)) if first == "--write" => (true, rest),
        _ => (false, &arguments[..]),
    };
    match compare(write, rest) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn compare(write: bool, arguments: &[String]) -> Result<bool, String> {
    const USAGE: &str = "usage: check_costs [--write] COSTS (BOARD SPEED SMALL FOLDER)...";
    let (table, boards) = arguments.split_first().ok_or(USAGE)?;
    let (boards, []) = boards.as_chunks::<4>() else { return Err(USAGE.into()) };
    let mut measured = Vec::new();
    for [board, speed, small, folder] in boards {
        for (path, suffix) in [(speed, ""), (small, "_small")] {
            printed(board, path, suffix, &mut measured)?;
        }
        flash(board, Path::new(folder), &mut measured)?;
    }
    let limits = limits(table)?;
    if write {
        let mut text = format!("{HEADER}\n");
        for ((board, what, of), value) in &measured {
            let limit = limits.get(&(board.clone(), what.clone(), of.clone())).copied();
            let _ = writeln!(text, "{board},{what},{of},{value},{}", limit.unwrap_or(room(what, *value)));
        }
        fs::write(table, text).map_err(|error| format!("{table}: {error}"))?;
        println!("{} costs are in {table}", measured.len());
        return Ok(true);
    }
    let boards: Vec<&str> = boards.iter().map(|[board, ..]| board.as_str()).collect();
    let past = show(&boards, &measured, &limits);
    for (board, what, of) in limits.keys().filter(|key| !measured.iter().any(|(other, _)| other == *key)) {
        println!("{board}, {what}, {of}: has a limit, and was not measured");
    }
    Ok(past == 0 && limits.len() == measured.len())
}

/// What another compiler, or what else is in the program, may add by inlining otherwise: a change of no
/// consequence was seen to add a fifth to a count. The size of a type is what it is.
fn room(what: &str, value: u64) -> u64 {
    match what {
        "ram" => value,
        "flash" => value + value / 10,
        _ => value + value / 4 + 8,
    }
}

/// What the program `costs` printed.
fn printed(board: &str, path: &str, suffix: &str, measured: &mut Vec<(Key, u64)>) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    for line in text.lines() {
        let [what, of, value] = line.split(',').collect::<Vec<_>>()[..] else {
            return Err(format!("{path} is not understood: {line}"));
        };
        let value = value.trim().parse().map_err(|error| format!("{path}: {line}: {error}"))?;
        match (what, suffix) {
            // It is the same in both.
            ("ram", "_small") => {}
            ("ram", _) => measured.push(((board.into(), what.into(), of.into()), value)),
            _ => measured.push(((board.into(), format!("{what}{suffix}"), of.into()), value)),
        }
    }
    Ok(())
}

/// What the programs `flash_…` take, less that of the one which does nothing.
fn flash(board: &str, folder: &Path, measured: &mut Vec<(Key, u64)>) -> Result<(), String> {
    let nothing = size(&folder.join("flash_nothing"))?;
    for (program, name) in [
        ("flash_selector", "constant catalog and scan"),
        ("flash_index", "index"),
        ("flash_server", "server"),
        ("flash_device", "device"),
    ] {
        let value = size(&folder.join(program))?.saturating_sub(nothing);
        measured.push(((board.into(), "flash".into(), name.into()), value));
    }
    Ok(())
}

/// All that is in flash.
fn size(path: &Path) -> Result<u64, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let program = object::File::parse(&*bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    let in_flash = |section: &object::Section<'_, '_>| {
        use SectionKind::{Data, ReadOnlyData, ReadOnlyString, Text};
        matches!(section.kind(), Text | ReadOnlyData | ReadOnlyString | Data)
    };
    Ok(program.sections().filter(in_flash).map(|section| section.size()).sum())
}

fn limits(path: &str) -> Result<BTreeMap<Key, u64>, String> {
    let text = fs::read_to_string(path).unwrap_or(HEADER.into());
    let mut limits = BTreeMap::new();
    for line in text.lines().skip(1) {
        let [board, what, of, _, limit] = line.split(',').collect::<Vec<_>>()[..] else {
            return Err(format!("{path} is not understood: {line}"));
        };
        let limit = limit.parse().map_err(|error| format!("{path}: {line}: {error}"))?;
        limits.insert((board.into(), what.into(), of.into()), limit);
    }
    Ok(limits)
}

/// A table, a board a column; how many values are past their limits.
fn show(boards: &[&str], measured: &[(Key, u64)], limits: &BTreeMap<Key, u64>) -> usize {
    let mut past = 0;
    print!("{:<28}", "");
    boards.iter().for_each(|board| print!("{board:>22}"));
    println!();
    for (kind, said) in KINDS {
        println!("{said}");
        let mut names: Vec<&str> = Vec::new();
        for ((_, what, of), _) in measured {
            if what == kind && !names.contains(&of.as_str()) {
                names.push(of);
            }
        }
        for name in names {
            print!("  {name:<26}");
            for board in boards {
                let key = (board.to_string(), kind.to_owned(), name.to_owned());
                let value = measured.iter().find(|(other, _)| *other == key).map_or(0, |(_, value)| *value);
                let limit = limits.get(&key).copied();
                let fits = limit.is_some_and(|limit| value <= limit);
                past += usize::from(!fits);
                let limit = limit.map_or("no limit".into(), |limit| format!("up to {limit}"));
                print!("{:>22}", format!("{}{value} ({limit})", if fits { "" } else { "! " }));
            }
            println!();
        }
    }
    if past > 0 {
        println!("{past} values, marked with !, are past their limits");
    }
    past
}
