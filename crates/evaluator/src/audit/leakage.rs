//! Photographs of a test store that were trained on as well.

use convbase_core::Digest;
use convbase_core::store::FeatureStore;

use super::directions::Directions;
use super::photographs::Photographs;
use super::twins::twins;
use crate::args::AuditArguments;

/// A photograph of the test store beside the one of the training store that it is a twin of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Leak {
    /// Relative to the images folder of the test store.
    pub(crate) path: String,
    /// Relative to the images folder of the training store.
    pub(crate) twin: String,
    /// The cosine of their whitened features.
    pub(crate) cosine: f64,
    /// Whether their files are the same, byte by byte.
    pub(crate) is_exact: bool,
}

/// Twins of training photographs among test photographs, in the order of the test store. The stores must have been made
/// alike.
pub(crate) fn leaks(training: FeatureStore, test: FeatureStore, threads: usize) -> anyhow::Result<Vec<Leak>> {
    let photographs = Photographs::of(vec![training, test], threads)?;
    let directions = Directions::whitened(photographs.features.numbers(), photographs.features.width());
    let digests: Vec<Option<Digest>> = photographs.all.iter().map(|photograph| photograph.sha256).collect();
    let twins = twins(&directions, &digests, AuditArguments::TWINS);
    let pairs = photographs.all.iter().zip(twins).filter_map(|(photograph, twin)| {
        let twin = twin?;
        let first = &photographs.all[twin.first];
        (first.store == 0 && photograph.store == 1).then(|| Leak {
            path: photograph.path.clone(),
            twin: first.path.clone(),
            cosine: twin.cosine,
            is_exact: twin.is_exact,
        })
    });
    Ok(pairs.collect())
}
