//! What the paper states: every number, table cell and checkable sentence of it, from `examples/programs/tests/paper/paper.csv`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::row::{Claim, Test};

/// One row of the file.
#[derive(Debug, Deserialize, PartialEq)]
pub struct Statement {
    /// Where the paper says it: `Abstract`, or the number of a section.
    pub section: String,
    /// Its figure, table, equation or paragraph.
    pub item: String,
    pub row: String,
    pub column: String,
    /// A number, or words.
    pub value: String,
    pub unit: String,
    pub note: String,
}

/// All of them, in the order of the paper.
pub static STATEMENTS: LazyLock<Vec<Statement>> = LazyLock::new(|| {
    let file = include_str!("../../tests/paper/paper.csv");
    let rows = csv::Reader::from_reader(file.as_bytes()).into_deserialize();
    rows.collect::<Result<_, _>>().expect("the committed file is sound")
});

/// The statement that stands there.
pub fn paper(section: &str, item: &str, row: &str, column: &str) -> &'static Statement {
    let key = [section, item, row, column];
    let found = STATEMENTS.iter().find(|statement| statement.key() == key);
    found.unwrap_or_else(|| panic!("paper.csv has no row {key:?}"))
}

impl Statement {
    pub fn key(&self) -> [&str; 4] {
        [&self.section, &self.item, &self.row, &self.column]
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        self.value.parse().ok()
    }

    /// Met to within a tolerance.
    pub fn about(&'static self, within: f64) -> Claim {
        Claim::new(self, Test::About { within })
    }

    /// Half a unit of the last digit of the number.
    pub fn half_digit(&self) -> f64 {
        let decimals = self.value.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        0.5 * 10_f64.powi(-(decimals as i32))
    }

    /// Met if ours is the number once it is rounded as that is.
    pub fn rounded(&'static self) -> Claim {
        Claim::new(self, Test::Rounded)
    }

    /// Met by this number and any larger.
    pub fn at_least(&'static self) -> Claim {
        Claim::new(self, Test::AtLeast)
    }

    /// Met by this number and any smaller.
    pub fn at_most(&'static self) -> Claim {
        Claim::new(self, Test::AtMost)
    }

    /// Met by a larger number.
    pub fn above(&'static self) -> Claim {
        Claim::new(self, Test::Above)
    }

    /// Met by a smaller number.
    pub fn below(&'static self) -> Claim {
        Claim::new(self, Test::Below)
    }

    /// Words, and whether they hold here.
    pub fn says(&'static self, holds: bool) -> Claim {
        Claim::new(self, Test::Says(holds))
    }
}
