//! Builders of commands and names.

use gx_proto::gx::contract::v1::command::Body;
use gx_proto::gx::contract::v1::{
    Bootstrap, Command, CountryShare, CreateAccount, CreditKey, Fold, LoadCountries, Transfer, Void,
};
use sha2::{Digest, Sha256};

use crate::account::AccountId;
use crate::amount::QIRAT_PER_GX;
use crate::lane::{self, LaneDomain, LaneName};

/// Number of partner lanes of the tests' world.
pub(crate) const LANES: u32 = 2;
/// The MSP of the tests' world.
pub(crate) const MSP: &str = "OrgMSP";

/// So many GX in Qirat.
pub(crate) const fn gx(gx: u64) -> u64 {
    gx * QIRAT_PER_GX
}

pub(crate) const fn partner(number: u32) -> LaneName {
    LaneName::new(LaneDomain::Partner, number)
}

/// The n-th account id of a partner lane.
pub(crate) fn account_in(lane: u32, place: usize) -> String {
    let ids = (0_u64..).map(|seed| {
        let digest = Sha256::digest(seed.to_be_bytes());
        let bits = digest[..10].try_into().expect("ten bytes");
        AccountId::from_bits(bits).to_string()
    });
    ids.filter(|id| lane::of_account(id, LANES) == partner(lane))
        .nth(place)
        .expect("ids do not end")
}

/// A command with an id and digest that follow from a number.
pub(crate) fn command(number: u64, body: Option<Body>) -> Command {
    let digest = Sha256::digest(number.to_be_bytes());
    Command {
        id: digest[..16].to_vec().into(),
        request_digest: digest.to_vec().into(),
        body,
    }
}

pub(crate) fn bootstrap(partner_lanes: u32) -> Body {
    Body::Bootstrap(Bootstrap { partner_lanes })
}

pub(crate) fn load_countries(shares: &[(&str, u32)]) -> Body {
    let countries = shares.iter().map(|(country, share_ppb)| CountryShare {
        country: (*country).to_owned(),
        share_ppb: *share_ppb,
    });
    Body::LoadCountries(LoadCountries {
        countries: countries.collect(),
    })
}

/// A person whose commitment follows from the account.
pub(crate) fn create(account: &str, country: &str, grant_eligible: bool) -> Body {
    Body::CreateAccount(CreateAccount {
        account: account.to_owned(),
        country: country.to_owned(),
        commitment: Sha256::digest(account).to_vec().into(),
        grant_eligible,
    })
}

pub(crate) fn transfer(sender: &str, receiver: &str, amount: u64, max_fee: u64) -> Body {
    Body::Transfer(Transfer {
        sender: sender.to_owned(),
        receiver: receiver.to_owned(),
        amount_qirat: amount,
        max_fee_qirat: max_fee,
        reference_digest: Vec::new().into(),
    })
}

pub(crate) fn fold(account: &str, judge: bool) -> Body {
    Body::Fold(Fold {
        account: account.to_owned(),
        judge,
    })
}

pub(crate) fn void() -> Body {
    Body::Void(Void {})
}

pub(crate) fn credit_key(lane: LaneName, first_sequence: u64) -> CreditKey {
    CreditKey {
        msp_id: MSP.to_owned(),
        lane: Some(lane.into()),
        first_sequence,
    }
}
