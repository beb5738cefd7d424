//! The rows as text for people and as JSON for programs.

use comfy_table::Table;
use serde_json::json;

use crate::evaluation::Settings;
use crate::evaluation::row::{Across, Row, Section};
use crate::evaluation::statement::Statement;
use crate::table::table;

/// Characters in a line of text.
const NOTE_WIDTH: usize = 110;

/// Characters in a line of a cell.
const LABEL_WIDTH: usize = 44;
const STATEMENT_WIDTH: usize = 24;

/// All sections as aligned tables, and a summary.
pub fn text(settings: &Settings, sections: &[Section]) -> String {
    let preface = format!(
        "The evaluation of MDInference (Ogden and Guo, IC2E 2020), recomputed. Each point of Figures 3 and 6 replays {} \
         requests (seed {}), as many as the paper; all else is integrals, but for the 20 requests of Figure 8. Every \
         number and statement of the paper that a simulation can check has a verdict. Its tolerance stands beside the \
         paper's number; without one, ours is to be the same as rounded. A dash stands for what the paper does not state.",
        settings.requests, settings.seed
    );
    let mut text = format!("{}\n\n", wrapped(&preface, NOTE_WIDTH));
    text.extend(sections.iter().map(section));
    text + &summary(sections)
}

/// One object a line.
pub fn json(sections: &[Section]) -> String {
    sections.iter().flat_map(|section| section.points.iter().chain(&section.rows)).map(object).collect()
}

fn section(section: &Section) -> String {
    let mut text = format!("{}\n\n", section.title);
    if !section.points.is_empty() {
        text += &format!("{}\n\n", grid(&section.points, section.across));
    }
    if !section.rows.is_empty() {
        text += &format!("{}\n\n", list(&section.rows));
    }
    for note in &section.notes {
        text += &format!("{}\n\n", wrapped(note, NOTE_WIDTH));
    }
    text
}

/// Points of curves: what runs across makes the columns, the rest the lines.
fn grid(points: &[Row], across: Across) -> Table {
    let sla = |point: &Row| point.sla_ms.map(|sla| sla.to_string()).unwrap_or_default();
    // What heads the column, names the line, and how many decimals fit.
    let place = |point: &Row| match across {
        Across::Sla => (sla(point), [point.row.clone(), point.column.clone()]),
        Across::Column => (point.column.clone(), [point.row.clone(), sla(point)]),
        Across::Request => {
            let (measure, number) = point.column.split_once(", request ").unwrap_or((&point.column, ""));
            (number.to_owned(), [point.row.clone(), measure.to_owned()])
        }
    };
    let (second, decimals) = match across {
        Across::Sla => ("SLA (ms)", 1),
        Across::Column => ("SLA (ms)", 1),
        Across::Request => ("request", 0),
    };
    let mut headings: Vec<String> = Vec::new();
    let mut lines: Vec<([String; 2], Vec<String>)> = Vec::new();
    for point in points {
        let (heading, label) = place(point);
        if !headings.contains(&heading) {
            headings.push(heading);
        }
        let value = format!("{:.decimals$}", point.ours);
        match lines.iter_mut().find(|line| line.0 == label) {
            Some((_, values)) => values.push(value),
            None => lines.push((label, vec![value])),
        }
    }
    let labels = vec![String::new(), second.to_owned()];
    let numbers = labels.len()..labels.len() + headings.len();
    let rows = lines.into_iter().map(|(label, values)| label.into_iter().chain(values).collect());
    table(&[labels, headings].concat(), numbers, rows)
}

/// Rows one by one, with their verdicts.
fn list(rows: &[Row]) -> Table {
    let noted = rows.iter().any(|row| !row.note.is_empty());
    let header = ["", "", "SLA (ms)", "section", "paper", "ours", "reproduced", "note"];
    let columns = if noted { header.len() } else { header.len() - 1 };
    let lines = rows.iter().map(|row| {
        let cells = [
            row.row.clone(),
            wrapped(&row.column, LABEL_WIDTH),
            row.sla_ms.map(|sla| sla.to_string()).unwrap_or_default(),
            row.paper.map_or(String::new(), |paper| paper.statement.section.clone()),
            row.paper.map_or("–".into(), |paper| wrapped(&paper.to_string(), STATEMENT_WIDTH)),
            format!("{:.2}", row.ours),
            verdict(row.reproduced()).to_owned(),
            wrapped(&row.note, STATEMENT_WIDTH),
        ];
        cells.into_iter().take(columns).collect()
    });
    table(&header[..columns], 2..6, lines)
}

fn summary(sections: &[Section]) -> String {
    let rows = || sections.iter().flat_map(|section| &section.rows);
    let count = |verdict| rows().filter(|row| row.reproduced() == Some(verdict)).count();
    let (reproduced, missed) = (count(true), count(false));
    let constructed = rows().filter(|row| row.by_construction).count();
    let mut text = format!(
        "{} verdicts: {reproduced} reproduce, {constructed} of them by construction; {missed} do not:\n\n",
        reproduced + missed
    );
    let lines = rows().filter(|row| row.reproduced() == Some(false)).map(|row| {
        let Row { figure, row, column, paper, ours, .. } = row;
        let paper = paper.map_or(String::new(), |paper| wrapped(&paper.to_string(), STATEMENT_WIDTH));
        vec![(*figure).to_owned(), row.clone(), wrapped(column, LABEL_WIDTH), paper, format!("{ours:.2}")]
    });
    text += &format!("{}\n", table(&["", "", "", "paper", "ours"], 3..5, lines));
    text
}

fn object(row: &Row) -> String {
    let statement = row.paper.map(|paper| paper.statement);
    let paper = match statement.and_then(Statement::number) {
        Some(number) => json!(number),
        None => json!(statement.map(|statement| &statement.value)),
    };
    // Field by field, to keep their order.
    let mut fields = vec![
        ("figure", json!(row.figure)),
        ("row", json!(row.row)),
        ("column", json!(row.column)),
        ("paper", json!(paper)),
        ("source", json!(statement.map(|statement| &statement.section))),
        ("ours", json!((row.ours * 1e4).round() / 1e4)),
        ("reproduced", json!(row.reproduced())),
    ];
    if let Some(sla_ms) = row.sla_ms {
        fields.insert(3, ("sla_ms", json!(sla_ms)));
    }
    let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}\n", fields.join(","))
}

fn verdict(reproduced: Option<bool>) -> &'static str {
    match reproduced {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "–",
    }
}

/// In lines of at most so many characters.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}
