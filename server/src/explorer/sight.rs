//! What a caller sees of commands, and what a caller asks to see of them.

use gx_proto::gx::{identity::v1::Role, ledger::v1::Command, operation::v1::OperationType};
use uuid::Uuid;

use crate::auth::Caller;

/// A command of a block, whole, and whose business it is.
#[derive(Debug)]
pub(super) struct Known {
    /// The command as whoever sent it sees it.
    pub(super) command: Command,
    /// Who sent it.
    pub(super) sender: Option<Uuid>,
    /// The account that it is about, beside those of its postings; empty if none.
    pub(super) about: String,
    /// Whose accounts it is about.
    pub(super) owners: Vec<Uuid>,
}

/// What a caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sight {
    user: Uuid,
    everything: bool,
    own_accounts: bool,
}

/// What a caller asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Commands about this account alone.
    pub(super) account: Option<String>,
    /// Commands of these kinds alone; empty takes all.
    pub(super) types: Vec<OperationType>,
}

impl Known {
    /// Everybody whose business it is; some may be named twice.
    pub(super) fn users(&self) -> impl Iterator<Item = Uuid> {
        self.sender.into_iter().chain(self.owners.iter().copied())
    }
}

impl Sight {
    /// The user whose business alone is seen; `None` sees everybody's.
    pub(super) fn of_one(self) -> Option<Uuid> {
        (!self.everything).then_some(self.user)
    }

    pub(super) fn of(caller: &Caller) -> Self {
        Self {
            user: caller.user.0,
            everything: caller.reads_everything(),
            own_accounts: caller.has_any(&[Role::User]),
        }
    }

    /// The command as the caller sees it; `None` if the caller may not.
    pub(super) fn of_command(self, known: &Known) -> Option<Command> {
        let named = self.everything || known.sender == Some(self.user);
        let own = self.own_accounts && known.owners.contains(&self.user);
        (named || own).then(|| {
            let mut command = known.command.clone();
            if !named {
                command.operation.clear();
            }
            command
        })
    }
}

impl Filter {
    /// Whether anything is left out.
    pub(super) fn is_set(&self) -> bool {
        *self != Self::default()
    }

    pub(super) fn takes(&self, known: &Known) -> bool {
        let command = &known.command;
        let about = |account: &String| {
            known.about == *account || command.postings.iter().any(|one| one.account == *account)
        };
        self.account.as_ref().is_none_or(about)
            && (self.types.is_empty() || self.types.contains(&command.r#type()))
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::ledger::v1::Posting;

    use super::*;
    use crate::fixture;

    const SENDER: u128 = 1;
    const RECEIVER: u128 = 2;

    fn transfer() -> Known {
        let postings = ["A", "B"].map(|account| Posting {
            account: account.to_owned(),
            ..Posting::default()
        });
        Known {
            command: Command {
                operation: "operations/1".to_owned(),
                r#type: OperationType::Transfer.into(),
                postings: postings.into(),
                ..Command::default()
            },
            sender: Some(Uuid::from_u128(SENDER)),
            about: "C".to_owned(),
            owners: vec![Uuid::from_u128(SENDER), Uuid::from_u128(RECEIVER)],
        }
    }

    fn seen(caller: &Caller) -> Option<String> {
        let command = Sight::of(caller).of_command(&transfer());
        command.map(|command| command.operation)
    }

    #[test]
    fn both_sides_and_overseers_see_a_command_and_nobody_else() {
        let partner = |number| Caller {
            roles: vec![Role::Partner],
            ..fixture::user(number)
        };
        let named = Some("operations/1".to_owned());
        assert_eq!(seen(&fixture::user(SENDER)), named);
        assert_eq!(seen(&fixture::user(RECEIVER)), Some(String::new()));
        assert_eq!(seen(&fixture::user(3)), None);
        assert_eq!(seen(&fixture::auditor()), named);
        assert_eq!(seen(&partner(SENDER)), named, "a partner's own");
        assert_eq!(seen(&partner(RECEIVER)), None, "accounts are users'");
    }

    #[test]
    fn filter_takes_what_fits_all_of_it() {
        let takes = |account: &str, types: &[OperationType]| {
            let filter = Filter {
                account: Some(account.to_owned()).filter(|account| !account.is_empty()),
                types: types.to_vec(),
            };
            filter.takes(&transfer())
        };
        let (transfer, fold) = (OperationType::Transfer, OperationType::Fold);
        assert!(takes("", &[]) && takes("A", &[]) && takes("C", &[fold, transfer]));
        assert!(!takes("D", &[]) && !takes("A", &[fold]) && !takes("D", &[transfer]));
    }
}
