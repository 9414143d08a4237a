//! Steps, told while they are done.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde::Serialize;

use super::Format;

/// The longest that one step may take.
const STEP: Duration = Duration::from_secs(90);

/// One step that was done.
#[derive(Debug, Serialize)]
pub struct Step {
    /// Its number, from 1.
    pub number: usize,
    /// What was done.
    pub step: &'static str,
    /// What came of it.
    pub told: Vec<String>,
    /// How long it took.
    pub took_ms: u128,
}

/// The steps so far.
#[derive(Debug)]
pub(super) struct Steps {
    format: Format,
    pub(super) done: Vec<Step>,
}

impl Steps {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            done: Vec::new(),
        }
    }

    /// Does a step and tells what came of it, within a bounded time.
    pub(super) async fn take<T>(
        &mut self,
        step: &'static str,
        work: impl Future<Output = anyhow::Result<T>>,
        tell: impl FnOnce(&T) -> Vec<String>,
    ) -> anyhow::Result<T> {
        let begun = Instant::now();
        let number = self.done.len() + 1;
        let done = tokio::time::timeout(STEP, work)
            .await
            .unwrap_or_else(|_| Err(anyhow::anyhow!("it takes too long")))
            .with_context(|| format!("step {number}, {step}"))?;
        let took_ms = begun.elapsed().as_millis();
        let told = tell(&done);
        let step = Step {
            number,
            step,
            told,
            took_ms,
        };
        if self.format == Format::Text {
            // Whoever closed the pipe wants the exit code alone.
            let _ = writeln!(std::io::stdout().lock(), "{}", step.text());
        }
        self.done.push(step);
        Ok(done)
    }
}

impl Step {
    fn text(&self) -> String {
        let Self {
            number,
            step,
            told,
            took_ms,
        } = self;
        let head = format!("{number:>3}  {took_ms:>6} ms  {step:<25}");
        let indent = " ".repeat(head.len());
        head + &told.join(&format!("\n{indent}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn steps_are_numbered_and_lined_up() {
        let mut steps = Steps::new(Format::Json);
        let work = async { Ok(7) };
        let tell = |seven: &i32| vec![format!("{seven}"), "more".to_owned()];
        assert_eq!(steps.take("count", work, tell).await.unwrap(), 7);
        let failing = async { anyhow::bail!("it is broken") };
        let error = steps.take("fail", failing, |(): &()| vec![]).await;
        let error = format!("{:#}", error.unwrap_err());
        assert_eq!(error, "step 2, fail: it is broken");
        assert_eq!(steps.done.len(), 1);
        let text = steps.done[0].text();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("  1  ") && lines[0].ends_with("7"));
        assert_eq!(lines[0].find('7'), lines[1].find("more"));
    }
}
