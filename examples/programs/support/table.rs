//! Tables as all of the project's programs print them: ruled above and below, numbers to the right.

use std::ops::Range;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};

/// A table; the columns `numbers` are set to the right.
pub fn table(
    header: &[impl ToString],
    numbers: Range<usize>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Table {
    let mut table = Table::new();
    let style = presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());
    table
        .load_style(style)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.iter().map(ToString::to_string));
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().take(numbers.end).skip(numbers.start) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
