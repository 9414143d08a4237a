//! `gx gateway`: the configuration of the Envoy in front of the services, from
//! `envoy/gateway.yaml`, the settings and the descriptor set. The same input makes the
//! same file.

mod refusals;
mod routes;
mod template;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use gx_proto::FILE_DESCRIPTOR_SET;
use serde_json::{Value, json};

use super::{
    interface::{self, Method},
    report::Files,
};
use crate::{
    config::{Config, Gateway, Limits, Upstream},
    rpc::cors,
};
use template::Template;

/// What stands in `envoy/`.
const TEMPLATE: &str = include_str!("../../../../envoy/gateway.yaml");

/// Where to write.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The file to write; the descriptor set goes beside it, unless the settings say
    /// where Envoy finds one.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes Envoy's configuration, and where the settings name no descriptor set, that
/// too.
///
/// # Errors
/// If a service's port is not known, or a file cannot be written.
pub async fn write(config: Config, options: Options) -> anyhow::Result<Files> {
    let mut files = vec![options.out.clone()];
    let descriptor = match config.gateway.descriptor.as_str() {
        "" => {
            let beside = std::path::absolute(options.out.with_file_name("gx.binpb"))?;
            save(&beside, FILE_DESCRIPTOR_SET)?;
            files.push(beside.clone());
            beside.display().to_string()
        }
        given => given.to_owned(),
    };
    save(&options.out, render(&config, &descriptor)?.as_bytes())?;
    Ok(Files { files })
}

fn save(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    std::fs::write(file, bytes).with_context(|| format!("{} cannot be written", file.display()))
}

/// Envoy's configuration, for an Envoy that finds the descriptor set in this file.
fn render(config: &Config, descriptor: &str) -> anyhow::Result<String> {
    let methods = interface::methods(&interface::pool()?)?;
    let upstreams = config
        .upstreams()
        .map_err(|name| anyhow::anyhow!("gateway.{name}: must be set, as listen.{name} is 0"))?;
    let mut template = Template::new(TEMPLATE);
    for (name, value) in settings(&config.gateway, &config.limits) {
        template.set(name, value);
    }
    for upstream in &upstreams {
        template.set(upstream.name, endpoints(upstream));
    }
    template.set("descriptor", descriptor.into());
    template.set("origins", origins(&config.listen.origins));
    template.set("services", services(&methods));
    template.set("request_headers", cors::REQUEST_HEADERS.join(",").into());
    template.set("answer_headers", cors::ANSWER_HEADERS.join(",").into());
    template.set("body_bytes_max", routes::body_bytes_max(&methods).into());
    template.list("methods", counted(&methods));
    template.list("refusals", refusals::mappers());
    template.list("routes", routes::routes(&methods, &config.limits));
    template.finish()
}

fn settings(gateway: &Gateway, limits: &Limits) -> Vec<(&'static str, Value)> {
    vec![
        ("host", gateway.host.to_string().into()),
        ("port", gateway.port.into()),
        ("metrics", gateway.metrics.into()),
        ("admin", gateway.admin.into()),
        ("trusted_hops", gateway.trusted_hops.into()),
        ("per_s", gateway.per_s.into()),
        ("burst", gateway.burst.into()),
        ("address_per_s", limits.address_per_s.into()),
        ("address_burst", limits.address_burst.into()),
        (
            "message_bytes",
            routes::body_bytes(limits.message_bytes).into(),
        ),
    ]
}

fn endpoints(upstream: &Upstream) -> Value {
    let address =
        json!({"socket_address": {"address": upstream.host, "port_value": upstream.port}});
    let endpoint = json!({"endpoint": {"address": address}});
    json!({"cluster_name": upstream.name, "endpoints": [{"lb_endpoints": [endpoint]}]})
}

fn origins(origins: &[String]) -> Value {
    origins
        .iter()
        .map(|origin| json!({"exact": origin}))
        .collect()
}

/// The names of the services, each once.
fn services(methods: &[Method]) -> Value {
    let mut names: Vec<_> = methods.iter().map(Method::service).collect();
    names.dedup();
    names.into()
}

/// The methods that are counted by name; those that a client makes up are not.
fn counted(methods: &[Method]) -> Vec<Value> {
    let services = methods.chunk_by(|one, next| one.service() == next.service());
    services
        .map(|methods| {
            let names: Vec<_> = methods.iter().map(|one| one.descriptor.name()).collect();
            json!({"name": methods[0].service(), "method_names": names})
        })
        .collect()
}
