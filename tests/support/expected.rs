//! Text that is committed beside a test, so that a change of behaviour is a visible diff.
//!
//! `UPDATE_EXPECTED=1 cargo test` writes it anew.

use std::fs;
use std::path::Path;

/// `text` is what stands in `tests/{file}`.
pub fn assert_expected(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
    if std::env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        return fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if expected.lines().eq(text.lines()) {
        return;
    }
    let line = text.lines().zip(expected.lines()).take_while(|(is, was)| is == was).count();
    panic!(
        "tests/{file} differs at line {}:\n  was: {}\n   is: {}\nIf that is meant, `UPDATE_EXPECTED=1 cargo test` writes it anew.",
        line + 1,
        expected.lines().nth(line).unwrap_or("(end)"),
        text.lines().nth(line).unwrap_or("(end)"),
    );
}
