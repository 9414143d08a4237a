//! `[chaincode]`: files that need each other.

use super::super::Chaincode;

pub(super) fn check(chaincode: &Chaincode, faults: &mut Vec<String>) {
    let tls = !chaincode.certificate_file.is_empty();
    if tls == chaincode.key_file.is_empty() {
        faults.push("chaincode.key_file: a certificate and its key need each other".to_owned());
    }
    if !tls && !chaincode.client_ca_file.is_empty() {
        faults.push(
            "chaincode.client_ca_file: peers show no certificate without TLS; set \
             chaincode.certificate_file"
                .to_owned(),
        );
    }
}
