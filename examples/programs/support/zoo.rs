//! Model zoos from CSV: `model,accuracy,mean_ms,std_ms`, with `zoo` and `cost` optional; `#` starts a comment.

use std::fmt::{self, Write};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use mdinference::{Accuracy, Cost, Latency, Micros, NumberError, Profile};

#[path = "recent.rs"]
mod recent;

use recent::Recent;

/// The zoos that come with the project.
pub const SHIPPED: &str = include_str!("../../zoos/zoos.csv");

/// Named models, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Zoo {
    pub names: Vec<String>,
    pub profiles: Vec<Profile>,
}

impl Zoo {
    /// The zoo `name` of those that come with the project.
    #[allow(dead_code, reason = "not every example needs it")]
    pub fn shipped(name: &str) -> Result<Self, BadInput> {
        Self::read("zoos.csv", SHIPPED.as_bytes(), Some(name))
    }

    /// The zoo that FILE or FILE:NAME says; a name goes after the last colon. A bare file name is also looked for among
    /// the zoos that come with the project.
    #[allow(dead_code, reason = "not every example needs it")]
    pub fn open(argument: &str) -> Result<Self, BadInput> {
        let (file, name) = match argument.rsplit_once(':') {
            Some((file, name)) if !Path::new(argument).exists() => (file, Some(name)),
            _ => (argument, None),
        };
        let mut path = PathBuf::from(file);
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../zoos").join(&path);
        if !path.exists() && path.components().count() == 1 && shipped.exists() {
            path = shipped;
        }
        Self::read(file, open(file, &path)?, name)
    }

    /// The models of the zoo `name` in a CSV, or all if the CSV has no `zoo` column and no name is given.
    pub fn read(file: &str, csv: impl Read, name: Option<&str>) -> Result<Self, BadInput> {
        let mut table = Table::read(file, csv)?;
        let zoo_column = table.optional("zoo");
        let model = table.required("model")?;
        let accuracy = table.required("accuracy")?;
        let mean = table.required("mean_ms")?;
        let deviation = table.required("std_ms")?;
        let cost = table.optional("cost");
        if name.is_some() && zoo_column.is_none() {
            return Err(table.bad("there is no column 'zoo' to pick one by"));
        }
        let mut zoo = Self::default();
        let mut seen: Vec<String> = Vec::new();
        while let Some(row) = table.next_row()? {
            if let Some(column) = &zoo_column {
                let of = row.text(column);
                if !seen.iter().any(|known| known == of) {
                    seen.push(of.to_owned());
                }
                if name.is_some_and(|name| name != of) {
                    continue;
                }
            }
            let label = row.text(&model);
            if label.is_empty() {
                return Err(row.bad(&model, "is missing"));
            }
            if zoo.names.iter().any(|other| other == label) && (name.is_some() || seen.len() < 2) {
                return Err(row.bad(&model, format!("'{label}' stands here a second time")));
            }
            let accuracy = row.number(&accuracy, Accuracy::from_percent, "100 %")?;
            let mean = row.number(&mean, Micros::try_from_millis, &Micros::MAX.to_string())?;
            let deviation = row.number(&deviation, Micros::try_from_millis, &Micros::MAX.to_string())?;
            let mut profile = Profile::new(accuracy, Latency { mean, deviation });
            if let Some(cost) = &cost {
                let text = row.text(cost);
                profile = profile.with_cost(Cost(text.parse().map_err(|_| {
                    row.bad(cost, format!("'{text}' is not a whole number from 0 to {}", u32::MAX))
                })?));
            }
            zoo.names.push(label.to_owned());
            zoo.profiles.push(profile);
        }
        if name.is_none() && seen.len() > 1 {
            return Err(table.bad(format!("there are several zoos; pick one as {file}:{}", seen.join("|"))));
        }
        if zoo.names.is_empty() {
            return Err(match name {
                Some(name) => table.bad(format!("there is no zoo '{name}'; there are: {}", seen.join(", "))),
                None => table.bad("there are no models"),
            });
        }
        Ok(zoo)
    }
}

/// Opens a file that the user calls `name`.
#[allow(dead_code, reason = "not every example needs it")]
pub fn open(name: &str, path: &Path) -> Result<File, BadInput> {
    File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => BadInput(format!("{name}: there is no such file")),
        _ => BadInput(format!("{name}: {error}")),
    })
}

/// What the user knows a file by.
#[allow(dead_code, reason = "not every example needs it")]
pub fn shown(file: &str) -> &str {
    if file == "-" { "standard input" } else { file }
}

/// A CSV with a header, read row by row.
pub struct Table<R> {
    file: String,
    columns: Vec<String>,
    reader: csv::Reader<Recent<R>>,
}

/// A column that the table has.
pub struct Column {
    index: usize,
    name: &'static str,
}

/// One row, knowing where it stands.
pub struct Row<'a> {
    file: &'a str,
    line: u64,
    record: csv::StringRecord,
}

