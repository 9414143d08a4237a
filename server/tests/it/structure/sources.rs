//! The workspace's Rust files, parsed.

use std::{collections::BTreeSet, path::Path, sync::OnceLock};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Block, ImplItemFn, Item, ItemFn, ItemMod, Signature, TraitItemFn, UseTree,
    spanned::Spanned,
    visit::{self, Visit},
};

/// One file, with what its syntax says.
pub(super) struct Source {
    /// From the workspace's root.
    pub(super) path: String,
    pub(super) text: String,
    /// Every function with the lines from its signature to its end.
    pub(super) functions: Vec<(String, usize)>,
    /// Every path that the code names, tests aside, with what it imports in full.
    pub(super) paths: BTreeSet<String>,
    /// Every macro that the code calls, tests aside: its name and its arguments.
    pub(super) macros: Vec<(String, Vec<String>)>,
}

/// Every file that a person wrote.
pub(super) fn of_the_workspace() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let root = root();
        let mut sources = Vec::new();
        for folder in ["server", "ledger", "migrations", "proto"] {
            gather(&root, &root.join(folder), &mut sources);
        }
        sources.push(Source::read(&root, &root.join("build.rs")));
        assert!(sources.len() > 200, "{} files", sources.len());
        sources
    })
}

/// The server's own files, without its tests.
pub(super) fn of_the_server() -> impl Iterator<Item = &'static Source> {
    let sources = of_the_workspace().iter();
    sources.filter(|source| source.path.starts_with("server/src/") && !source.is_test())
}

pub(super) fn root() -> std::path::PathBuf {
    let server = Path::new(env!("CARGO_MANIFEST_DIR"));
    server.parent().expect("a workspace").to_owned()
}

fn gather(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            gather(root, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(Source::read(root, &path));
        }
    }
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a file");
        let name = path.strip_prefix(root).expect("in the workspace").display();
        let file = syn::parse_file(&text);
        let file = file.unwrap_or_else(|error| panic!("{name}: {error}"));
        let (mut functions, mut paths) = (Functions(Vec::new()), Paths(BTreeSet::new()));
        let mut macros = Macros(Vec::new());
        functions.visit_file(&file);
        paths.visit_file(&file);
        macros.visit_file(&file);
        Self {
            path: name.to_string(),
            text,
            functions: functions.0,
            paths: paths.0,
            macros: macros.0,
        }
    }

    /// The room of the server that the file belongs to, such as `wallet`.
    pub(super) fn room(&self) -> &str {
        let inside = self.path.strip_prefix("server/src/").unwrap_or_default();
        let first = inside.split('/').next().unwrap_or_default();
        first.trim_end_matches(".rs")
    }

    /// Whether the whole file is compiled for tests alone.
    fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        ["harness.rs", "tests.rs", "fixture.rs"].contains(&name) || self.path.contains("/tests/")
    }
}

struct Functions(Vec<(String, usize)>);

impl Functions {
    fn add(&mut self, signature: &Signature, block: &Block) {
        let begin = signature.span().start().line;
        let end = block.span().end().line;
        self.0.push((signature.ident.to_string(), end + 1 - begin));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

struct Paths(BTreeSet<String>);

impl Paths {
    fn import(&mut self, before: &str, tree: &UseTree) {
        let joined = |name: &dyn std::fmt::Display| match before {
            "" => name.to_string(),
            before => format!("{before}::{name}"),
        };
        match tree {
            UseTree::Path(path) => self.import(&joined(&path.ident), &path.tree),
            UseTree::Name(name) if name.ident == "self" => {
                self.0.insert(before.to_owned());
            }
            UseTree::Name(name) => {
                self.0.insert(joined(&name.ident));
            }
            UseTree::Rename(rename) => {
                self.0.insert(joined(&rename.ident));
            }
            UseTree::Glob(_) => {
                self.0.insert(joined(&"*"));
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(before, tree);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import("", &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<_> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        self.0.insert(parts.join("::"));
        visit::visit_path(self, path);
    }
}

struct Macros(Vec<(String, Vec<String>)>);

impl<'ast> Visit<'ast> for Macros {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if let Some(name) = call.path.segments.last() {
            let arguments = arguments(call.tokens.clone());
            self.0.push((name.ident.to_string(), arguments));
        }
        visit::visit_macro(self, call);
    }
}

fn is_for_tests(item: &Item) -> bool {
    let attributes: &[Attribute] = match item {
        Item::Mod(ItemMod { attrs, .. }) => attrs,
        Item::Fn(ItemFn { attrs, .. }) => attrs,
        Item::Impl(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    };
    attributes.iter().any(|attribute| {
        let list = attribute.meta.require_list();
        attribute.path().is_ident("cfg") && list.is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

/// The arguments of a macro as text without spaces.
fn arguments(tokens: TokenStream) -> Vec<String> {
    let mut arguments = vec![String::new()];
    for token in tokens {
        match (&token, arguments.last_mut()) {
            (TokenTree::Punct(punct), _) if punct.as_char() == ',' => {
                arguments.push(String::new());
            }
            (_, Some(last)) => last.push_str(&token.to_string()),
            (_, None) => {}
        }
    }
    arguments.retain(|argument| !argument.is_empty());
    arguments
}
