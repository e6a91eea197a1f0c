use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::*;
use convbase_core::store::{Listing, Manifest, StoreWriter};
use convbase_core::{
    DataType, FeatureShape, FeatureSpec, FillMode, Interpolation, Precision, Sample, Views, listing_digest,
};

/// A store of so many photographs in shards of seven, every fifth rejected, whose rows say which photograph and view
/// they are.
fn store(folder: &Path, photographs: usize, views: usize) -> FeatureStore {
    let classes = Classes::new(vec!["a".into(), "b".into(), "c".into()]).unwrap();
    let sample =
        |number: usize| Sample { path: format!("{number:03}"), label: classes.label_at(number % 3).unwrap() };
    let images: Vec<Sample> = (0..photographs).map(sample).collect();
    let shape = FeatureShape::new(vec![2]).unwrap();
    let spec = FeatureSpec { architecture: "made up".into(), shape, ..convbase_bases::article() };
    let listing = Listing { images: photographs, sha256: listing_digest(&images) };
    let plan = Manifest::new(spec, Precision::Float32, DataType::Float32, classes, listing, 7);
    let several = || Views::new(views, "flip".into(), FillMode::Wrap, Interpolation::Nearest, 7).unwrap();
    let plan = if views == 1 { plan } else { plan.with_views(several()) };
    let writer = StoreWriter::create(folder, plan, false).unwrap();
    for shard in writer.manifest().shards() {
        let mut rows = writer.shard(shard).unwrap();
        for number in writer.manifest().positions(shard) {
            if number % 5 == 4 {
                rows.append(&[(&images[number], Err("no".into()))], &[]).unwrap();
                continue;
            }
            let numbers: Vec<f32> = (0..views).flat_map(|view| [number as f32, view as f32]).collect();
            rows.append(&[(&images[number], Ok(None))], &DataType::Float32.encode(&numbers)).unwrap();
        }
        rows.finish(None).unwrap();
    }
    FeatureStore::open(folder).unwrap()
}

/// The photographs and views that minibatches of an epoch hold.
fn seen(rows: &Rows, epoch: u32) -> Vec<(usize, usize)> {
    let order = rows.epoch(9, epoch);
    let mut seen = Vec::new();
    for views in order.chunks(4) {
        let minibatch = rows.gather_views(views.iter().copied()).unwrap();
        for (row, label) in minibatch.rows().iter().zip(&minibatch.labels) {
            assert_eq!(row[0] as usize % 3, *label);
            seen.push((row[0] as usize, row[1] as usize));
        }
    }
    seen
}

#[test]
fn an_epochs_order_is_a_permutation_of_its_own() {
    let order = epoch_order(100, 42, 1);
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    assert_eq!(order, epoch_order(100, 42, 1));
    assert_ne!(order, epoch_order(100, 42, 2));
    assert_ne!(order, epoch_order(100, 43, 1));
}

#[test]
fn photographs_of_one_view_come_in_the_order_that_they_always_came_in() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 40, 1);
    for choice in [ViewChoice::All, ViewChoice::One] {
        let rows = Rows::new(&store, store.manifest().classes()).unwrap().showing(choice);
        assert_eq!((rows.len(), rows.views()), (32, 1));
        for epoch in 1..4 {
            let expected: Vec<ViewOf> =
                epoch_order(32, 42, epoch).into_iter().map(|position| ViewOf { position, view: 0 }).collect();
            assert_eq!(rows.epoch(42, epoch), expected);
        }
    }
    // With another order every run would end at other bytes than those of the versions before.
    assert_eq!(epoch_order(8, 42, 1), [1, 3, 4, 0, 5, 2, 6, 7]);
}

#[test]
fn an_epoch_sees_every_view_or_one_of_each_photograph() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 40, 4);
    let all = Rows::new(&store, store.manifest().classes()).unwrap();
    assert_eq!((all.len(), all.labels().len(), all.views()), (32, 32, 4));
    let views = seen(&all, 1);
    let readable: Vec<usize> = (0..40).filter(|number| number % 5 != 4).collect();
    let expected: HashSet<(usize, usize)> =
        readable.iter().flat_map(|&number| (0..4).map(move |view| (number, view))).collect();
    assert_eq!(views.len(), 4 * 32);
    assert_eq!(views.iter().copied().collect::<HashSet<_>>(), expected);
    assert_ne!(views, seen(&all, 2));

    let one = all.showing(ViewChoice::One);
    let mut counts = BTreeMap::new();
    for epoch in 1..=250 {
        let views = seen(&one, epoch);
        let mut photographs: Vec<usize> = views.iter().map(|(photograph, _)| *photograph).collect();
        photographs.sort_unstable();
        assert_eq!(photographs, readable);
        assert_eq!(views, seen(&one, epoch));
        views.iter().for_each(|(_, view)| *counts.entry(*view).or_insert(0) += 1);
    }
    // 8,000 draws of four views.
    assert_eq!(counts.len(), 4);
    assert!(counts.values().all(|count| (1850..2150).contains(count)), "{counts:?}");
}

#[test]
fn no_view_of_a_validation_photograph_ever_trains() {
    for (photographs, views) in [(40, 1), (40, 4), (23, 7), (9, 2)] {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), photographs, views);
        for choice in [ViewChoice::All, ViewChoice::One] {
            for share in [0.1, 0.3, 0.5, 0.9] {
                let rows = Rows::new(&store, store.manifest().classes()).unwrap().showing(choice);
                let all = rows.len();
                let (train, validation) = rows.split(share);
                assert_eq!(train.len() + validation.len(), all);
                let positions: Vec<usize> = (0..validation.len()).collect();
                let minibatch = validation.gather(&positions).unwrap();
                let held_out: HashSet<usize> = minibatch.rows().iter().map(|row| row[0] as usize).collect();
                assert_eq!(held_out.len(), validation.len());
                assert!(minibatch.rows().iter().all(|row| row[1] == 0.0), "validation is on view 0");
                let mut trained = HashSet::new();
                for epoch in 1..20 {
                    trained.extend(seen(&train, epoch).into_iter().map(|(photograph, _)| photograph));
                }
                assert_eq!(trained.len(), train.len());
                assert!(trained.is_disjoint(&held_out), "{choice}, {share}: {trained:?} and {held_out:?}");
            }
        }
    }
}

#[test]
fn the_floats_of_a_position_are_the_photographs_own() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 11, 3);
    let (train, validation) = Rows::new(&store, store.manifest().classes()).unwrap().split(0.5);
    for rows in [train, validation] {
        for position in 0..rows.len() {
            let row = rows.floats(position).unwrap();
            assert_eq!((row[0] as usize % 3, row[1]), (rows.labels()[position], 0.0));
        }
    }
}
