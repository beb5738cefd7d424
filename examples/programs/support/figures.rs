//! Where an example leaves its figures.

use std::path::{Path, PathBuf};

/// Where the user asks for, or in `target` of the project, by the example's name.
pub fn directory(asked: Option<&Path>, example: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = package.ancestors().nth(2).unwrap_or(package);
    asked.map_or_else(|| project.join("target").join(example), Path::to_path_buf)
}

/// A path as seen from where the user stands.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
