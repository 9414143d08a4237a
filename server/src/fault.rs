//! Faults that the simulation plants to show that it would find them, and points
//! at which the kill tests end the process. Both exist only with the feature
//! `simulation`; the binary that ships has neither.

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

/// A point at which the tests end or stop the process. At the one that `KILL_POINT`
/// names, the process says that it is there and stands still until it is killed; at the
/// one that `STOP_POINT` names, it says so and stops itself, until it is let go.
#[cfg(feature = "simulation")]
pub(crate) fn kill_point(name: &str) {
    let at = |switch: &str| {
        #[expect(
            clippy::disallowed_methods,
            reason = "a switch of the tests, not a setting"
        )]
        let chosen = std::env::var(switch);
        chosen.is_ok_and(|chosen| chosen == name)
    };
    if at("KILL_POINT") {
        eprintln!("kill point {name}");
        loop {
            std::thread::park();
        }
    }
    if at("STOP_POINT") {
        eprintln!("stop point {name}");
        let own = std::process::id().to_string();
        let stopped = std::process::Command::new("kill")
            .args(["-STOP", &own])
            .status();
        eprintln!("let go: {stopped:?}");
    }
}

/// A point at which the kill tests end the process.
#[cfg(not(feature = "simulation"))]
pub(crate) const fn kill_point(_name: &str) {}
