//! One's own timing log: `model,ms,correct`, a row a run.

use std::collections::HashMap;
use std::io::Read;

use mdinference::Micros;

use crate::zoo::{BadInput, Column, Row, Table};

/// The runs of one model, in the order of the log.
#[derive(Default)]
pub struct Runs {
    pub model: String,
    /// The row of the first that has a time.
    pub first_row: u64,
    /// How long they took.
    pub ms: Vec<f64>,
    /// How many have no time, since they gave no answer.
    pub failed: u64,
    /// How many answers somebody judged.
    pub judged: u64,
    /// How many of those were right.
    pub right: u64,
}

/// The models of a log in the order in which they first come.
pub fn read(mut table: Table<impl Read>) -> Result<Vec<Runs>, BadInput> {
    table.only(&["model", "ms", "correct"])?;
    let (model, ms) = (table.required("model")?, table.required("ms")?);
    let correct = table.optional("correct");
    let mut all: Vec<Runs> = Vec::new();
    let mut places = HashMap::new();
    while let Some(row) = table.next_row()? {
        let name = row.text(&model);
        if name.is_empty() {
            return Err(row.bad(&model, "is missing"));
        }
        let time = time(&row, &ms)?;
        let right = correct.as_ref().map_or(Ok(None), |correct| judgement(&row, correct))?;
        if let (None, Some(true), Some(correct)) = (time, right, &correct) {
            return Err(row.bad(correct, format!("'{}', of a run that has no time", row.text(correct))));
        }
        let place = *places.entry(name.to_owned()).or_insert_with(|| {
            all.push(Runs { model: name.to_owned(), ..Runs::default() });
            all.len() - 1
        });
        all[place].take(time, right, row.line());
    }
    if all.is_empty() { Err(table.bad("there are no runs")) } else { Ok(all) }
}

impl Runs {
    fn take(&mut self, time: Option<f64>, right: Option<bool>, row: u64) {
        match time {
            Some(ms) => {
                if self.ms.is_empty() {
                    self.first_row = row;
                }
                self.ms.push(ms);
            }
            None => self.failed += 1,
        }
        self.judged += u64::from(right.is_some());
        self.right += u64::from(right == Some(true));
    }
}

/// In milliseconds; empty for a run that gave no answer. A row that ends before is cut off.
fn time(row: &Row<'_>, column: &Column) -> Result<Option<f64>, BadInput> {
    if row.has(column) && row.text(column).is_empty() {
        return Ok(None);
    }
    let fits = |ms| Micros::try_from_millis(ms).map(|_| ms);
    row.number(column, fits, &Micros::MAX.to_string()).map(Some)
}

/// Whether an answer was right; empty for one that nobody judged.
fn judgement(row: &Row<'_>, column: &Column) -> Result<Option<bool>, BadInput> {
    match row.text(column) {
        "" => Ok(None),
        text if text == "1" || text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        text if text == "0" || text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        text => Err(row.bad(column, format!("'{text}' is none of 1, 0, true and false"))),
    }
}
