//! exclude.txt: what `extractor extract --exclude` would leave out.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use convbase_core::Exclusions;

use super::findings::Findings;
use super::photographs::Photographs;

/// How each list begins.
const HEADING: &str = "What `evaluator audit` proposes to leave out, for `extractor extract --exclude`. Look at it first: \
                       take away the lines of photographs that are to stay.";

/// Whether a file is a list that an audit wrote, and none that somebody else did.
pub(super) fn is_proposed(path: &Path) -> bool {
    let heading = Exclusions::comment(HEADING);
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(heading.len() as u64).read_to_end(&mut begin));
    read.is_ok() && begin == heading.as_bytes()
}

/// The photographs that are proposed to be left out: doubtful labels, and of each set of twins all but the first whose
/// label is not doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proposal {
    /// The most doubtful first.
    pub(super) doubtful: Vec<usize>,
    /// In the order of their sets, each with the one that stays; none where the labels of all are doubtful.
    pub(super) twins: Vec<(usize, Option<usize>)>,
}

impl Proposal {
    pub(super) fn new(doubtful: Vec<usize>, sets: &[Vec<usize>]) -> Self {
        let is_doubtful: BTreeSet<usize> = doubtful.iter().copied().collect();
        let mut twins = Vec::new();
        for set in sets {
            let trusted = || set.iter().copied().filter(|row| !is_doubtful.contains(row));
            let stays = trusted().next();
            twins.extend(trusted().skip(1).map(|row| (row, stays)));
        }
        Self { doubtful, twins }
    }

    /// The list of one store.
    pub(super) fn list(&self, store: usize, photographs: &Photographs, findings: &Findings) -> String {
        let comment = Exclusions::comment;
        let of_store = |row: &usize| photographs.all[*row].store == store;
        let class = |row: usize| &photographs.classes.names()[photographs.all[row].label];
        let path = |row: usize| Exclusions::line(&photographs.all[row].path);
        let mut text = comment(HEADING);
        let doubts: Vec<usize> = self.doubtful.iter().copied().filter(of_store).collect();
        text += &comment(&format!("{} doubtful labels, the most doubtful first.", doubts.len()));
        for row in doubts {
            text += &comment(&format!(
                "labelled {}, and more probably {}:",
                class(row),
                findings.suggestion(photographs, row)
            ));
            text += &path(row);
        }
        let twins: Vec<_> = self.twins.iter().filter(|(row, _)| of_store(row)).collect();
        text += &comment(&format!("{} twins of photographs that stay.", twins.len()));
        for &&(row, stays) in &twins {
            if let Some(stays) = stays.map(|stays| &photographs.all[stays]) {
                let of_store = if stays.store == store {
                    String::new()
                } else {
                    format!(" of store {}", stays.store + 1)
                };
                text += &comment(&format!("twin of {}{of_store}:", stays.path));
            }
            text += &path(row);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_twin_whose_label_is_not_doubtful_stays() {
        let proposal = Proposal::new(vec![7, 0], &[vec![0, 3, 5], vec![1, 2], vec![6, 7], vec![0, 7]]);
        assert_eq!(proposal.doubtful, [7, 0]);
        assert_eq!(proposal.twins, [(5, Some(3)), (2, Some(1))]);
    }
}
