//! Words on every part of the interface, and a way to it over HTTP.

use std::collections::BTreeSet;

use gx_proto::gx::common::v1::Reason;
use prost_reflect::{DescriptorPool, FileDescriptor, MethodDescriptor};

fn pool() -> DescriptorPool {
    DescriptorPool::decode(gx_proto::FILE_DESCRIPTOR_SET).expect("descriptors")
}

/// The files of GX, without those of others.
fn files() -> Vec<FileDescriptor> {
    let pool = pool();
    let files: Vec<_> = pool
        .files()
        .filter(|file| file.package_name().starts_with("gx."))
        .collect();
    assert!(files.len() >= 10, "{} files", files.len());
    files
}

fn methods() -> Vec<MethodDescriptor> {
    let pool = pool();
    let services = pool
        .services()
        .filter(|service| service.full_name().starts_with("gx."));
    let methods: Vec<_> = services
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect();
    assert!(methods.len() >= 24, "{} methods", methods.len());
    methods
}

/// What stands above the part of a file at a path.
fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let locations = &info.expect("comments are kept").location;
    let found = locations.iter().find(|location| location.path == path);
    let comment = found.and_then(|location| location.leading_comments.clone());
    comment.unwrap_or_default().trim().to_owned()
}

#[test]
fn every_part_of_the_interface_is_described() {
    let mut parts = 0;
    let mut silent = Vec::new();
    for file in files() {
        let mut check = |name: &str, path: &[i32]| {
            parts += 1;
            if comment(&file, path).is_empty() {
                silent.push(format!("{}: {name}", file.name()));
            }
        };
        for message in file.messages() {
            check(message.full_name(), message.path());
            for field in message.fields() {
                check(field.full_name(), field.path());
            }
        }
        for kind in file.enums() {
            check(kind.full_name(), kind.path());
            // That nothing was said is told by the name.
            for value in kind.values().filter(|value| value.number() != 0) {
                check(value.full_name(), value.path());
            }
        }
        for service in file.services() {
            check(service.full_name(), service.path());
            for method in service.methods() {
                check(method.full_name(), method.path());
            }
        }
    }
    assert!(parts > 300, "only {parts} parts were found");
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn enums_begin_with_unspecified() {
    for kind in files()
        .iter()
        .flat_map(|file| file.enums().collect::<Vec<_>>())
    {
        let zero = kind.get_value(0).expect("a value 0");
        assert!(
            zero.name().ends_with("_UNSPECIFIED"),
            "{}",
            zero.full_name()
        );
    }
}

#[test]
fn every_method_is_bound_to_http() {
    let pool = pool();
    let http = pool
        .get_extension_by_name("google.api.http")
        .expect("the extension");
    for method in methods() {
        let options = method.options();
        assert!(options.has_extension(&http), "{}", method.full_name());
    }
}

#[test]
fn every_method_has_a_request_and_a_response_of_its_own() {
    for method in methods() {
        let name = method.name();
        assert_eq!(method.input().name(), format!("{name}Request"));
        assert_eq!(method.output().name(), format!("{name}Response"));
    }
}

/// A method's words say who may call it, and name only reasons that there are.
#[test]
fn every_method_says_who_may_call_and_why_it_may_fail() {
    let people = pool();
    let people = ["gx.identity.v1.Role", "gx.identity.v1.UserStatus"]
        .map(|name| people.get_enum_by_name(name).expect("an enum"));
    let people: Vec<_> = people
        .iter()
        .flat_map(|kind| kind.values().collect::<Vec<_>>())
        .collect();
    let is_of_people = |name: &str| {
        let mut values = people.iter();
        values.any(|value| value.name().ends_with(&format!("_{name}")))
    };
    let reasons: BTreeSet<_> = (0..200)
        .filter_map(|number| Reason::try_from(number).ok())
        .map(|reason| reason.as_str_name().trim_start_matches("REASON_"))
        .collect();
    assert!(reasons.len() > 30);
    for method in methods() {
        let said = comment(&method.parent_file(), method.path());
        let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let lower = words.to_lowercase();
        assert!(
            lower.contains("may call"),
            "{}: {words}",
            method.full_name()
        );
        let (_, fails) = words.split_once("ails with").unwrap_or_default();
        let is_word = |c: char| c.is_ascii_uppercase() || c == '_';
        let names = fails
            .split(|c: char| !is_word(c))
            .filter(|name| name.len() > 3);
        for name in names.filter(|name| !is_of_people(name)) {
            assert!(reasons.contains(name), "{}: {name}", method.full_name());
        }
    }
}
