//! Block 0 of a devnet that knows its members: what foreign tools read about the
//! channel.

use std::sync::Arc;

use gx_fabric::{
    ValidationFlag,
    devnet::{Core, Material},
    header::Headers,
    proto::{
        common::{ConfigEnvelope, ConfigGroup},
        msp::{FabricMspConfig, MspConfig},
        orderer::{BatchSize, BatchTimeout},
    },
};
use prost::Message;

use crate::harness::{NOW_MS, Script};

fn value<T: Message + Default>(group: &ConfigGroup, name: &str) -> T {
    T::decode(group.values[name].value.clone()).unwrap()
}

#[test]
fn block_0_says_who_belongs_to_the_channel_and_how_blocks_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let material = Material::open(folder.path(), &[], NOW_MS).unwrap();
    let core = Core::in_memory(material.core_options(Arc::new(Script)).unwrap());
    let block = core.block(0).unwrap().unwrap();
    let (headers, config) = Headers::open(&block.data.unwrap().data[0]).unwrap();
    assert!(headers.id_is_own());
    let status = core.status(&headers.channel.tx_id).unwrap();
    assert_eq!((status.flag, status.block), (ValidationFlag::VALID, 0));

    let config = ConfigEnvelope::decode(config).unwrap().config.unwrap();
    let channel = config.channel_group.unwrap();
    let organizations = &channel.groups["Application"].groups;
    let found = organizations.iter().map(|(msp_id, organization)| {
        let msp: MspConfig = value(organization, "MSP");
        let msp = FabricMspConfig::decode(msp.config).unwrap();
        assert_eq!(msp.name, *msp_id);
        let kinds = ["Admins", "Endorsement", "Readers", "Writers"];
        assert!(organization.policies.keys().eq(kinds));
        (msp_id.as_str(), msp.root_certs[0].to_vec())
    });
    let made = material.organizations.iter().map(|organization| {
        let authority = organization.authority_pem.clone();
        (organization.msp_id, authority.into_bytes())
    });
    assert!(found.eq(made));

    let orderer = &channel.groups["Orderer"];
    assert_eq!(
        value::<BatchSize>(orderer, "BatchSize").max_message_count,
        500
    );
    assert_eq!(
        value::<BatchTimeout>(orderer, "BatchTimeout").timeout,
        "100ms"
    );
}
