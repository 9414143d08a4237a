//! Block 0 as a network has it: the channel's configuration, which names the
//! organizations, whom they trust, who may do what, and how blocks are cut.

use std::collections::BTreeMap;

use prost::Message;

use super::{options::CoreOptions, trust::Trust};
use crate::{
    block,
    msp::{Certificate, Membership},
    proto::{
        common::{
            self, BlockDataHashingStructure, Capabilities, Capability, Config, ConfigEnvelope,
            ConfigGroup, ConfigPolicy, ConfigValue, HashingAlgorithm, ImplicitMetaPolicy,
            MspPrincipal, MspRole, Policy, SignaturePolicy, SignaturePolicyEnvelope,
            implicit_meta_policy::Rule, msp_principal::Classification, msp_role::MspRoleType,
            policy::PolicyType, signature_policy,
        },
        msp::{FabricCryptoConfig, FabricMspConfig, FabricNodeOUs, FabricOuIdentifier, MspConfig},
        orderer::{BatchSize, BatchTimeout},
    },
};

/// Who may change anything.
const ADMINS: &str = "Admins";

/// The first block of a devnet.
pub(super) fn block(options: &CoreOptions) -> common::Block {
    let now_ms = (options.clock)();
    match &options.trust {
        Trust::Word => block::genesis(&options.channel, now_ms),
        Trust::Certificates(roll) => {
            let config = ConfigEnvelope {
                config: Some(Config {
                    sequence: 0,
                    channel_group: Some(channel(options, roll.membership())),
                }),
                last_update: None,
            };
            block::configured(&options.channel, now_ms, &config)
        }
    }
}

fn channel(options: &CoreOptions, members: &Membership) -> ConfigGroup {
    let groups = [
        ("Application", application(members)),
        ("Orderer", orderer(options)),
    ];
    let hashing = HashingAlgorithm {
        name: "SHA256".into(),
    };
    let structure = BlockDataHashingStructure { width: u32::MAX };
    ConfigGroup {
        groups: named(groups),
        values: named([
            ("HashingAlgorithm", value(&hashing)),
            ("BlockDataHashingStructure", value(&structure)),
            ("Capabilities", value(&capabilities("V2_0"))),
        ]),
        ..group(meta_policies())
    }
}

fn application(members: &Membership) -> ConfigGroup {
    let organizations = members.authorities().map(|(msp_id, authorities)| {
        let organization = organization(msp_id, authorities);
        (msp_id.to_owned(), organization)
    });
    let mut policies = meta_policies();
    policies.insert("Endorsement".into(), meta("Endorsement", Rule::All));
    ConfigGroup {
        groups: organizations.collect(),
        values: named([("Capabilities", value(&capabilities("V2_5")))]),
        ..group(policies)
    }
}

fn orderer(options: &CoreOptions) -> ConfigGroup {
    let limits = &options.limits;
    let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
    let size = BatchSize {
        max_message_count: count(limits.max_message_count),
        absolute_max_bytes: count(limits.absolute_max_bytes),
        preferred_max_bytes: count(limits.preferred_max_bytes),
    };
    let timeout = BatchTimeout {
        timeout: format!("{}ms", limits.batch_timeout.as_millis()),
    };
    ConfigGroup {
        values: named([
            ("BatchSize", value(&size)),
            ("BatchTimeout", value(&timeout)),
            ("Capabilities", value(&capabilities("V2_0"))),
        ]),
        ..group(meta_policies())
    }
}

fn organization(msp_id: &str, authorities: &[Certificate]) -> ConfigGroup {
    let [client, admin, peer] = [MspRoleType::Client, MspRoleType::Admin, MspRoleType::Peer];
    let policies = [
        ("Readers", any_of(msp_id, &[admin, peer, client])),
        ("Writers", any_of(msp_id, &[admin, client])),
        (ADMINS, any_of(msp_id, &[admin])),
        ("Endorsement", any_of(msp_id, &[peer])),
    ];
    let msp = MspConfig {
        r#type: 0,
        config: msp_config(msp_id, authorities).encode_to_vec().into(),
    };
    ConfigGroup {
        values: named([("MSP", value(&msp))]),
        ..group(named(policies))
    }
}

