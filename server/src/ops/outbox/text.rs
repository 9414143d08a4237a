//! Rows and operations, for people.

use std::fmt;

use super::{List, Operation, Row, Shown, Table};
use crate::ops::report::Report;

impl Report for List {}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.is_empty() {
            return f.write_str("no command waits");
        }
        let mut table = Table::new(&[
            "lane",
            "position",
            "number",
            "state",
            "command",
            "age",
            "attempts",
            "error",
            "operation",
        ]);
        for row in &self.rows {
            table.row([
                row.lane.clone(),
                row.position.to_string(),
                optional(row.number.as_ref()),
                row.state(),
                row.command.kind.to_owned(),
                row.age.clone(),
                row.attempts.to_string(),
                optional(row.error_class.as_ref()),
                row.operation.clone(),
            ]);
        }
        write!(f, "{table}\n{} of {} rows", self.rows.len(), self.total)
    }
}

impl Row {
    fn state(&self) -> String {
        let abandoned = if self.abandoned { ", abandoned" } else { "" };
        format!("{}{abandoned}", self.state)
    }
}

impl Report for Shown {}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["", ""]);
        match &self.row {
            Some(row) => row.tell(&mut table),
            None => table.row(["row", "none: the command is settled"].map(str::to_owned)),
        }
        if let Some(operation) = &self.operation {
            operation.tell(&mut table);
        }
        f.write_str(table.to_string().trim_start_matches('\n'))
    }
}

impl Row {
    fn tell(&self, table: &mut Table) {
        for (name, value) in [
            ("lane", self.lane.clone()),
            ("position", self.position.to_string()),
            ("number", optional(self.number.as_ref())),
            ("row", self.state()),
            (
                "waits since",
                format!("{} ({})", self.create_time, self.age),
            ),
            ("attempts", self.attempts.to_string()),
            ("error", optional(self.error_class.as_ref())),
            ("holds", self.held_qirat.to_string()),
            ("of account", optional(self.held_account.as_ref())),
            ("trace", optional(self.traceparent.as_ref())),
            ("command", self.command.kind.to_owned()),
        ] {
            table.row([name.to_owned(), value]);
        }
        for (name, value) in &self.command.fields {
            table.row([format!("  {name}"), value.clone()]);
        }
    }
}

impl Operation {
    fn tell(&self, table: &mut Table) {
        for (name, value) in [
            ("operation", self.operation.clone()),
            ("  kind", self.kind.to_owned()),
            ("  state", self.state.to_owned()),
            ("  reason", optional(self.reason.as_ref())),
            ("  metadata", optional(self.reason_metadata.as_ref())),
            ("  owner", optional(self.owner.as_ref())),
            ("  request_id", optional(self.request_id.as_ref())),
            ("  lane", self.lane.clone()),
            ("  number", optional(self.number.as_ref())),
            ("  transaction", optional(self.fabric_tx_id.as_ref())),
            ("  block", optional(self.block.as_ref())),
            ("  accepted", self.create_time.clone()),
            ("  sent", optional(self.submit_time.as_ref())),
            ("  settled", optional(self.settle_time.as_ref())),
        ] {
            table.row([name.to_owned(), value]);
        }
    }
}

fn optional(value: Option<&impl fmt::Display>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}
