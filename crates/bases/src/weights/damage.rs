//! Changed files of weights: refused, or the very numbers that they hold.

use convbase_core::write_artifact;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::catalogue::architecture;

fn open(bytes: &[u8]) -> Result<Weights, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.safetensors");
    write_artifact(&path, bytes).unwrap();
    Weights::open(&path, architecture("tiny").unwrap()).map_err(|error| {
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        format!("{error}{}", source.unwrap_or_default())
    })
}

fn whole() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.safetensors");
    write_untrained(&path, architecture("tiny").unwrap(), 1, Preprocess::Caffe).unwrap();
    std::fs::read(&path).unwrap()
}

/// A file with this header and so many bytes behind it.
fn with_header(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[test]
fn headers_that_claim_more_than_the_file_holds_are_refused() {
    let tensor = |shape: &str, end: &str| {
        format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{end}]}}}}"#)
    };
    let max = "18446744073709551615";
    for bytes in [
        with_header(&tensor("[1]", max), 4),
        with_header(&tensor(&format!("[{max},{max}]"), "4"), 4),
        with_header(&tensor("[4611686018427387905]", "4"), 4),
        with_header(&tensor("[-1]", "4"), 4),
        with_header(&tensor("[1e999]", "4"), 4),
        with_header(&"[".repeat(100_000), 0),
        with_header("\u{feff}{}", 0),
        with_header("{}\0", 0),
        u64::MAX.to_le_bytes().to_vec(),
        (1_u64 << 40).to_le_bytes().to_vec(),
        Vec::new(),
    ] {
        let error = open(&bytes).unwrap_err();
        assert!(error.contains("expected a safetensors file"), "{error}");
    }
}

#[test]
fn a_tensor_that_stands_twice_is_refused() {
    let one = r#""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    let error = open(&with_header(&format!("{{{one},{one}}}"), 4)).unwrap_err();
    assert!(error.contains(": header: duplicate field `a`"), "{error}");
}

proptest! {
    #[test]
    fn a_changed_byte_is_refused_or_changes_the_digest(at in any::<Index>(), bit in 0_u8..8, in_header: bool) {
        let mut bytes = whole();
        let digest = open(&bytes).unwrap().digest();
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let at = if in_header { at.index(header) } else { header + at.index(bytes.len() - header) };
        bytes[at] ^= 1 << bit;
        if let Ok(weights) = open(&bytes) {
            prop_assert_eq!(weights.digest() == digest, in_header, "byte {}, bit {}", at, bit);
        }
    }

    #[test]
    fn no_cut_and_no_bytes_make_opening_panic(length in any::<Index>(), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let whole = whole();
        let length = length.index(whole.len());
        prop_assert!(open(&whole[..length]).is_err());
        let _ = open(&[&whole[..length], &bytes[..]].concat());
    }
}
