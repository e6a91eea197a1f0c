//! What lies in a labelled image folder, class by class: what will be listed, and what a person should know before.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use convbase_core::{Classes, Exclusions, escaped};

use super::DatasetError;
use super::names::{are_parts, is_image_name};
use super::photographs::{LeftOut, Photographs, photographs};
use super::walk::{Entry, Kind, walk};

/// A labelled image folder as it was found, whatever is wrong with it.
#[derive(Debug, Clone)]
pub struct Survey {
    root: PathBuf,
    classes: Vec<ClassFound>,
    are_given: bool,
    /// Folders that are not among the classes that were given.
    other_folders: Vec<String>,
    /// Photographs beside the class folders.
    unlabelled: Vec<String>,
    beside: LeftOut,
    /// Class folders whose names are no text.
    not_text: Vec<String>,
    excluded: Option<Excluded>,
}

/// What a list of exclusions took out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excluded {
    /// How many photographs are left out.
    pub photographs: usize,
    /// Paths of the list that name no photograph here, sorted.
    pub unknown: Vec<String>,
}

/// What was found of one class.
#[derive(Debug, Clone)]
pub struct ClassFound {
    /// Its name.
    pub name: String,
    /// What lies in its folder.
    pub photographs: Photographs,
    /// What is there in place of a folder.
    pub missing: Option<&'static str>,
}

impl Survey {
    /// Looks through `root`. Classes are its sub-folders in sorted order, or `classes` when given.
    ///
    /// Fails where a folder cannot be listed, and where a link leads in a circle; all else is told by
    /// [`problems`](Self::problems) and [`remarks`](Self::remarks).
    pub fn of(root: &Path, classes: Option<&Classes>) -> Result<Self, DatasetError> {
        let mut survey = Self {
            root: root.to_owned(),
            classes: Vec::new(),
            are_given: classes.is_some(),
            other_folders: Vec::new(),
            unlabelled: Vec::new(),
            beside: LeftOut::default(),
            not_text: Vec::new(),
            excluded: None,
        };
        let is_given = |name: &std::ffi::OsStr| {
            name.to_str().is_some_and(|name| classes.is_some_and(|classes| classes.label(name).is_some()))
        };
        let (mut folders, mut dangling) = (Vec::new(), Vec::new());
        walk(root, 1, is_given, |entry| match entry.kind {
            Kind::Folder if !entry.is_text => survey.not_text.push(entry.path),
            Kind::Folder => folders.push(entry.path),
            // A class whose disk is gone looks like this.
            Kind::Dangling if !entry.path.contains('.') => dangling.push(entry.path),
            _ => survey.add_beside(entry),
        })?;
        survey.beside.sort();
        survey.unlabelled.sort_unstable();
        survey.not_text.sort_unstable();
        dangling.sort_unstable();
        folders.sort();
        let names = match classes {
            Some(classes) => classes.names().to_vec(),
            None => {
                let mut names = [&folders[..], &dangling[..]].concat();
                names.sort();
                names
            }
        };
        for name in names {
            let is_folder = folders.binary_search(&name).is_ok();
            let missing = match (is_folder, dangling.contains(&name)) {
                (true, _) => None,
                (false, true) => Some("a link to nothing"),
                (false, false) => Some("no such folder"),
            };
            let photographs =
                if is_folder { photographs(&root.join(&name))? } else { Photographs::default() };
            survey.classes.push(ClassFound { name, photographs, missing });
        }
        let is_class = |name: &String| survey.classes.iter().any(|class| class.name == *name);
        survey.other_folders = folders.into_iter().chain(dangling).filter(|name| !is_class(name)).collect();
        Ok(survey)
    }

