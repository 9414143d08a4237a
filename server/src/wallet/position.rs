//! How far a stream of a wallet's entries is: behind an entry, or behind a whole block.

use std::fmt;

use super::entity::entry::Place;

/// A position; every entry up to it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position(Place);

impl Position {
    /// Behind an entry.
    pub(super) fn behind(place: Place) -> Self {
        Self(place)
    }

    /// Behind every entry of a block and of those before.
    pub(super) fn end_of(block: i64) -> Self {
        Self(Place(block, i32::MAX, i32::MAX, i32::MAX))
    }

    /// Reads a position as it is written.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let block = text.parse().ok().filter(|block| *block >= 0);
        let position = match block {
            Some(block) => Self::end_of(block),
            None => Self(Place::parse(text)?),
        };
        (position.to_string() == text).then_some(position)
    }

    /// The place that entries to come are behind.
    pub(super) fn place(self) -> Place {
        self.0
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::end_of(self.0.0) {
            write!(formatter, "{}", self.0.0)
        } else {
            self.0.fmt(formatter)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_are_written() {
        let entry = Position::behind(Place(12, 0, 3, 1));
        for position in [entry, Position::end_of(0), Position::end_of(i64::MAX)] {
            let text = position.to_string();
            assert!(text.len() <= 60, "{text}");
            assert_eq!(Position::parse(&text), Some(position));
        }
        assert_eq!(Position::end_of(12).to_string(), "12");
        assert!(Position::end_of(11) < entry && entry < Position::end_of(12));
        for text in ["", "-1", "+1", "01", "1 ", "12-0", "9223372036854775808"] {
            assert_eq!(Position::parse(text), None, "{text}");
        }
    }
}
