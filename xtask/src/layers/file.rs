//! One source file: the modules it declares, the paths it names and what it re-exports.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemMod, ItemUse, Lit, Meta, UseTree};

/// A path as it is written, without `crate`, `self` and `super` resolved.
pub(super) type Written = Vec<String>;

/// A module that a file declares.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    /// Of `#[path = "…"]`.
    pub(super) path: Option<String>,
}

/// What one file says, tests left out.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) modules: Vec<Declared>,
    pub(super) paths: Vec<Written>,
    /// A name, and the path it stands for: of `use`, which re-exports it or not.
    pub(super) names: Vec<(String, Written)>,
    /// How many modules are open within the file.
    depth: usize,
}

impl File {
    pub(super) fn parse(text: &str) -> syn::Result<Self> {
        let mut file = Self::default();
        file.visit_file(&syn::parse_file(text)?);
        Ok(file)
    }

    fn add_use(&mut self, tree: &UseTree, before: &mut Written) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_use(&path.tree, before);
                before.pop();
            }
            UseTree::Name(name) => self.add_name(&name.ident.to_string(), None, before),
            UseTree::Rename(name) => {
                self.add_name(
                    &name.ident.to_string(),
                    Some(name.rename.to_string()),
                    before,
                );
            }
            UseTree::Glob(_) => self.add_name("*", None, before),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(tree, before);
                }
            }
        }
    }

    fn add_name(&mut self, name: &str, renamed: Option<String>, before: &[String]) {
        let mut path = before.to_vec();
        let mut known_as = renamed.unwrap_or_else(|| name.to_owned());
        if name == "self" {
            if known_as == "self" {
                known_as = path.last().cloned().unwrap_or_default();
            }
        } else {
            path.push(name.to_owned());
        }
        let Some(path) = self.seen_from_file(path) else {
            return;
        };
        if self.depth == 0 {
            self.names.push((known_as, path.clone()));
        }
        self.paths.push(path);
    }

    /// A path that is written in a module within the file, as the file would write it;
    /// `None` for what stands in the file itself.
    fn seen_from_file(&self, path: Written) -> Option<Written> {
        let ups = path.iter().take_while(|word| *word == "super").count();
        match path.first()?.as_str() {
            "crate" => Some(path),
            "super" if ups > self.depth => path.get(self.depth..).map(<[String]>::to_vec),
            _ if self.depth > 0 => None,
            _ => Some(path),
        }
    }

    /// Paths in the text of a macro: those that begin with `crate`, `self` or `super`.
    /// `$crate` is the caller's business.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Written = Vec::new();
        let mut colons = 0;
        let mut after_dollar = false;
        for token in tokens {
            match token {
                TokenTree::Ident(word) if !after_dollar => {
                    let word = word.to_string();
                    if colons == 2 && !path.is_empty() {
                        path.push(word);
                    } else {
                        self.end_of_path(&mut path);
                        if matches!(word.as_str(), "crate" | "self" | "super") {
                            path.push(word);
                        }
                    }
                    colons = 0;
                }
                TokenTree::Punct(sign) if sign.as_char() == ':' => colons += 1,
                TokenTree::Punct(sign) if sign.as_char() == '$' => {
                    self.end_of_path(&mut path);
                    after_dollar = true;
                    continue;
                }
                TokenTree::Group(group) => {
                    self.end_of_path(&mut path);
                    self.add_tokens(group.stream());
                    colons = 0;
                }
                _ => {
                    self.end_of_path(&mut path);
                    colons = 0;
                }
            }
            after_dollar = false;
        }
        self.end_of_path(&mut path);
    }

    fn end_of_path(&mut self, path: &mut Written) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.paths.extend(self.seen_from_file(path));
        }
    }
}

impl<'a> Visit<'a> for File {
    fn visit_item(&mut self, item: &'a Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'a ImplItem) {
        let attributes = match item {
            ImplItem::Fn(item) => item.attrs.as_slice(),
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            _ => &[],
        };
        if !is_test(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'a ItemMod) {
        match &module.content {
            Some((_, items)) => {
                self.depth += 1;
                items.iter().for_each(|item| self.visit_item(item));
                self.depth -= 1;
            }
            None => self.modules.push(Declared {
                name: module.ident.to_string(),
                path: path_of(&module.attrs),
            }),
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        self.add_use(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        if path.segments.len() > 1 {
            let words = path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string());
            self.paths.extend(self.seen_from_file(words.collect()));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, found: &'a syn::Macro) {
        self.visit_path(&found.path);
        self.add_tokens(found.tokens.clone());
    }

    // `pub(in …)` imports nothing.
    fn visit_visibility(&mut self, _: &'a syn::Visibility) {}

    // Documentation names what it likes.
    fn visit_attribute(&mut self, _: &'a Attribute) {}
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// True under `#[cfg(test)]` and `#[cfg(all(test, …))]`.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else {
            return false;
        };
        let text = list.tokens.to_string();
        list.path.is_ident("cfg") && (text == "test" || text.starts_with("all (test"))
    })
}

fn path_of(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        let syn::Expr::Lit(value) = &pair.value else {
            return None;
        };
        let Lit::Str(text) = &value.lit else {
            return None;
        };
        pair.path.is_ident("path").then(|| text.value())
    })
}
