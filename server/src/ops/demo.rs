//! `gx demo`: two people register, are verified, get their grants, and one pays
//! the other, all through the interface of a running system. Then it proves from
//! the system itself that nothing was lost, doubled or made up.
//!
//! It may be played again and again: its people are new every time.

mod money;
mod steps;

use std::{fmt, path::PathBuf};

use gx_proto::gx::tokenomics::v1::{GetSupplyRequest, GetSupplyResponse};
use serde::Serialize;

use self::{
    money::Payment,
    steps::{Step, Steps},
};
use super::{
    caller::{Api, Person, Staff, call},
    proof::Proof,
    report::{Format, Report},
    table::Qirat,
};
use crate::config::Config;

/// What to play against.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where every service answers, such as http://127.0.0.1:3001; else the ports
    /// are those of ports.json in data_dir.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// A file with the password of `root`, where the initial one was changed.
    #[arg(long, value_name = "FILE")]
    staff_password_file: Option<PathBuf>,
}

/// What was played, and the proof.
#[derive(Debug, Serialize)]
pub struct Demo {
    /// What was done, in order; as text it was told while it was done.
    pub steps: Vec<Step>,
    /// What the system itself says afterwards.
    pub proof: Proof,
}

/// Plays and proves.
///
/// # Errors
/// If the system cannot be reached, or does not do what it must.
pub async fn run(config: Config, options: Options, format: Format) -> anyhow::Result<Demo> {
    let mut steps = Steps::new(format);
    let api = connect(&mut steps, &config, &options).await?;
    let staff = sign_in_staff(&mut steps, &api, &config, &options).await?;
    let mut people = register(&mut steps, &api, &config).await?;
    verify(&mut steps, &api, &staff, &mut people).await?;
    let payment = pay(&mut steps, &api, &people).await?;
    let supply = look(&mut steps, &api, &people, &payment).await?;
    Ok(Demo {
        proof: Proof::read(&config, &supply).await?,
        steps: steps.done,
    })
}

async fn connect(steps: &mut Steps, config: &Config, options: &Options) -> anyhow::Result<Api> {
    let (data_dir, endpoint) = (config.data_dir(), options.endpoint.as_deref());
    let connecting = Api::connect(&data_dir, endpoint);
    let tell = |api: &Api| {
        let mut places = api.places.to_vec();
        places.dedup();
        vec![places.join(" ")]
    };
    steps.take("connect to gx", connecting, tell).await
}

/// Before anybody registers, since it is what most easily cannot be done.
async fn sign_in_staff(
    steps: &mut Steps,
    api: &Api,
    config: &Config,
    options: &Options,
) -> anyhow::Result<Staff> {
    let data_dir = config.data_dir();
    let signing_in = Staff::sign_in(api, &data_dir, options.staff_password_file.as_deref());
    let tell = |_: &Staff| vec!["root, SUPER_ADMIN".to_owned()];
    steps.take("log in as staff", signing_in, tell).await
}

/// Two people of different countries, so that the transfer has a fee.
async fn register(steps: &mut Steps, api: &Api, config: &Config) -> anyhow::Result<Vec<Person>> {
    let data_dir = config.data_dir();
    let mut people = Vec::new();
    for country in ["DE", "KE"] {
        let registering = Person::register(api, &data_dir, country);
        let tell = |one: &Person| vec![format!("{} of {country}", one.contact)];
        let mut person = steps.take("register a person", registering, tell).await?;
        let tell = |status: &&str| vec![(*status).to_owned()];
        steps.take("log in", person.sign_in(api), tell).await?;
        people.push(person);
    }
    Ok(people)
}

async fn verify(
    steps: &mut Steps,
    api: &Api,
    staff: &Staff,
    people: &mut [Person],
) -> anyhow::Result<()> {
    for person in &mut *people {
        let tell = |upload: &String| vec![format!("{upload}, a PNG")];
        let uploading = person.upload(api);
        let upload = steps.take("upload a document", uploading, tell).await?;
        let tell = |name: &String| vec![name.clone()];
        let submitting = person.submit(api, upload);
        steps
            .take("submit the verification", submitting, tell)
            .await?;
    }
    let mut operations = Vec::new();
    for person in &*people {
        let tell = |name: &String| vec![name.clone()];
        let approving = staff.approve(api, person);
        operations.push(steps.take("approve", approving, tell).await?);
    }
    for (person, operation) in people.iter_mut().zip(operations) {
        let opening = person.open(api, staff, &operation);
        let tell = Clone::clone;
        steps.take("wait for the account", opening, tell).await?;
    }
    Ok(())
}

async fn pay(steps: &mut Steps, api: &Api, people: &[Person]) -> anyhow::Result<Payment> {
    let [sender, receiver, ..] = people else {
        anyhow::bail!("a transfer takes two");
    };
    let quoting = Payment::quote(api, sender, receiver);
    let mut payment = steps
        .take("quote a transfer", quoting, Payment::tell)
        .await?;
    let sending = payment.send(api, sender, receiver);
    let operation = steps
        .take("transfer", sending, |name: &String| vec![name.clone()])
        .await?;
    let settling = payment.settle(api, sender, &operation);
    let tell = Clone::clone;
    steps.take("wait for the transfer", settling, tell).await?;
    Ok(payment)
}

async fn look(
    steps: &mut Steps,
    api: &Api,
    people: &[Person],
    payment: &Payment,
) -> anyhow::Result<GetSupplyResponse> {
    let changes = [-payment.total(), payment.amount()];
    for (person, change) in people.iter().zip(changes) {
        let reading = money::wallet(api, person, payment.block, change);
        steps.take("read a wallet", reading, Clone::clone).await?;
    }
    for (person, change) in people.iter().zip(changes) {
        let reading = money::history(api, person, payment.block, change);
        steps.take("read a history", reading, Clone::clone).await?;
    }
    let message = GetSupplyRequest {
        min_block: payment.block,
    };
    let reading = call(&api.tokenomics, None, message, async |mut api, message| {
        api.get_supply(message).await
    });
    steps.take("read the supply", reading, tell_supply).await
}

fn tell_supply(supply: &GetSupplyResponse) -> Vec<String> {
    let mut told = vec![format!("at block {}", supply.as_of_block)];
    for (part, qirat) in [
        ("in pools", supply.pools_qirat),
        ("in treasuries", supply.treasuries_qirat),
        ("circulating", supply.circulating_qirat),
        ("together, at most", supply.maximum_qirat),
    ] {
        told.push(format!("{part:<18}{:>30}", Qirat(qirat.into())));
    }
    told
}

impl Report for Demo {
    fn is_sound(&self) -> bool {
        self.proof.holds()
    }
}

impl fmt::Display for Demo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", self.proof)
    }
}
