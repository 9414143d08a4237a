//! The interface as its descriptor set tells it: methods, and the ways to them over
//! HTTP.

use anyhow::Context as _;
use gx_proto::FILE_DESCRIPTOR_SET;
use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FileDescriptor, MethodDescriptor,
};

/// Everything that the set describes.
///
/// # Errors
/// If the set that was built in cannot be read.
pub fn pool() -> anyhow::Result<DescriptorPool> {
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).context("the descriptor set")
}

/// One method that is served.
#[derive(Debug, Clone)]
pub struct Method {
    /// Its descriptor.
    pub descriptor: MethodDescriptor,
    /// The ways to it over HTTP, the first one before all others.
    pub bindings: Vec<Binding>,
}

/// One way to a method over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// `get`, `put`, `post`, `delete` or `patch`.
    pub verb: &'static str,
    /// Google's template, such as `/v1/{name=blocks/*}`.
    pub template: String,
    /// Whether the message, but what stands in the path, is the body.
    pub has_body: bool,
}

/// A variable of a template: one segment or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable<'a> {
    /// The field that takes them.
    pub field: &'a str,
    /// Which they may be, such as `blocks/*`.
    pub pattern: &'a str,
}

impl Binding {
    /// The template's texts, each with the variable behind it.
    pub fn parts(&self) -> Vec<(&str, Option<Variable<'_>>)> {
        let mut parts = Vec::new();
        let mut rest = self.template.as_str();
        while let Some((text, behind)) = rest.split_once('{') {
            let (inside, after) = behind.split_once('}').unwrap_or((behind, ""));
            let (field, pattern) = inside.split_once('=').unwrap_or((inside, "*"));
            parts.push((text, Some(Variable { field, pattern })));
            rest = after;
        }
        parts.push((rest, None));
        parts
    }

    /// The variables of the template.
    pub fn variables(&self) -> impl Iterator<Item = Variable<'_>> {
        self.parts()
            .into_iter()
            .filter_map(|(_, variable)| variable)
    }
}

const VERBS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// Every method of GX, in the order of the files.
///
/// # Errors
/// If a method has no binding.
pub fn methods(pool: &DescriptorPool) -> anyhow::Result<Vec<Method>> {
    let http = pool
        .get_extension_by_name("google.api.http")
        .context("the set has no google.api.http")?;
    let services = pool
        .services()
        .filter(|service| service.full_name().starts_with("gx."));
    services
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|descriptor| {
            let bindings = bindings(&descriptor, &http);
            let bindings = bindings.with_context(|| descriptor.full_name().to_owned())?;
            Ok(Method {
                descriptor,
                bindings,
            })
        })
        .collect()
}

impl Method {
    /// `/package.Service/Method`.
    pub fn path(&self) -> String {
        format!("/{}/{}", self.service(), self.descriptor.name())
    }

    /// The full name of its service.
    pub fn service(&self) -> String {
        self.descriptor.parent_service().full_name().to_owned()
    }

    /// What stands above it.
    pub fn comment(&self) -> String {
        comment(&self.descriptor.parent_file(), self.descriptor.path())
    }

    /// Whether it answers a stream.
    pub fn is_stream(&self) -> bool {
        self.descriptor.is_server_streaming()
    }

    /// Whether calling it twice is calling it once: it is bound to GET.
    pub fn is_read(&self) -> bool {
        self.bindings.iter().all(|binding| binding.verb == "get")
    }
}

/// What stands above the part of a file at a path, as paragraphs.
pub fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let locations = info.iter().flat_map(|info| &info.location);
    let found = locations.into_iter().find(|location| location.path == path);
    words(found.map_or("", |location| location.leading_comments()))
}

/// Lines as paragraphs: those between empty ones are one.
pub fn words(text: &str) -> String {
    let mut paragraphs = vec![Vec::new()];
    for line in text.lines().map(str::trim) {
        match paragraphs.last_mut() {
            Some(last) if !line.is_empty() => last.push(line),
            _ => paragraphs.push(Vec::new()),
        }
    }
    let paragraphs = paragraphs.iter().filter(|lines| !lines.is_empty());
    paragraphs
        .map(|lines| lines.join(" "))
        .collect::<Vec<_>>()
        .join("\n")
}

fn bindings(method: &MethodDescriptor, http: &ExtensionDescriptor) -> anyhow::Result<Vec<Binding>> {
    let options = method.options();
    let rule = options.get_extension(http);
    let rule = rule.as_message().context("no binding to HTTP")?;
    let mut found = vec![binding(rule)?];
    let more = rule.get_field_by_name("additional_bindings");
    for rule in more.iter().filter_map(|value| value.as_list()).flatten() {
        found.push(binding(rule.as_message().context("no rule")?)?);
    }
    Ok(found)
}

fn binding(rule: &DynamicMessage) -> anyhow::Result<Binding> {
    let text = |name: &str| {
        let value = rule.get_field_by_name(name)?;
        value
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let (verb, template) = VERBS
        .into_iter()
        .find_map(|verb| Some((verb, text(verb)?)))
        .context("no binding to HTTP")?;
    Ok(Binding {
        verb,
        template,
        has_body: text("body").is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_come_with_their_bindings() {
        let methods = methods(&pool().unwrap()).unwrap();
        let find = |path: &str| methods.iter().find(|method| method.path() == path).unwrap();
        let wait = find("/gx.operation.v1.OperationService/WaitOperation");
        assert_eq!(wait.bindings[0].template, "/v1/{name=operations/*}:wait");
        assert!(wait.is_read() && !wait.is_stream());
        let transfer = find("/gx.wallet.v1.WalletService/Transfer");
        assert_eq!(transfer.bindings[0].verb, "post");
        assert!(transfer.bindings[0].has_body && !transfer.is_read());
        assert!(find("/gx.ledger.v1.LedgerService/StreamBlocks").is_stream());
        let keys = find("/gx.identity.v1.IdentityService/ListPublicKeys");
        let paths: Vec<_> = keys.bindings.iter().map(|one| &*one.template).collect();
        assert_eq!(paths, ["/v1/publicKeys", "/.well-known/jwks.json"]);
    }
}
