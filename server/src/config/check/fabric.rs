//! `[fabric]`: names, peers, and files that go together.

use super::super::Fabric;

pub(super) fn check(fabric: &Fabric, faults: &mut Vec<String>) {
    for (name, value) in [
        ("fabric.channel", &fabric.channel),
        ("fabric.chaincode", &fabric.chaincode),
        ("fabric.msp_id", &fabric.msp_id),
    ] {
        if value.is_empty() {
            faults.push(format!("{name}: must not be empty"));
        }
    }
    for peer in &fabric.peers {
        let port = peer.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        if !matches!(port, Some(Ok(_))) {
            faults.push(format!("fabric.peers: {peer} is not host:port"));
        }
    }
    if !fabric.peers.is_empty() && fabric.tls_ca_file.is_empty() {
        faults.push("fabric.tls_ca_file: peers are known by their certificates".to_owned());
    }
    check_pairs(fabric, faults);
}

fn check_pairs(fabric: &Fabric, faults: &mut Vec<String>) {
    let identity = &fabric.identity;
    let pairs = [
        (
            "fabric.tls",
            &fabric.tls_certificate_file,
            &fabric.tls_key_file,
        ),
        (
            "fabric.identity.partner",
            &identity.partner.certificate_file,
            &identity.partner.key_file,
        ),
        (
            "fabric.identity.admin",
            &identity.admin.certificate_file,
            &identity.admin.key_file,
        ),
        (
            "fabric.identity.super_admin",
            &identity.super_admin.certificate_file,
            &identity.super_admin.key_file,
        ),
    ];
    for (name, certificate, key) in pairs {
        if certificate.is_empty() != key.is_empty() {
            faults.push(format!("{name}: a certificate and its key go together"));
        }
    }
}
