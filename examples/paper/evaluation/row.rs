//! A number of ours beside what the paper reports.

/// One line of the report.
#[derive(Clone, Debug)]
pub struct Row {
    pub figure: &'static str,
    pub row: String,
    pub column: String,
    pub sla_ms: Option<u32>,
    pub paper: Claim,
    pub ours: f64,
    /// Whether `ours` was made to meet `paper`, so that the verdict is no test.
    pub by_construction: bool,
    /// How `ours` or the verdict is to be understood.
    pub note: &'static str,
}

/// What the paper reports of a number.
#[derive(Clone, Copy, Debug)]
pub enum Claim {
    /// Nothing that could be compared.
    None,
    /// A number, met to within a tolerance.
    About { value: f64, within: f64 },
    /// Between two whole numbers, after rounding.
    Between(f64, f64),
    /// At least so much.
    AtLeast(f64),
    /// Less.
    Below(f64),
    /// More.
    Above(f64),
    /// Something without a number, and whether it holds here.
    Says(&'static str, bool),
}

impl Claim {
    /// The paper's number; of a range, the middle.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::About { value, .. } | Self::AtLeast(value) | Self::Below(value) | Self::Above(value) => {
                Some(value)
            }
            Self::Between(low, high) => Some((low + high) / 2.0),
            Self::None | Self::Says(..) => None,
        }
    }

    /// Whether `ours` is what the paper reports; `None` if it reports nothing.
    pub fn reproduced(self, ours: f64) -> Option<bool> {
        match self {
            Self::None => None,
            Self::About { value, within } => Some((ours - value).abs() <= within),
            Self::Between(low, high) => Some((low..=high).contains(&ours.round())),
            Self::AtLeast(value) => Some(ours >= value),
            Self::Below(value) => Some(ours < value),
            Self::Above(value) => Some(ours > value),
            Self::Says(_, holds) => Some(holds),
        }
    }
}

impl std::fmt::Display for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("–"),
            Self::About { value, within } => write!(f, "{value} ± {within}"),
            Self::Between(low, high) => write!(f, "{low}–{high}"),
            Self::AtLeast(value) => write!(f, "≥ {value}"),
            Self::Below(value) => write!(f, "< {value}"),
            Self::Above(value) => write!(f, "> {value}"),
            Self::Says(text, _) => f.write_str(text),
        }
    }
}

impl Row {
    /// A number that the paper does not report.
    pub fn new(
        figure: &'static str,
        row: impl ToString,
        column: impl ToString,
        sla_ms: impl Into<Option<u32>>,
        ours: f64,
    ) -> Self {
        let (row, column) = (row.to_string(), column.to_string());
        Self {
            figure,
            row,
            column,
            sla_ms: sla_ms.into(),
            paper: Claim::None,
            ours,
            by_construction: false,
            note: "",
        }
    }

    /// The same beside what the paper reports.
    pub fn against(self, paper: Claim) -> Self {
        Self { paper, ..self }
    }

    pub fn note(self, note: &'static str) -> Self {
        Self { note, ..self }
    }

    /// The same beside a number that our parameters were chosen to meet.
    pub fn anchored_on(self, paper: Claim) -> Self {
        Self { paper, by_construction: true, note: "by construction", ..self }
    }

    pub fn reproduced(&self) -> Option<bool> {
        self.paper.reproduced(self.ours)
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
}
