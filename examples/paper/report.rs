//! The rows as text for people and as JSON for programs.

use comfy_table::Table;
use serde_json::json;

use crate::evaluation::Settings;
use crate::evaluation::row::{Across, Row, Section};
use crate::table::table;

/// All sections as aligned tables, and a summary.
pub fn text(settings: &Settings, sections: &[Section]) -> String {
    let preface = format!(
        "The evaluation of MDInference (Ogden and Guo, IC2E 2020), recomputed. Each point of Figures 3 to 6 replays {} \
         requests (seed {}); Table IV, Figures 7 and 8 and the losses of Figure 6 are integrals. The tolerance of a \
         verdict stands beside the paper's number, a range of whole numbers is met after rounding, and a dash stands \
         for a number that the paper does not report.",
        settings.requests, settings.seed
    );
    let mut text = format!("{}\n\n", wrapped(&preface));
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
        text += &format!("{}\n\n", wrapped(note));
    }
    text
}

/// Points of curves: what runs across makes the columns, the rest the lines.
fn grid(points: &[Row], across: Across) -> Table {
    let heading = |point: &Row| match across {
        Across::Sla => point.sla_ms.map(|sla| sla.to_string()).unwrap_or_default(),
        Across::Column => point.column.clone(),
    };
    let label = |point: &Row| match across {
        Across::Sla => (point.row.clone(), point.column.clone()),
        Across::Column => (point.row.clone(), String::new()),
    };
    let mut headings: Vec<String> = Vec::new();
    let mut lines: Vec<((String, String), Vec<String>)> = Vec::new();
    for point in points {
        let (heading, label) = (heading(point), label(point));
        if !headings.contains(&heading) {
            headings.push(heading);
        }
        let value = format!("{:.1}", point.ours);
        match lines.iter_mut().find(|line| line.0 == label) {
            Some((_, values)) => values.push(value),
            None => lines.push((label, vec![value])),
        }
    }
    let labels = match across {
        Across::Sla => vec![String::new(), "SLA (ms)".to_owned()],
        Across::Column => vec![String::new()],
    };
    let numbers = labels.len()..labels.len() + headings.len();
    let rows = lines
        .into_iter()
        .map(|((row, column), values)| [row, column].into_iter().take(numbers.start).chain(values).collect());
    table(&[labels, headings].concat(), numbers.clone(), rows)
}

/// Rows one by one, with their verdicts.
fn list(rows: &[Row]) -> Table {
    let noted = rows.iter().any(|row| !row.note.is_empty());
    let header = ["", "", "SLA (ms)", "paper", "ours", "reproduced", "note"];
    let columns = if noted { header.len() } else { header.len() - 1 };
    let lines = rows.iter().map(|row| {
        let cells = [
            row.row.clone(),
            row.column.clone(),
            row.sla_ms.map(|sla| sla.to_string()).unwrap_or_default(),
            row.paper.to_string(),
            format!("{:.2}", row.ours),
            verdict(row.reproduced()).to_owned(),
            row.note.to_owned(),
        ];
        cells.into_iter().take(columns).collect()
    });
    table(&header[..columns], 2..5, lines)
}

fn summary(sections: &[Section]) -> String {
    let rows = || sections.iter().flat_map(|section| &section.rows);
    let count = |verdict| rows().filter(|row| row.reproduced() == Some(verdict)).count();
    let (reproduced, missed) = (count(true), count(false));
    let constructed = rows().filter(|row| row.by_construction).count();
    let mut text = format!(
        "The paper reports {} of these numbers: {reproduced} reproduce, {constructed} of them by construction; {missed} \
         do not:\n",
        reproduced + missed
    );
    for row in rows().filter(|row| row.reproduced() == Some(false)) {
        let Row { figure, row, column, paper, ours, .. } = row;
        text += &format!("  {figure}, {row}, {column}: paper {paper}, ours {ours:.2}\n");
    }
    text
}

fn object(row: &Row) -> String {
    // Field by field, to keep their order.
    let mut fields = vec![
        ("figure", json!(row.figure)),
        ("row", json!(row.row)),
        ("column", json!(row.column)),
        ("paper", json!(row.paper.number())),
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

/// In lines of at most 110 characters.
fn wrapped(note: &str) -> String {
    let mut lines = vec![String::new()];
    for word in note.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if line.chars().count() + 1 + word.chars().count() > 110 {
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
