//! audit.html: what an audit found, to look at.

use askama::Template;

use super::exclusion_list::Proposal;
use super::findings::Findings;
use super::photographs::Photographs;
use super::shown::{SetShown, Showing, Shown};
use super::summary::{Summary, exclusions_name};
use crate::args::AuditArguments;
use crate::page::grouped;

/// Photographs of a list that a page shows; with thumbnails they take about 5 kB each.
const MOST_SHOWN: usize = 120;
/// Sets of twins that it shows, and photographs of each.
const MOST_SETS: usize = 60;
const MOST_OF_A_SET: usize = 6;
/// Classes whose confident joint fits a page.
const MOST_CLASSES: usize = 30;

/// The page.
#[derive(Template)]
#[template(path = "audit.html")]
struct Page<'a> {
    photographs: String,
    twins: String,
    between_stores: String,
    several_stores: bool,
    excluded: String,
    exclusions: String,
    lists: Vec<String>,
    audited: bool,
    doubtful: Shown<'a>,
    joint: Option<Joint<'a>>,
    sets: Vec<SetShown<'a>>,
    sets_rest: Option<String>,
    odd: Shown<'a>,
    stores: Vec<Store>,
    settings: Vec<(&'static str, String)>,
}

struct Joint<'a> {
    names: &'a [String],
    rows: Vec<JointRow<'a>>,
}

struct JointRow<'a> {
    name: &'a str,
    counts: &'a [i64],
}

struct Store {
    number: usize,
    photographs: String,
    rejected: String,
    exclusions: String,
    digest: String,
}

/// The page as text. Thumbnails come from the folders of photographs, where those are given.
pub(super) fn page(
    arguments: &AuditArguments,
    photographs: &Photographs,
    findings: &Findings,
    proposal: &Proposal,
    summary: &Summary,
) -> anyhow::Result<String> {
    let count = |count: usize| grouped(count as u64);
    let mut sets = findings.sets();
    let is_between =
        |set: &[usize]| set.iter().any(|&row| photographs.all[row].store != photographs.all[set[0]].store);
    let all_sets = sets.len();
    // What makes a test too easy comes first.
    sets.sort_by_key(|set| !is_between(set));
    sets.truncate(MOST_SETS);
    let doubtful = findings.doubtful();
    let odd: Vec<usize> = findings.odd.iter().map(|odd| odd.row).collect();
    let shown = doubtful.iter().take(MOST_SHOWN).chain(odd.iter().take(MOST_SHOWN)).copied();
    let shown = shown.chain(sets.iter().flat_map(|set| set.iter().take(MOST_OF_A_SET).copied()));
    let showing = Showing::new(&arguments.images, photographs, shown.collect());
    let stores = photographs.stores.len();
    let lists: Vec<String> = (0..stores).map(|store| exclusions_name(store, stores)).collect();
    let page = Page {
        photographs: count(photographs.all.len()),
        twins: count(summary.twins.photographs),
        between_stores: count(summary.twins.sets_between_stores),
        several_stores: stores > 1,
        excluded: count(proposal.doubtful.len() + proposal.twins.len()),
        exclusions: lists.join(", "),
        lists,
        audited: findings.labels.is_some(),
        doubtful: showing
            .list(&doubtful, MOST_SHOWN, "labels.csv", |row| findings.doubt_lines(photographs, row)),
        joint: joint(findings),
        sets_rest: (all_sets > sets.len())
            .then(|| format!("The first {} of {all_sets} sets; all are in twins.csv.", sets.len())),
        sets: showing.sets(&sets, MOST_OF_A_SET, findings),
        odd: showing.list(&odd, MOST_SHOWN, "outliers.csv", |row| findings.odd_lines(photographs, row)),
        stores: summary
            .stores()
            .map(|(number, store)| Store {
                number: number + 1,
                photographs: count(store.photographs),
                rejected: count(store.rejected),
                exclusions: store.exclusions.clone(),
                digest: store.features.to_string(),
            })
            .collect(),
        settings: summary.settings(),
    };
    Ok(page.render()?)
}

/// The confident joint, where it fits the page.
fn joint(findings: &Findings) -> Option<Joint<'_>> {
    let (held_out, learning) = findings.labels.as_ref()?;
    let names = held_out.classes.names();
    let rows = names.iter().zip(&learning.joint).map(|(name, counts)| JointRow { name, counts });
    (names.len() <= MOST_CLASSES).then(|| Joint { names, rows: rows.collect() })
}
