//! Photographs of an audit as its page shows them.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use super::findings::Findings;
use super::photographs::Photographs;
use crate::page::{Gallery, Photograph, Pictures, grouped};

/// A list of photographs, as far as it is shown.
pub(super) struct Shown<'a> {
    pub(super) count: String,
    /// Says that there are more than are shown.
    pub(super) rest: Option<String>,
    pub(super) gallery: Gallery<'a>,
}

/// A set of twins.
pub(super) struct SetShown<'a> {
    pub(super) title: String,
    pub(super) gallery: Gallery<'a>,
}

/// What shows photographs: their names, and thumbnails where there are folders.
pub(super) struct Showing<'a> {
    photographs: &'a Photographs,
    /// Of each store.
    pictures: Vec<Pictures>,
}

impl<'a> Showing<'a> {
    /// Makes thumbnails of the photographs that will be shown.
    pub(super) fn new(images: &[PathBuf], photographs: &'a Photographs, shown: BTreeSet<usize>) -> Self {
        let turns = photographs.spec().is_some_and(|spec| spec.exif_orientation);
        let mut of_store: HashMap<usize, Vec<usize>> = HashMap::new();
        for row in shown {
            of_store.entry(photographs.all[row].store).or_default().push(row);
        }
        let pictures = images.iter().enumerate().map(|(store, folder)| {
            let rows = of_store.remove(&store).unwrap_or_default();
            let wanted = rows.iter().map(|&row| &photographs.all[row]);
            Pictures::of(
                folder,
                wanted.map(|photograph| (photograph.path.as_str(), photograph.sha256)),
                turns,
            )
        });
        Self { photographs, pictures: pictures.collect() }
    }

    fn photograph(&self, row: usize, mut lines: Vec<String>) -> Photograph<'_> {
        let photograph = &self.photographs.all[row];
        if self.photographs.stores.len() > 1 {
            lines.push(format!("store {}", photograph.store + 1));
        }
        let picture = self.pictures.get(photograph.store);
        Photograph {
            path: &photograph.path,
            lines,
            picture: picture.and_then(|pictures| pictures.get(&photograph.path)),
        }
    }

    /// The first of a list, with what is said of each.
    pub(super) fn list(
        &self,
        rows: &[usize],
        most: usize,
        file: &str,
        lines: impl Fn(usize) -> Vec<String>,
    ) -> Shown<'_> {
        let count = grouped(rows.len() as u64);
        let rest = (rows.len() > most).then(|| format!("The first {most} of {count}; all are in {file}."));
        let photographs = rows.iter().take(most).map(|&row| self.photograph(row, lines(row))).collect();
        Shown { count, rest, gallery: Gallery { photographs } }
    }

    /// Sets of twins.
    pub(super) fn sets(&self, sets: &[Vec<usize>], most: usize, findings: &Findings) -> Vec<SetShown<'_>> {
        let all = &self.photographs.all;
        let set = |set: &Vec<usize>| {
            let differ = |of: &dyn Fn(usize) -> usize| set.iter().any(|&row| of(row) != of(set[0]));
            let mut title = format!("{} photographs", set.len());
            if differ(&|row| all[row].store) {
                title += ", in several stores";
            }
            if differ(&|row| all[row].label) {
                title += ", of several labels";
            }
            if set.len() > most {
                title += &format!("; the first {most} are shown");
            }
            let photographs =
                set.iter().take(most).map(|&row| self.photograph(row, self.twin_lines(row, findings)));
            SetShown { title, gallery: Gallery { photographs: photographs.collect() } }
        };
        sets.iter().map(set).collect()
    }

    fn twin_lines(&self, row: usize, findings: &Findings) -> Vec<String> {
        let label = &self.photographs.classes.names()[self.photographs.all[row].label];
        let what = match findings.twins[row] {
            None => "the first of them".to_owned(),
            Some(twin) if twin.is_exact => "the same file".to_owned(),
            Some(twin) => format!("cosine {:.3}", twin.cosine),
        };
        vec![label.clone(), what]
    }
}
