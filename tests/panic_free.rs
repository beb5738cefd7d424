//! The proof that nothing can panic, `tests/panic_free`, is of every public function.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The word after each `before` of a text.
fn words_after<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    text.split(before).skip(1).map(move |rest| rest.split(|char| !is_word(char)).next().unwrap_or_default())
}

/// By their names: one that is another's name too is taken for it.
#[test]
fn every_public_function_is_called() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let texts =
        |folder| sources(&root.join(folder)).into_iter().map(|path| fs::read_to_string(path).unwrap());
    let proof: String = texts("tests/panic_free/src").collect();
    let called: Vec<&str> = proof.split(|char: char| !(char.is_alphanumeric() || char == '_')).collect();
    let mut public = 0;
    let mut missing = Vec::new();
    for text in texts("src") {
        for name in words_after(&text, "pub fn ").chain(words_after(&text, "pub const fn ")) {
            public += 1;
            if !called.contains(&name) {
                missing.push(name.to_owned());
            }
        }
    }
    assert!(public > 150, "the source is elsewhere");
    assert!(missing.is_empty(), "not in tests/panic_free: {}", missing.join(", "));
}
