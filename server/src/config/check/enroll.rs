//! `[enroll]`: the authority, and whom to trust about it.

use url::Url;

use super::super::Enroll;

/// Without a URL nobody enrols, and the rest does not matter.
pub(super) fn check(enroll: &Enroll, faults: &mut Vec<String>) {
    if enroll.url.is_empty() {
        return;
    }
    let is_https = |url: &Url| url.scheme() == "https" && url.password().is_none();
    if !Url::parse(&enroll.url).is_ok_and(|url| is_https(&url)) {
        faults.push("enroll.url: must be https://host:port".to_owned());
    }
    if enroll.tls_ca_file.is_empty() {
        faults.push("enroll.tls_ca_file: must be set where enroll.url is".to_owned());
    }
}
