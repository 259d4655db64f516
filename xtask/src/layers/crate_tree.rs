//! The files of one crate, and which of them import which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::file::{File, Written};

/// The most re-exports that a path is followed through.
const LONGEST: usize = 10;

/// A module's path: the names behind `crate`.
type Module = Vec<String>;

/// A file that names something of another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrow {
    pub(super) from: PathBuf,
    pub(super) to: PathBuf,
    /// The path as it is written.
    pub(super) name: String,
}

/// A crate's files; paths are below its `src`.
pub(super) struct CrateTree {
    source: PathBuf,
    /// More than one file where they are for different systems or features.
    modules: BTreeMap<Module, Vec<PathBuf>>,
    files: BTreeMap<PathBuf, (Module, File)>,
    arrows: BTreeSet<Arrow>,
}

impl CrateTree {
    /// Reads the crate from its root, `lib.rs` or `main.rs`, or both.
    pub(super) fn read(source: &Path) -> Result<Self, String> {
        let mut tree = Self {
            source: source.to_owned(),
            modules: BTreeMap::new(),
            files: BTreeMap::new(),
            arrows: BTreeSet::new(),
        };
        for root in ["lib.rs", "main.rs"] {
            if source.join(root).is_file() {
                tree.add(Module::new(), PathBuf::from(root), Path::new(""))?;
            }
        }
        tree.draw();
        Ok(tree)
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }

    pub(super) fn arrows(&self) -> &BTreeSet<Arrow> {
        &self.arrows
    }

    /// A file's path from the repository's root.
    pub(super) fn shown(&self, file: &Path) -> String {
        self.source.join(file).display().to_string()
    }

    /// Adds a file and the modules that it declares, which are in `folder`.
    fn add(&mut self, module: Module, path: PathBuf, folder: &Path) -> Result<(), String> {
        let full = self.source.join(&path);
        let shown = full.display().to_string();
        let text = fs::read_to_string(&full).map_err(|error| format!("{shown}: {error}"))?;
        let file = File::parse(&text).map_err(|error| format!("{shown}: {error}"))?;
        for declared in &file.modules {
            let name = &declared.name;
            let below = folder.join(name);
            let path_of_child = match &declared.path {
                Some(given) => path.parent().unwrap_or(Path::new("")).join(given),
                None if self.source.join(&below).join("mod.rs").is_file() => below.join("mod.rs"),
                None => folder.join(format!("{name}.rs")),
            };
            if !self.files.contains_key(&path_of_child) {
                let child = [module.as_slice(), std::slice::from_ref(name)].concat();
                self.add(child, path_of_child, &below)?;
            }
        }
        self.modules
            .entry(module.clone())
            .or_default()
            .push(path.clone());
        self.files.insert(path, (module, file));
        Ok(())
    }

    fn draw(&mut self) {
        let mut arrows = BTreeSet::new();
        for (from, (module, file)) in &self.files {
            for path in &file.paths {
                let Some(absolute) = self.absolute(module, file, path) else {
                    continue;
                };
                for to in self.resolve(absolute) {
                    if to != *from {
                        let (from, name) = (from.clone(), path.join("::"));
                        arrows.insert(Arrow { from, to, name });
                    }
                }
            }
        }
        self.arrows = arrows;
    }

    /// The path from the crate's root; `None` for those of other crates and of names that
    /// the file has itself.
    fn absolute(&self, module: &Module, file: &File, path: &Written) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let ups = path.iter().take_while(|word| *word == "super").count();
                let above = module.get(..module.len().checked_sub(ups)?)?;
                Some([above, path.get(ups..)?].concat())
            }
            name if file.modules.iter().any(|declared| declared.name == name) => {
                Some([module, path.as_slice()].concat())
            }
            // Of the library, named by its binary, or another crate.
            _ => None,
        }
    }

    /// The files in which the thing is defined that a path names.
    fn resolve(&self, path: Module) -> Vec<PathBuf> {
        let mut path = path;
        for _ in 0..LONGEST {
            let module = (0..=path.len())
                .rev()
                .find_map(|length| self.modules.get_key_value(path.get(..length)?));
            let Some((module, files)) = module else {
                return Vec::new();
            };
            let Some(name) = path.get(module.len()) else {
                return files.clone();
            };
            let Some(next) = files.iter().find_map(|file| self.imported(file, name)) else {
                // Macros are exported at the root, wherever they stand.
                return if module.is_empty() {
                    Vec::new()
                } else {
                    files.clone()
                };
            };
            let rest = path.get(module.len() + 1..).unwrap_or_default();
            path = [next.as_slice(), rest].concat();
        }
        Vec::new()
    }

    /// What a name stands for that a file imports.
    fn imported(&self, file: &Path, name: &str) -> Option<Module> {
        let (module, parsed) = self.files.get(file)?;
        let (_, path) = parsed.names.iter().find(|(known_as, _)| known_as == name)?;
        self.absolute(module, parsed, path)
    }
}
