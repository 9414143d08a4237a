//! Certificates and keys in the devnet's folder, from one start to the next.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use gx_fabric::{
    devnet::{Connection, Core, Material, MaterialError},
    msp::Certificate,
};

use crate::harness::{NOW_MS, Script};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn open(folder: &Path, now_ms: i64) -> Material {
    Material::open(folder, &[], now_ms).unwrap()
}

/// All files below a folder, by their paths, with what they hold.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push((path.clone(), fs::read_to_string(path).unwrap())),
            }
        }
    }
    found.sort();
    found
}

/// Another folder with the same files.
fn copy(folder: &Path) -> tempfile::TempDir {
    let another = tempfile::tempdir().unwrap();
    for (path, _) in files(folder) {
        let place = another.path().join(path.strip_prefix(folder).unwrap());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(path, place).unwrap();
    }
    another
}

#[test]
fn material_is_made_once_and_for_the_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path(), NOW_MS);
    let made = files(folder.path());
    // Authority, peer and four identities of two organizations; TLS authority and server.
    assert_eq!(made.len(), 2 * (2 * 6 + 2));
    for (path, _) in &made {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        let above = fs::metadata(path.parent().unwrap()).unwrap();
        assert_eq!(above.permissions().mode() & 0o777, 0o700);
    }
    let again = open(folder.path(), NOW_MS + DAY_MS);
    assert_eq!(files(folder.path()), made);
    for (one, two) in first.organizations.iter().zip(&again.organizations) {
        assert_eq!(one.peer.creator(), two.peer.creator());
    }
}

#[test]
fn identities_say_what_they_may_submit() {
    let folder = tempfile::tempdir().unwrap();
    let material = open(folder.path(), NOW_MS);
    for organization in &material.organizations {
        let roles = organization.identities.iter().map(|(name, files)| {
            let role = files.identity.certificate().attribute("gxc_role");
            (*name, role.unwrap_or_default())
        });
        let roles: Vec<_> = roles.collect();
        assert_eq!(
            roles,
            [
                ("admin", "gx_admin"),
                ("partner", "gx_partner_api"),
                ("super_admin", "gx_super_admin"),
                ("user", "")
            ]
        );
    }
}

#[test]
fn certificates_are_made_anew_before_they_expire_and_keys_stay() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path(), NOW_MS);
    let later = NOW_MS + 336 * DAY_MS;
    let second = open(folder.path(), later);
    for (one, two) in first.organizations.iter().zip(&second.organizations) {
        assert_eq!(one.authority_pem, two.authority_pem);
        for (name, old) in &one.identities {
            let [old, renewed] =
                [old, &two.identities[name]].map(|files| files.identity.certificate());
            assert_eq!(old.key(), renewed.key());
            assert!(renewed.not_after_ms() > later + 300 * DAY_MS);
        }
    }
    let server = Certificate::from_pem(&second.tls.certificate).unwrap();
    assert!(server.not_after_ms() > later + 300 * DAY_MS);
}

#[test]
fn the_server_s_certificate_has_every_name_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), NOW_MS);
    let names = ["devnet.example".to_owned(), "10.1.2.3".to_owned()];
    let material = Material::open(folder.path(), &names, NOW_MS).unwrap();
    let server = Certificate::from_pem(&material.tls.certificate).unwrap();
    for name in [
        "localhost",
        "127.0.0.1",
        "::1",
        "devnet.example",
        "10.1.2.3",
    ] {
        assert!(server.names().contains(&name.to_owned()), "{name}");
    }
    let made = files(folder.path());
    open(folder.path(), NOW_MS);
    assert_eq!(files(folder.path()), made, "further names do no harm");
}

/// Wherever a start is killed, it has written some whole files, the key of a pair first,
/// and perhaps a part of one beside its place.
#[test]
fn a_start_that_was_killed_is_made_good_by_the_next() {
    let whole = tempfile::tempdir().unwrap();
    open(whole.path(), NOW_MS);
    for (lost, torn) in files(whole.path()) {
        let folder = copy(whole.path());
        let lost = folder.path().join(lost.strip_prefix(whole.path()).unwrap());
        fs::remove_file(&lost).unwrap();
        fs::write(lost.with_extension("5ac3"), &torn[..torn.len() / 2]).unwrap();
        let material = open(folder.path(), NOW_MS);
        let members = material.membership().unwrap();
        for organization in &material.organizations {
            members.member(organization.peer.creator()).unwrap();
            for files in organization.identities.values() {
                members.member(files.identity.creator()).unwrap();
                assert!(files.key.exists() && files.certificate.exists());
            }
        }
        let tls = Certificate::from_pem(&material.tls.certificate).unwrap();
        let authority = Certificate::from_pem(&material.tls.authority_pem).unwrap();
        assert!(tls.is_issued_by(&authority), "{}", lost.display());
    }
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let material = open(folder.path(), NOW_MS);
    let key = &material.organizations[0].identities["partner"].key;
    fs::set_permissions(key, fs::Permissions::from_mode(0o640)).unwrap();
    let refused = Material::open(folder.path(), &[], NOW_MS).err().unwrap();
    let MaterialError::Exposed { path } = refused else {
        panic!("{refused}");
    };
    assert_eq!(path, *key);
}

#[test]
fn a_damaged_authority_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), NOW_MS);
    let certificate = folder.path().join("organizations/org1/ca/cert.pem");
    fs::write(&certificate, "no certificate").unwrap();
    let refused = Material::open(folder.path(), &[], NOW_MS).err().unwrap();
    assert!(
        matches!(refused, MaterialError::Damaged { .. }),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(certificate).unwrap(), "no certificate");
}

#[test]
fn a_connection_says_where_everything_is() {
    let folder = tempfile::tempdir().unwrap();
    let material = open(folder.path(), NOW_MS);
    let core = Core::in_memory(material.core_options(std::sync::Arc::new(Script)).unwrap());
    let gateways = ["[::1]:7051", "localhost:9051"].map(str::to_owned);
    let connection = material.connection(core.options(), &gateways);
    let json = serde_json::to_string(&connection).unwrap();
    assert_eq!(
        serde_json::from_str::<Connection>(&json).unwrap(),
        connection
    );
    assert_eq!(
        (connection.channel.as_str(), connection.chaincode.as_str()),
        ("gx", "gx")
    );
    let org1 = &connection.orgs["org1"];
    assert_eq!(
        (org1.msp_id.as_str(), org1.tls_server_name.as_str()),
        ("Org1MSP", "::1")
    );
    let org2 = &connection.orgs["org2"];
    assert_eq!(
        (org2.gateway.as_str(), org2.tls_server_name.as_str()),
        ("localhost:9051", "localhost")
    );
    assert_eq!(fs::read_to_string(&org1.tls_ca).unwrap(), org1.tls_ca_pem);
    let partner = &org1.identities["partner"];
    assert!(partner.cert.is_absolute() && partner.key.is_absolute());
    let pem = fs::read_to_string(&partner.cert).unwrap();
    let identity = &material.organizations[0].identities["partner"].identity;
    assert_eq!(identity.certificate().pem(), pem);
}
