//! What is written comes back.

use convbase_core::DataType;
use convbase_core::store::{FeatureStore, RowStatus, verify};
use proptest::prelude::*;

use super::support::{Contents, LENGTH, contents, files};

fn any_contents() -> impl Strategy<Value = Contents> {
    let image = (0_usize..3, prop::option::weighted(0.8, any::<u16>()));
    let dtype = prop_oneof![Just(DataType::Float32), Just(DataType::Float16)];
    (prop::collection::vec(image, 1..12), 1_usize..6, dtype, 1_usize..5, 1_usize..4).prop_map(
        |(images, shard_size, dtype, batch, views)| Contents { images, shard_size, dtype, batch, views },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_written_is_read_and_verified(contents in any_contents()) {
        let folder = tempfile::tempdir().unwrap();
        contents.write(folder.path());
        let store = FeatureStore::open(folder.path()).unwrap();
        prop_assert_eq!(store.manifest(), &contents.manifest());
        let rows: Vec<(usize, u16)> =
            contents.images.iter().filter_map(|(label, from)| Some((*label, (*from)?))).collect();
        let views = contents.views;
        let labels: Vec<usize> = store.labels().iter().map(|label| label.index()).collect();
        let expected = rows.iter().flat_map(|(label, _)| std::iter::repeat_n(*label, views));
        prop_assert_eq!(labels, expected.collect::<Vec<_>>());
        prop_assert_eq!((store.photographs(), store.views()), (rows.len(), views));
        prop_assert_eq!(store.rows(), rows.len() * views);
        prop_assert_eq!(store.rejected(), contents.images.len() - rows.len());
        for (photograph, (_, from)) in rows.iter().enumerate() {
            let found = (0..views).flat_map(|view| store.row(photograph * views + view).unwrap().to_vec());
            prop_assert_eq!(found.collect::<Vec<u8>>(), contents.rows(*from));
        }

        let records = store.records().unwrap();
        let classes = store.manifest().classes();
        prop_assert_eq!(records.iter().filter(|record| record.is_row()).count(), store.rows());
        let firsts: Vec<_> = records.iter().filter(|record| record.is_first()).collect();
        prop_assert_eq!(firsts.len(), contents.images.len());
        for (number, (record, sample)) in firsts.into_iter().zip(contents.samples()).enumerate() {
            prop_assert_eq!((&record.path, record.label), (&sample.path, sample.label));
            prop_assert_eq!(classes.label(&record.class), Some(sample.label));
            match (&record.status, contents.status(number)) {
                (RowStatus::Ok { photograph, view, .. }, Ok(image)) => {
                    prop_assert_eq!(photograph, &image);
                    prop_assert_eq!(*view, (views > 1).then_some(0));
                }
                (RowStatus::Rejected { error }, Err(expected)) => prop_assert_eq!(error, &expected),
                (found, expected) => prop_assert!(false, "expected {expected:?}, found {found:?}"),
            }
        }

        let verification = verify(folder.path());
        prop_assert_eq!(&verification.findings, &[]);
        prop_assert_eq!(verification.images, contents.images.len());
        prop_assert_eq!((verification.rows, verification.rejected), (store.rows(), store.rejected()));
        prop_assert_eq!(verification.embedded, store.photographs());
        prop_assert_eq!(verification.shards, contents.images.len().div_ceil(contents.shard_size));
    }

    #[test]
    fn neither_the_batches_nor_an_interruption_change_a_byte(
        contents in any_contents(),
        batch in 1_usize..5,
        lost in any::<prop::sample::Index>(),
    ) {
        let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        contents.write(first.path());
        Contents { batch, ..contents.clone() }.write(second.path());
        let expected = files(first.path());
        prop_assert!(files(second.path()) == expected, "batches of {} and {batch} differ", contents.batch);
        let name = expected.keys().filter(|name| *name != "manifest.json").nth(lost.index(expected.len() - 1));
        std::fs::remove_file(second.path().join(name.unwrap())).unwrap();
        contents.write(second.path());
        prop_assert!(files(second.path()) == expected, "without {name:?} it becomes another store");
    }
}

#[test]
fn the_digest_is_the_stores_and_not_its_folders() {
    let [first, second, other] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    contents().write(first.path());
    contents().write(second.path());
    let mut changed = contents();
    changed.images[7].1 = Some(1);
    changed.write(other.path());
    let digest = |folder: &tempfile::TempDir| FeatureStore::open(folder.path()).unwrap().digest();
    assert_eq!(digest(&first), digest(&second));
    assert_ne!(digest(&first), digest(&other));
}

#[test]
fn a_store_of_one_view_is_written_as_it_always_was() {
    let folder = tempfile::tempdir().unwrap();
    contents().write(folder.path());
    for (name, bytes) in files(folder.path()) {
        if !name.ends_with(".npy") {
            assert!(!String::from_utf8(bytes).unwrap().contains("view"), "{name}");
        }
    }
    // Of the version before there were views.
    let expected = "sha256:ad4ae1bf5ea2d0f741128d4d4ab7458a431eb32dd883ea706003a386541d0c5d";
    assert_eq!(FeatureStore::open(folder.path()).unwrap().digest().to_string(), expected);
}

#[test]
fn arrays_are_what_numpy_reads() {
    let (folder, contents) = (tempfile::tempdir().unwrap(), contents());
    contents.write(folder.path());
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let bytes = read("features-00000-of-00003.npy");
    assert_eq!(bytes[..8], *b"\x93NUMPY\x01\x00");
    assert_eq!(bytes.len(), 128 + 2 * LENGTH * 4, "data begins at a multiple of 64 bytes");
    let features = npyz::NpyFile::new(&bytes[..]).unwrap();
    assert_eq!((features.shape(), features.order()), (&[2, 64][..], npyz::Order::C));
    let expected: Vec<u8> = [0, 9].into_iter().flat_map(|from| contents.row(from)).collect();
    let numbers: Vec<f32> = features.into_vec().unwrap();
    assert_eq!(numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>(), expected);
    let bytes = read("labels-00001-of-00003.npy");
    let labels = npyz::NpyFile::new(&bytes[..]).unwrap();
    assert_eq!((labels.dtype().descr().as_str(), labels.shape()), ("'<i8'", &[3][..]));
    assert_eq!(labels.into_vec::<i64>().unwrap(), [0, 1, 2]);
}