impl Table<Box<dyn Read>> {
    /// Of a file; `-` is standard input.
    #[allow(dead_code, reason = "not every example needs it")]
    pub fn open(file: &str) -> Result<Self, BadInput> {
        let source: Box<dyn Read> = match file {
            "-" => Box::new(io::stdin()),
            file => Box::new(open(file, Path::new(file))?),
        };
        Self::read(shown(file), source)
    }
}

impl<R: Read> Table<R> {
    pub fn read(file: &str, csv: R) -> Result<Self, BadInput> {
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(Recent::new(csv));
        let columns: Vec<String> = match reader.headers() {
            Ok(columns) => columns.iter().map(str::to_owned).collect(),
            Err(error) => return Err(BadInput::of_csv(file, &error, reader.get_ref())),
        };
        if columns.is_empty() {
            return Err(BadInput(format!("{file}: is empty")));
        }
        Ok(Self { file: file.to_owned(), columns, reader })
    }

    pub fn optional(&self, name: &'static str) -> Option<Column> {
        let index = self.columns.iter().position(|column| column == name)?;
        Some(Column { index, name })
    }

    pub fn required(&self, name: &'static str) -> Result<Column, BadInput> {
        self.optional(name).ok_or_else(|| {
            self.bad(format!("there is no column '{name}'; there are: {}", self.columns.join(", ")))
        })
    }

    /// Refuses columns that nobody reads, and any that comes twice.
    #[allow(dead_code, reason = "not every example needs it")]
    pub fn only(&self, known: &[&str]) -> Result<(), BadInput> {
        let mut seen = Vec::new();
        for column in &self.columns {
            if !known.contains(&column.as_str()) {
                let known = known.join(", ");
                return Err(
                    self.bad(format!("the column '{column}' is none of those that there may be: {known}"))
                );
            }
            if seen.contains(&column) {
                return Err(self.bad(format!("there are two columns '{column}'")));
            }
            seen.push(column);
        }
        Ok(())
    }

    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, BadInput> {
        let until = self.reader.position().clone();
        self.reader.get_mut().forget(&until);
        let mut record = csv::StringRecord::new();
        loop {
            match self.reader.read_record(&mut record) {
                Err(error) => return Err(BadInput::of_csv(&self.file, &error, self.reader.get_ref())),
                Ok(false) => return Ok(None),
                // Nothing but white space.
                Ok(true) if record.len() == 1 && record.iter().all(str::is_empty) => {}
                Ok(true) => break,
            }
        }
        let line = record.position().map_or(0, |from| self.reader.get_ref().line(from));
        let (columns, fields) = (self.columns.len(), record.len());
        if fields > columns {
            return Err(self.bad(format!("row {line}: {fields} fields where the header has {columns}")));
        }
        Ok(Some(Row { file: &self.file, line, record }))
    }

    pub fn bad(&self, what: impl fmt::Display) -> BadInput {
        BadInput(format!("{}: {what}", self.file))
    }
}

impl Row<'_> {
    pub fn text(&self, column: &Column) -> &str {
        self.record.get(column.index).unwrap_or_default()
    }

    /// Whether it goes as far as a column.
    #[allow(dead_code, reason = "not every example needs it")]
    pub fn has(&self, column: &Column) -> bool {
        column.index < self.record.len()
    }

    /// Where it stands in the file.
    #[allow(dead_code, reason = "not every example needs it")]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The number in a column, made into what it stands for by a checked constructor whose scale ends at `top`.
    pub fn number<T>(
        &self,
        column: &Column,
        checked: impl Fn(f64) -> Result<T, NumberError>,
        top: &str,
    ) -> Result<T, BadInput> {
        let text = self.text(column);
        if text.is_empty() {
            return Err(self.bad(column, "is missing"));
        }
        let number: f64 = text.parse().map_err(|_| self.bad(column, format!("'{text}' is not a number")))?;
        checked(number).map_err(|error| {
            let detail = match error {
                NumberError::TooLarge => format!("'{text}' is above {top}"),
                error => format!("'{text}' {error}"),
            };
            self.bad(column, detail)
        })
    }

    pub fn bad(&self, column: &Column, what: impl fmt::Display) -> BadInput {
        BadInput(format!("{}: row {}, column '{}': {what}", self.file, self.line, column.name))
    }
}

/// One line that says what is wrong with the user's input, and where.
#[derive(Debug)]
pub struct BadInput(pub String);

impl BadInput {
    fn of_csv<R>(file: &str, error: &csv::Error, read: &Recent<R>) -> Self {
        let what = match error.kind() {
            csv::ErrorKind::Io(error) => error.to_string(),
            csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
            _ => error.to_string(),
        };
        match error.position() {
            Some(position) => Self(format!("{file}: row {}: {what}", read.line(position))),
            None => Self(format!("{file}: {what}")),
        }
    }
}

/// What it cites of the input may have line breaks and the like, which are escaped.
impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            _ if letter.is_control() => letter.escape_default().try_for_each(|part| f.write_char(part)),
            _ => f.write_char(letter),
        })
    }
}

impl std::error::Error for BadInput {}
