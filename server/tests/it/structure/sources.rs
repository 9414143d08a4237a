//! The workspace's Rust files, parsed.

use std::{collections::BTreeSet, path::Path};

use syn::{
    Attribute, Block, ImplItemFn, Item, ItemFn, ItemMod, Signature, TraitItemFn, UseTree,
    spanned::Spanned,
    visit::{self, Visit},
};

/// One file.
pub(super) struct Source {
    /// From the workspace's root.
    pub(super) path: String,
    pub(super) text: String,
    file: syn::File,
}

/// Every file that a person wrote.
pub(super) fn of_the_workspace() -> Vec<Source> {
    let root = root();
    let mut sources = Vec::new();
    for folder in ["server", "ledger", "migrations", "proto"] {
        gather(&root, &root.join(folder), &mut sources);
    }
    sources.push(Source::read(&root, &root.join("build.rs")));
    assert!(sources.len() > 200, "{} files", sources.len());
    sources
}

/// The server's own files, without its tests.
pub(super) fn of_the_server() -> Vec<Source> {
    let root = root();
    let mut sources = Vec::new();
    gather(&root, &root.join("server/src"), &mut sources);
    sources.retain(|source| !source.is_test());
    assert!(sources.len() > 100, "{} files", sources.len());
    sources
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
        Self {
            file: file.unwrap_or_else(|error| panic!("{name}: {error}")),
            path: name.to_string(),
            text,
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

    /// Every function with the lines from its signature to its end.
    pub(super) fn functions(&self) -> Vec<(String, usize)> {
        let mut functions = Functions(Vec::new());
        functions.visit_file(&self.file);
        functions.0
    }

    /// Every path that the code names, tests aside, with what it imports in full.
    pub(super) fn paths(&self) -> BTreeSet<String> {
        let mut paths = Paths(BTreeSet::new());
        paths.visit_file(&self.file);
        paths.0
    }

    /// Every macro that the code calls, tests aside: its name and its tokens.
    pub(super) fn macros(&self) -> Vec<(String, proc_macro2::TokenStream)> {
        let mut macros = Macros(Vec::new());
        macros.visit_file(&self.file);
        macros.0
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

struct Macros(Vec<(String, proc_macro2::TokenStream)>);

impl<'ast> Visit<'ast> for Macros {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if let Some(name) = call.path.segments.last() {
            self.0.push((name.ident.to_string(), call.tokens.clone()));
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
