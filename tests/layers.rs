//! The way through the house: a room of `src/` uses only what lies below it, and rooms beside each other do not know one
//! another.
//!
//! ```text
//! number, time ◀ profile, policy, catalog ◀ request ◀ select ◀ index ◀ server ◀ load
//!                                                       ▲ ◀── baseline, subset, device
//!                        estimate, beside selection, knows no policy
//! ```

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

/// Each room with those that it may use.
const ROOMS: [(&str, &[&str]); 19] = [
    ("number", &[]),
    ("time", &["number"]),
    ("ticks", &["time"]),
    ("profile", &["number", "time"]),
    ("policy", &["number"]),
    ("catalog", &["profile"]),
    ("written", &["number", "time", "profile"]),
    ("batch", &["number", "time", "profile", "catalog"]),
    ("request", &["time", "profile", "catalog"]),
    ("select", &["time", "profile", "policy", "catalog", "request"]),
    ("index", &["time", "profile", "policy", "catalog", "request", "select"]),
    ("estimate", &["number", "time", "profile", "request"]),
    ("baseline", &["time", "policy", "catalog", "request", "select"]),
    ("subset", &["profile", "policy", "catalog", "request", "select"]),
    ("device", &["time", "profile", "policy", "catalog", "request", "select"]),
    (
        "server",
        &[
            "number", "time", "profile", "policy", "catalog", "batch", "request", "select", "index",
            "estimate",
        ],
    ),
    (
        "load",
        &[
            "time", "profile", "policy", "catalog", "batch", "request", "select", "index", "estimate",
            "server",
        ],
    ),
    // Only names what is public.
    ("lib", &[]),
    ("recipes", &[]),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn no_arrow_goes_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut complaints = Vec::new();
    let mut rooms_seen = 0;
    for file in files(&root) {
        let place = file.strip_prefix(&root).unwrap().with_extension("");
        let room = place.iter().next().unwrap().to_str().unwrap();
        let Some((_, below)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            panic!("src/{} belongs to no room of tests/layers.rs", place.display());
        };
        rooms_seen += 1;
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            // What a macro names is public.
            for used in line.replace("$crate::", "").split("crate::").skip(1) {
                let used: String =
                    used.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
                if used != room && !below.contains(&used.as_str()) {
                    complaints.push(format!("src/{}:{number}: {room} uses {used}", place.display()));
                }
            }
        }
    }
    assert!(rooms_seen > 20, "the source is elsewhere");
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