fn msp_config(msp_id: &str, authorities: &[Certificate]) -> FabricMspConfig {
    let pem = |authority: &Certificate| authority.pem().to_owned().into();
    let unit = |name: &str| {
        Some(FabricOuIdentifier {
            organizational_unit_identifier: name.into(),
            ..FabricOuIdentifier::default()
        })
    };
    FabricMspConfig {
        name: msp_id.into(),
        root_certs: authorities.iter().map(pem).collect(),
        crypto_config: Some(FabricCryptoConfig {
            signature_hash_family: "SHA2".into(),
            identity_identifier_hash_function: "SHA256".into(),
        }),
        fabric_node_ous: Some(FabricNodeOUs {
            enable: true,
            client_ou_identifier: unit("client"),
            peer_ou_identifier: unit("peer"),
            admin_ou_identifier: unit("admin"),
            orderer_ou_identifier: unit("orderer"),
        }),
        ..FabricMspConfig::default()
    }
}

/// Satisfied by the signature of one member of any of these kinds.
fn any_of(msp_id: &str, roles: &[MspRoleType]) -> ConfigPolicy {
    let principal = |role: &MspRoleType| {
        let role = MspRole {
            msp_identifier: msp_id.into(),
            role: (*role).into(),
        };
        MspPrincipal {
            principal_classification: Classification::Role.into(),
            principal: role.encode_to_vec().into(),
        }
    };
    let signed_by = |index| SignaturePolicy {
        r#type: Some(signature_policy::Type::SignedBy(index)),
    };
    let rules = (0..).take(roles.len()).map(signed_by).collect();
    let any = signature_policy::NOutOf { n: 1, rules };
    let envelope = SignaturePolicyEnvelope {
        rule: Some(SignaturePolicy {
            r#type: Some(signature_policy::Type::NOutOf(any)),
        }),
        identities: roles.iter().map(principal).collect(),
        ..SignaturePolicyEnvelope::default()
    };
    policy(PolicyType::Signature, &envelope)
}

fn meta_policies() -> BTreeMap<String, ConfigPolicy> {
    named([
        ("Readers", meta("Readers", Rule::Any)),
        ("Writers", meta("Writers", Rule::Any)),
        (ADMINS, meta(ADMINS, Rule::Majority)),
    ])
}

fn meta(sub_policy: &str, rule: Rule) -> ConfigPolicy {
    let meta = ImplicitMetaPolicy {
        sub_policy: sub_policy.into(),
        rule: rule.into(),
    };
    policy(PolicyType::ImplicitMeta, &meta)
}

fn policy(kind: PolicyType, policy: &impl Message) -> ConfigPolicy {
    ConfigPolicy {
        policy: Some(Policy {
            r#type: kind.into(),
            value: policy.encode_to_vec().into(),
        }),
        mod_policy: ADMINS.into(),
        ..ConfigPolicy::default()
    }
}

fn capabilities(name: &str) -> Capabilities {
    Capabilities {
        capabilities: named([(name, Capability {})]),
    }
}

fn value(message: &impl Message) -> ConfigValue {
    ConfigValue {
        value: message.encode_to_vec().into(),
        mod_policy: ADMINS.into(),
        ..ConfigValue::default()
    }
}

fn group(policies: BTreeMap<String, ConfigPolicy>) -> ConfigGroup {
    ConfigGroup {
        policies,
        mod_policy: ADMINS.into(),
        ..ConfigGroup::default()
    }
}

fn named<T, const N: usize>(entries: [(&str, T); N]) -> BTreeMap<String, T> {
    let entries = entries.into_iter();
    entries
        .map(|(name, entry)| (name.to_owned(), entry))
        .collect()
}
