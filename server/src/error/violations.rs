//! Violations of a request's fields.

use std::borrow::Cow;

use super::{Error, Result};

/// Violations of fields' bounds, gathered so that all are told at once.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Violations(pub(super) Vec<(Cow<'static, str>, Cow<'static, str>)>);

impl Violations {
    /// Adds a violation.
    pub fn add(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
    ) {
        self.0.push((field.into(), description.into()));
    }

    /// Adds the violations of a message that is a part of the request, such as
    /// `transfers[3]`.
    pub fn add_within(&mut self, part: &str, violations: Self) {
        let within = violations.0.into_iter();
        self.0.extend(
            within.map(|(field, description)| (format!("{part}.{field}").into(), description)),
        );
    }

    /// Adds a violation unless `holds`.
    pub fn require(
        &mut self,
        field: &'static str,
        holds: bool,
        description: impl Into<Cow<'static, str>>,
    ) {
        if !holds {
            self.add(field, description);
        }
    }

    /// Takes a parsed value, or adds the parser's complaint.
    pub fn take<T>(
        &mut self,
        field: &'static str,
        parsed: Result<T, impl Into<Cow<'static, str>>>,
    ) -> Option<T> {
        parsed
            .map_err(|description| self.add(field, description))
            .ok()
    }

    /// The value, if nothing was violated.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every violation.
    pub fn finish<T>(self, value: Option<T>) -> Result<T> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Error::Invalid(self)),
        }
    }
}

impl std::fmt::Display for Violations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (field, description)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{field} {description}")?;
        }
        Ok(())
    }
}