    /// The same without the photographs that a list names.
    #[must_use]
    pub fn without(mut self, exclusions: &Exclusions) -> Self {
        let mut found = BTreeSet::new();
        for class in &mut self.classes {
            let is_excluded = |path: &str| exclusions.contains(&format!("{}/{path}", class.name));
            let Photographs { paths, odd, links, .. } = &mut class.photographs;
            for path in paths.iter().filter(|path| is_excluded(path)) {
                let path = format!("{}/{path}", class.name);
                let is_link = fs::symlink_metadata(self.root.join(&path)).is_ok_and(|file| file.is_symlink());
                *links = links.saturating_sub(is_link.into());
                found.insert(path);
            }
            paths.retain(|path| !is_excluded(path));
            odd.retain(|path| !is_excluded(path));
        }
        let unknown = exclusions.paths().filter(|path| !found.contains(*path)).map(str::to_owned).collect();
        self.excluded = Some(Excluded { photographs: found.len(), unknown });
        self
    }

    fn add_beside(&mut self, entry: Entry) {
        if matches!(entry.kind, Kind::File | Kind::Dangling) && is_image_name(entry.name()) {
            self.unlabelled.push(entry.path);
        } else {
            self.beside.add(entry);
        }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The classes in the order of their labels.
    pub fn classes(&self) -> &[ClassFound] {
        &self.classes
    }

    /// The same, to keep.
    pub(super) fn into_classes(self) -> Vec<ClassFound> {
        self.classes
    }

    /// What lies beside the class folders, photographs without a class not counted.
    pub fn beside(&self) -> &LeftOut {
        &self.beside
    }

    /// Photographs beside the class folders.
    pub fn unlabelled(&self) -> &[String] {
        &self.unlabelled
    }

    /// Folders that are not among the classes that were given.
    pub fn other_folders(&self) -> &[String] {
        &self.other_folders
    }

    /// What a list of exclusions took out, where one was given.
    pub fn excluded(&self) -> Option<&Excluded> {
        self.excluded.as_ref()
    }

    /// How many photographs all classes have.
    pub fn photographs(&self) -> usize {
        self.classes.iter().map(|class| class.photographs.paths.len()).sum()
    }

    /// What keeps this from being a labelled image folder.
    pub fn problems(&self, allows_empty_class: bool) -> Vec<DatasetError> {
        let path = || self.root.clone();
        let mut problems = Vec::new();
        let names: Vec<String> = self.classes.iter().map(|class| class.name.clone()).collect();
        if !self.are_given && are_parts(&names) {
            problems.push(DatasetError::Parts { path: path(), parts: some_of(&names) });
        }
        let not_text: Vec<String> =
            self.not_text.iter().cloned().chain(self.classes.iter().flat_map(not_text)).collect();
        if !not_text.is_empty() {
            problems.push(DatasetError::NotUnicode { path: path(), names: some_of(&not_text) });
        }
        let empty: Vec<&ClassFound> =
            self.classes.iter().filter(|class| class.photographs.paths.is_empty()).collect();
        let described: Vec<String> = empty.iter().map(|class| self.describe_empty(class)).collect();
        if self.classes.is_empty() {
            problems.push(DatasetError::NoClasses { path: path() });
        } else if empty.len() == self.classes.len() && not_text.is_empty() {
            problems.push(DatasetError::NoImages { path: path(), classes: some_of(&described) });
        } else if !empty.is_empty() && !allows_empty_class {
            problems.push(DatasetError::EmptyClasses { path: path(), classes: some_of(&described) });
        }
        problems
    }

    /// What a class without photographs has instead: `cats (.avif 17)`.
    fn describe_empty(&self, class: &ClassFound) -> String {
        let name = escaped(&class.name);
        let meant = self.other_folders.iter().find(|folder| are_alike(folder, &class.name));
        let instead = match (class.missing, meant) {
            (Some("no such folder"), Some(meant)) => format!("no such folder, but `{}`", escaped(meant)),
            (Some(missing), _) => missing.to_owned(),
            (None, _) => class.photographs.left_out.shown_suffixes(),
        };
        if instead.is_empty() { name.into_owned() } else { format!("{name} ({instead})") }
    }

    /// What is left out or is missing, one sentence each.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let mut say = |count: usize, text: String| {
            if count > 0 {
                remarks.push(text);
            }
        };
        let count = self.unlabelled.len();
        say(
            count,
            format!(
                "{count} photographs beside the class folders have no class and are left out: {}",
                some_of(&self.unlabelled)
            ),
        );
        if let Some(Excluded { unknown, .. }) = &self.excluded {
            let count = unknown.len();
            say(
                count,
                format!(
                    "{count} paths of the exclusions name no photograph that would be listed: {}",
                    some_of(unknown)
                ),
            );
        }
        for folder in &self.other_folders {
            say(1, format!("folder `{}` is not among the classes and is left out", escaped(folder)));
        }
        for class in self.classes.iter().filter(|class| class.photographs.paths.is_empty()) {
            say(1, format!("class {} has no photographs here", self.describe_empty(class)));
        }
        for class in &self.classes {
            let left_out = &class.photographs.left_out;
            let count = left_out.foreign;
            say(
                count,
                format!(
                    "class {}: {count} photographs are of formats that cannot be decoded and are left out: {}",
                    escaped(&class.name),
                    left_out.shown_suffixes()
                ),
            );
        }
        let all = |list: fn(&LeftOut) -> &Vec<String>| {
            let inside = self.classes.iter().flat_map(move |class| {
                list(&class.photographs.left_out).iter().map(move |path| format!("{}/{path}", class.name))
            });
            list(&self.beside).iter().cloned().chain(inside).collect::<Vec<_>>()
        };
        let dangling = all(|left_out| &left_out.dangling);
        say(dangling.len(), format!("links lead nowhere and are left out: {}", some_of(&dangling)));
        let system = all(|left_out| &left_out.system_folders);
        say(system.len(), format!("folders that systems make are left out: {}", some_of(&system)));
        let results = all(|left_out| &left_out.results);
        say(
            results.len(),
            format!("folders with Convbase's own results are left out: {}", some_of(&results)),
        );
        let lists = || self.classes.iter().map(|class| &class.photographs.left_out).chain([&self.beside]);
        let others: usize = lists()
            .map(|left_out| {
                left_out.files().saturating_sub(left_out.foreign).saturating_add(left_out.system_files)
            })
            .sum();
        say(others, format!("{others} files without an image suffix are left out"));
        remarks
    }

    /// One line per class: photographs, links among them, other files by suffix.
    pub fn table(&self) -> String {
        const MOST: usize = 50;
        let shown = self.classes.iter().take(MOST);
        let width = shown.clone().map(|class| escaped(&class.name).chars().count()).max().unwrap_or(0).max(5);
        let mut lines = vec![format!("{:width$}  photographs  links  other files", "class")];
        for class in shown {
            let Photographs { paths, links, left_out, .. } = &class.photographs;
            let line = format!(
                "{:width$}  {:>11}  {links:>5}  {}",
                escaped(&class.name),
                paths.len(),
                left_out.shown_suffixes()
            );
            lines.push(line.trim_end().to_owned());
        }
        if let Some(more) = self.classes.len().checked_sub(MOST).filter(|more| *more > 0) {
            lines.push(format!("and {more} more classes"));
        }
        lines.join("\n")
    }
}

fn not_text(class: &ClassFound) -> impl Iterator<Item = String> {
    class.photographs.left_out.not_text.iter().map(|path| format!("{}/{path}", class.name))
}

/// Names for a message: the first hundred.
fn some_of(names: &[String]) -> String {
    const MOST: usize = 100;
    let more = names.len().checked_sub(MOST).filter(|more| *more > 0).map(|more| format!("{more} more"));
    names.iter().take(MOST).map(|name| escaped(name).into_owned()).chain(more).collect::<Vec<_>>().join(", ")
}

/// Whether somebody may have meant the one by the other.
fn are_alike(found: &str, given: &str) -> bool {
    let (found, given) = (found.trim().to_lowercase(), given.trim().to_lowercase());
    found == given || strsim::normalized_damerau_levenshtein(&found, &given) >= 0.7
}
