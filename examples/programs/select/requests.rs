//! Requests from CSV: `sla_ms,network_ms`.

use std::io::Read;

use mdinference::Micros;

use crate::zoo::{BadInput, Column, Table};

/// Requests from CSV, one at a time.
pub struct Requests<R> {
    table: Table<R>,
    sla: Column,
    network: Column,
}

impl<R: Read> Requests<R> {
    pub fn read(table: Table<R>) -> Result<Self, BadInput> {
        Ok(Self { sla: table.required("sla_ms")?, network: table.required("network_ms")?, table })
    }

    pub fn next(&mut self) -> Result<Option<(Micros, Micros)>, BadInput> {
        let Some(row) = self.table.next_row()? else { return Ok(None) };
        let millis = |column| row.number(column, Micros::try_from_millis, &Micros::MAX.to_string());
        Ok(Some((millis(&self.sla)?, millis(&self.network)?)))
    }
}
