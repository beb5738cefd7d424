//! That it stays a server that can be read in one sitting.
#![allow(clippy::unwrap_used)]

use std::fs;

/// Those that are neither blank nor a comment, as the formatter breaks them.
#[test]
fn the_server_has_no_more_than_200_lines() {
    let mut lines = 0;
    for file in fs::read_dir("src").unwrap() {
        let path = file.unwrap().path();
        assert!(path.extension().is_some_and(|extension| extension == "rs"), "{path:?}");
        let text = fs::read_to_string(&path).unwrap();
        let own = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        lines += text.lines().filter(own).count();
    }
    assert!((100..=200).contains(&lines), "{lines}");
}
