//! Columns of text, and amounts and ages as people read them.

use std::fmt;

use serde::{Serialize, Serializer};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Rows under a heading, every column as wide as its widest cell.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(super) fn new(heading: &[&str]) -> Self {
        let heading = heading.iter().map(|cell| (*cell).to_owned());
        Self {
            rows: vec![heading.collect()],
        }
    }

    /// Adds a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<_> = (0..self.rows.first().map_or(0, Vec::len))
            .map(|column| self.width(column))
            .collect();
        for (index, row) in self.rows.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let cells = row.iter().zip(&widths);
            let cells: Vec<_> = cells
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            f.write_str(cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// An amount: for people in GX, for programs in Qirat as a decimal string, since
/// it may be beyond what a number of JSON holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Qirat(pub i128);

impl fmt::Display for Qirat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(qirat) = self;
        let sign = if *qirat < 0 { "-" } else { "" };
        let (whole, rest) = (qirat.abs() / 1_000_000, qirat.abs() % 1_000_000);
        f.pad(&format!("{sign}{}.{rest:06} GX", grouped(whole)))
    }
}

impl Serialize for Qirat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

fn grouped(number: i128) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// How long ago something was.
pub(super) fn age(now_ms: i64, then_ms: i64) -> String {
    let seconds = now_ms.saturating_sub(then_ms).max(0) / 1_000;
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A time as RFC 3339 writes it.
pub(super) fn moment(ms: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000);
    let text = time.ok().and_then(|time| time.format(&Rfc3339).ok());
    text.unwrap_or_else(|| format!("{ms} ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["lane", "settled", "held"]);
        table.row(["partner/15", "7", ""].map(str::to_owned));
        table.row(["sys/0", "12345678", "why"].map(str::to_owned));
        let lines = [
            "lane        settled   held",
            "partner/15  7",
            "sys/0       12345678  why",
        ];
        assert_eq!(table.to_string(), lines.join("\n"));
    }

    #[test]
    fn amounts_are_whole_to_the_last_qirat() {
        for (qirat, shown) in [
            (0, "0.000000 GX"),
            (1_250_000_000_000_000_000, "1,250,000,000,000.000000 GX"),
            (-1_000_001, "-1.000001 GX"),
            (123_456_789, "123.456789 GX"),
        ] {
            assert_eq!(Qirat(qirat).to_string(), shown);
        }
        let json = serde_json::to_string(&Qirat(-5)).unwrap();
        assert_eq!(json, "\"-5\"");
    }

    #[test]
    fn ages_are_rounded_down() {
        let shown = [999, 119_999, 120_000, 7_200_000, 172_800_000].map(|ms| age(ms, 0));
        assert_eq!(moment(1_500), "1970-01-01T00:00:01.5Z");
        assert_eq!(shown, ["0 s", "119 s", "2 min", "2 h", "2 days"]);
    }
}
