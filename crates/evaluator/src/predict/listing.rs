//! What is to be predicted, a chunk at a time.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use convbase_core::escaped_path;
use convbase_core::exit::{Hinted, WithHint, one_line};
use convbase_images::{LeftOut, photographs};
use tracing::{info, warn};

use super::sorted_folders::refuse_inside;
use super::stdin_paths::StdinPaths;
use crate::args::{PredictArguments, is_stdin};

/// A path that holds no photographs.
#[derive(Debug, thiserror::Error)]
pub(super) enum NothingListed {
    #[error("`{}`: expected photographs, found none", .0.display())]
    In(PathBuf),
    #[error("stdin: expected paths of photographs, found none")]
    OnStdin,
}

/// Something that was asked for and cannot be predicted, whatever is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// The path as it may be shown.
    pub(super) path: String,
    pub(super) error: String,
}

/// Photographs that are predicted together.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) images: Vec<PathBuf>,
    /// Of each, how many parts of its path lie below what was given: 1 of a file, 2 of `given/cats/1.jpg`.
    pub(super) depths: Vec<usize>,
    /// What stands between them, each with the number of photographs that stand before it.
    pub(super) refused: Vec<(usize, Refused)>,
}

impl Chunk {
    fn add(&mut self, listed: Listed) {
        match listed {
            Listed::Photograph(path, depth) => {
                self.images.push(path);
                self.depths.push(depth);
            }
            Listed::Refused(refused) => self.refused.push((self.images.len(), refused)),
        }
    }

    fn len(&self) -> usize {
        self.images.len() + self.refused.len()
    }
}

enum Listed {
    Photograph(PathBuf, usize),
    Refused(Refused),
}

/// The photographs that are meant, in the order in which they were given: files as they are, folders by their photographs
/// in sorted order, sub-folders included.
///
/// Folders of the command line are listed at once, so that mistakes show at once. Paths on stdin are read as they are
/// needed: there may be more of them than memory holds.
pub(super) struct Listing<'a> {
    /// Where copies go, which must not be listed.
    copies: Option<&'a Path>,
    /// What is listed already and comes next.
    listed: VecDeque<Listed>,
    stdin: Option<StdinPaths>,
    /// What comes after the paths on stdin.
    after: VecDeque<Listed>,
    /// Not known of paths on stdin.
    total: Option<usize>,
}

impl<'a> Listing<'a> {
    /// Lists what the command line names; a `-` stands for paths on stdin.
    pub(super) fn open(arguments: &'a PredictArguments) -> anyhow::Result<Self> {
        let given = &arguments.images;
        let copies = arguments.sort_into.as_deref();
        let mut parts = given.splitn(2, |path| is_stdin(path));
        let listed = list_all(parts.next().unwrap_or_default(), copies)?;
        let Some(after) = parts.next() else {
            // The command line asks for at least one path.
            return match given.first() {
                Some(path) if listed.is_empty() => Err(NothingListed::In(path.clone()).into()),
                _ => {
                    let total = Some(listed.len());
                    Ok(Self { copies, listed, stdin: None, after: VecDeque::new(), total })
                }
            };
        };
        let after = list_all(after, copies)?;
        info!("reading paths of photographs from stdin");
        let stdin = Some(StdinPaths::new(std::io::stdin().lock(), arguments.null));
        Ok(Self { copies, listed, stdin, after, total: None })
    }

    /// How many there are in all, where that is known.
    pub(super) fn total(&self) -> Option<usize> {
        self.total
    }

    /// The next ones, at most so many; `None` where there are no more.
    pub(super) fn next(&mut self, most: usize) -> anyhow::Result<Option<Chunk>> {
        let mut chunk = Chunk::default();
        while chunk.len() < most.max(1) {
            if let Some(listed) = self.listed.pop_front() {
                chunk.add(listed);
                continue;
            }
            let Some(stdin) = &mut self.stdin else { break };
            let next = stdin.next();
            match next.hint(|| "paths are one a line; with `--null` each ends with a zero byte")? {
                Some(path) => self.listed = list_here(&path, self.copies),
                None => {
                    self.stdin = None;
                    self.listed = std::mem::take(&mut self.after);
                }
            }
        }
        Ok((chunk.len() > 0).then_some(chunk))
    }
}

fn list_all(given: &[PathBuf], copies: Option<&Path>) -> anyhow::Result<VecDeque<Listed>> {
    let mut listed = VecDeque::new();
    for path in given {
        list(path, copies, &mut listed)?;
    }
    Ok(listed)
}

/// A folder that cannot be listed in the middle of a run costs itself alone.
fn list_here(path: &Path, copies: Option<&Path>) -> VecDeque<Listed> {
    let mut listed = VecDeque::new();
    if let Err(error) = list(path, copies, &mut listed) {
        let refused = Refused { path: escaped_path(path), error: one_line(error.as_ref()) };
        listed.push_back(Listed::Refused(refused));
    }
    listed
}

fn list(path: &Path, copies: Option<&Path>, listed: &mut VecDeque<Listed>) -> anyhow::Result<()> {
    let unnamed = |path| {
        Listed::Refused(Refused { path, error: "expected a name in UTF-8: rename the file".to_owned() })
    };
    if path.is_dir() {
        if let Some(copies) = copies {
            refuse_inside(copies, path)?;
        }
        let found = photographs(path).map_err(|error| match error.remedy() {
            Some(remedy) => Hinted::new(error, remedy).into(),
            None => anyhow::Error::from(error),
        })?;
        let LeftOut { foreign, not_text, .. } = &found.left_out;
        if found.paths.is_empty() && not_text.is_empty() {
            warn!("{}", NothingListed::In(path.to_owned()));
        }
        if *foreign > 0 {
            let suffixes = found.left_out.shown_suffixes();
            warn!(
                "`{}`: {foreign} photographs are of formats that cannot be decoded: {suffixes}",
                path.display()
            );
        }
        let photograph = |name: &String| Listed::Photograph(path.join(name), name.split('/').count());
        listed.extend(found.paths.iter().map(photograph));
        listed.extend(not_text.iter().map(|name| unnamed(format!("{}/{name}", escaped_path(path)))));
    } else if path.to_str().is_none() {
        listed.push_back(unnamed(escaped_path(path)));
    } else {
        listed.push_back(Listed::Photograph(path.to_owned(), 1));
    }
    Ok(())
}
