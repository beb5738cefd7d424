//! A number of ours beside what the paper states.

use std::fmt;

use super::statement::Statement;

/// One line of the report.
#[derive(Clone, Debug)]
pub struct Row {
    pub figure: &'static str,
    pub row: String,
    pub column: String,
    pub sla_ms: Option<u32>,
    /// What the paper states of it, if anything.
    pub paper: Option<Claim>,
    pub ours: f64,
    /// Whether `ours` was made to meet `paper`, so that the verdict is no test.
    pub by_construction: bool,
    /// How `ours` or the verdict is to be understood.
    pub note: String,
}

/// A statement of the paper, and what it takes to meet it.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    pub statement: &'static Statement,
    test: Test,
}

/// When a number of ours meets the paper's.
#[derive(Clone, Copy, Debug)]
pub enum Test {
    About {
        within: f64,
    },
    /// The same once it is rounded as the paper's is.
    Rounded,
    AtLeast,
    AtMost,
    Above,
    Below,
    /// The paper has words, and they hold or not.
    Says(bool),
}

impl Claim {
    /// A claim that needs a number has one: see [`Claim::reproduced`].
    pub fn new(statement: &'static Statement, test: Test) -> Self {
        Self { statement, test }
    }

    /// Whether `ours` is what the paper states.
    pub fn reproduced(self, ours: f64) -> bool {
        let number = || {
            let key = self.statement.key();
            self.statement.number().unwrap_or_else(|| panic!("paper.csv has no number at {key:?}"))
        };
        match self.test {
            // A tolerance that is met exactly is met, whatever the last bit of the difference.
            Test::About { within } => (ours - number()).abs() <= within + 1e-9,
            Test::Rounded => (ours - number()).abs() <= self.statement.half_digit(),
            Test::AtLeast => ours >= number(),
            Test::AtMost => ours <= number(),
            Test::Above => ours > number(),
            Test::Below => ours < number(),
            Test::Says(holds) => holds,
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.statement.value;
        match self.test {
            Test::About { within } if within.fract() == 0.0 => write!(f, "{text} ± {within}"),
            Test::About { within } => write!(f, "{text} ± {within:.2}"),
            Test::AtLeast => write!(f, "≥ {text}"),
            Test::AtMost => write!(f, "≤ {text}"),
            Test::Above => write!(f, "> {text}"),
            Test::Below => write!(f, "< {text}"),
            Test::Rounded | Test::Says(_) => f.write_str(text),
        }
    }
}

impl Row {
    /// A number of which the paper states nothing.
    pub fn new(
        figure: &'static str,
        row: impl ToString,
        column: impl ToString,
        sla_ms: impl Into<Option<u32>>,
        ours: impl Into<f64>,
    ) -> Self {
        Self {
            figure,
            row: row.to_string(),
            column: column.to_string(),
            sla_ms: sla_ms.into(),
            paper: None,
            ours: ours.into(),
            by_construction: false,
            note: String::new(),
        }
    }

    /// The same beside what the paper states.
    pub fn against(self, paper: Claim) -> Self {
        Self { paper: Some(paper), ..self }
    }

    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// The same beside a number that our parameters were chosen to meet.
    pub fn fitted_to(self, paper: Claim) -> Self {
        Self { by_construction: true, ..self.against(paper).note("fitted") }
    }

    /// The verdict; `None` where the paper states nothing.
    pub fn reproduced(&self) -> Option<bool> {
        self.paper.map(|paper| paper.reproduced(self.ours))
    }
}

/// The rows of one figure or table.
pub struct Section {
    pub title: String,
    /// Points of the curves, to be shown as a grid.
    pub points: Vec<Row>,
    /// What runs across that grid.
    pub across: Across,
    /// Numbers to be shown one by one, with their verdict.
    pub rows: Vec<Row>,
    pub notes: Vec<String>,
}

/// A column of the grid for each of these; a line for the rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Across {
    Sla,
    Column,
    /// The number behind "request" in the column.
    Request,
}
