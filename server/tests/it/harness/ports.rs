//! Where the processes of a system listen, as they tell it in their files.

use std::{collections::BTreeMap, path::Path};

/// The ports that tests speak to.
#[derive(Debug, Clone)]
pub(super) struct Ports {
    pub(super) identity: u16,
    pub(super) wallet: u16,
    pub(super) tokenomics: u16,
    /// Of every process.
    pub(super) metrics: Vec<u16>,
}

impl Ports {
    /// Reads what the processes wrote, a file each.
    pub(super) fn read(folder: &Path, files: &[String]) -> Self {
        let (mut all, mut metrics) = (BTreeMap::new(), Vec::new());
        for file in files {
            let text = std::fs::read(folder.join(file)).expect("the ports");
            let ports: BTreeMap<String, u16> = serde_json::from_slice(&text).expect("ports");
            metrics.push(ports["metrics"]);
            all.extend(ports);
        }
        Self {
            identity: all["identity"],
            wallet: all["wallet"],
            tokenomics: all["tokenomics"],
            metrics,
        }
    }
}
