//! The rules of the paper that the library implements, `tests/paper/rules.csv`: each is cited where it is implemented and
//! where it is tested, as a comment that begins with `paper:` and names its section and the rule.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// All Rust files below a folder of the project.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files = Vec::new();
    for path in entries {
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Where each rule is cited below some folders.
fn citations(folders: &[&str]) -> BTreeMap<String, Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in folders.iter().flat_map(|folder| sources(&root.join(folder))) {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(rule) = line.trim_start().strip_prefix("// paper: ") {
                let place = format!("{}:{number}", file.strip_prefix(root).unwrap().display());
                found.entry(rule.to_owned()).or_default().push(place);
            }
        }
    }
    found
}

#[test]
fn every_rule_of_the_paper_is_cited_where_it_is_implemented_and_where_it_is_tested() {
    let file = include_str!("paper/rules.csv");
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    let rules: Vec<[String; 3]> = reader.deserialize().map(Result::unwrap).collect();
    let name = |rule: &[String; 3]| format!("{}, {}", rule[0], rule[1]);
    let mut complaints = Vec::new();
    let (implementation, tests) = (&["src"][..], &["tests", "examples/programs/tests"][..]);
    for (folders, purpose) in [(implementation, "implementation"), (tests, "test")] {
        let cited = citations(folders);
        for rule in rules.iter().filter(|rule| !cited.contains_key(&name(rule))) {
            complaints.push(format!("'{}' has no {purpose} that cites it", name(rule)));
        }
        for (citation, places) in &cited {
            if !rules.iter().any(|rule| name(rule) == *citation) {
                complaints.push(format!("{}: there is no rule '{citation}'", places.join(", ")));
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
