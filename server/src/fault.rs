//! Faults that the simulation plants to show that it would find them, and points
//! at which tests kill or stop the process. All exist only with the feature
//! `simulation`; the binary that ships has none.

/// A fault that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The checkpoint is written apart from the rows.
    CheckpointApart,
    /// Recovery does not wait for the chain's cursor to be settled.
    ChainCursorUnchecked,
    /// Forming does not check that the lane is at the base.
    FormedUnchecked,
    /// A command that has a number gets another.
    NumberReused,
    /// A reservation is released twice.
    ReleasedTwice,
    /// The projector skips an event.
    EventSkipped,
    /// Partitions are dealt anew that do not stand at one block.
    DealtApart,
}

#[cfg(feature = "simulation")]
mod planted {
    use std::cell::Cell;

    use super::Fault;

    thread_local! {
        static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
    }

    /// Plants a fault for this thread, or none.
    pub fn plant(fault: Option<Fault>) {
        PLANTED.set(fault);
    }

    /// Whether the fault is planted.
    pub(crate) fn planted(fault: Fault) -> bool {
        PLANTED.get() == Some(fault)
    }
}

#[cfg(feature = "simulation")]
pub use planted::plant;
#[cfg(feature = "simulation")]
pub(crate) use planted::planted;

/// Whether the fault is planted.
#[cfg(not(feature = "simulation"))]
pub(crate) const fn planted(_fault: Fault) -> bool {
    false
}

/// A point at which the kill tests end the process: at the one that `KILL_POINT` names,
/// the process says that it is there and stands still until it is killed.
#[cfg(feature = "simulation")]
pub(crate) fn kill_point(name: &str) {
    if is_chosen("KILL_POINT", name) {
        eprintln!("kill point {name}");
        loop {
            std::thread::park();
        }
    }
}

/// A point at which the kill tests end the process.
#[cfg(not(feature = "simulation"))]
pub(crate) const fn kill_point(_name: &str) {}

/// A point at which the tests stop the process. Who comes first to the one that
/// `STOP_POINT` names says so and waits until the process was stopped and goes on. It
/// does not stop itself: it would run on for as long as the signal takes to arrive.
#[cfg(feature = "simulation")]
pub(crate) async fn stop_point(name: &str) {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::signal::unix::{SignalKind, signal};

    /// SIGCONT, as Linux numbers it.
    const CONTINUED: SignalKind = SignalKind::from_raw(18);
    static REACHED: AtomicBool = AtomicBool::new(false);

    if !is_chosen("STOP_POINT", name) || REACHED.swap(true, Ordering::Relaxed) {
        return;
    }
    match signal(CONTINUED) {
        Ok(mut continued) => {
            eprintln!("stop point {name}");
            continued.recv().await;
        }
        Err(error) => eprintln!("no stop point {name}: {error}"),
    }
}

/// A point at which the tests stop the process.
#[cfg(not(feature = "simulation"))]
pub(crate) fn stop_point(_name: &str) -> std::future::Ready<()> {
    std::future::ready(())
}

#[cfg(feature = "simulation")]
fn is_chosen(switch: &str, name: &str) -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of the tests, not a setting"
    )]
    let chosen = std::env::var(switch);
    chosen.is_ok_and(|chosen| chosen == name)
}
