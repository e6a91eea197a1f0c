//! Re-reads and re-hashes a whole store and collects everything that is wrong with it.

use std::error::Error;
use std::fmt;
use std::fs;
use std::path::Path;

use serde::Serialize;

use super::canary::odd_canaries;
use super::reader::{Hashing, map_features, read_labels, read_rows};
use super::{FileEntry, MANIFEST_NAME, Manifest, OpenError, Receipt, ReceiptError, RowRecord, ShardName};
use crate::dataset::hash_listed;
use crate::exit::one_line;
use crate::{DataType, Digest, Hasher, Label};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file's name in the store's folder, or `.` for the folder.
    pub file: String,
    /// What is wrong, with expected and found.
    pub problem: String,
}

/// What verification saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Listed images of the shards that could be read.
    pub images: usize,
    /// Listed images of these shards that became rows.
    pub embedded: usize,
    /// Rows of these shards: as many as embedded images, times their views.
    pub rows: usize,
    /// Rejected images of these shards.
    pub rejected: usize,
    /// Finished shards.
    pub shards: usize,
    /// Shards of the plan that have no receipt.
    pub missing: Vec<ShardName>,
    /// Bytes that were hashed.
    pub bytes: u64,
    /// Everything that is wrong, in the order of the shards.
    pub findings: Vec<Finding>,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.file, self.problem)
    }
}

/// Verifies the store in `folder`. Never fails: what cannot be read is a finding.
pub fn verify(folder: &Path) -> Verification {
    let mut verification = Verification::default();
    match Manifest::read(folder) {
        Ok((manifest, remark)) => {
            if let Some(remark) = remark {
                verification.find(MANIFEST_NAME, &remark);
            }
            let mut listing = Some(Hasher::default());
            let mut canaries = Vec::new();
            for shard in manifest.shards() {
                let Some(receipt) = verification.verify_receipt(folder, &manifest, shard) else {
                    listing = None;
                    continue;
                };
                let records = verification.verify_shard(folder, &manifest, shard, &receipt);
                canaries.push((shard, receipt.canary));
                // The listing can be compared only when all of it could be read.
                listing = listing.zip(records).map(|(mut hasher, records)| {
                    let images = records.iter().filter(|record| record.is_first());
                    images.for_each(|record| hash_listed(&mut hasher, record.label, &record.path));
                    hasher
                });
            }
            if let Some(hasher) = listing {
                verification.compare_listing(&manifest, hasher.finish());
            }
            let canaries = canaries.iter().map(|(shard, canary)| (*shard, canary.as_ref()));
            for odd in odd_canaries(manifest.precision(), canaries) {
                verification.findings.push(Finding { file: odd.shard.receipt(), problem: odd.problem });
            }
            verification.find_foreign_files(folder, &manifest);
        }
        Err(error) => verification.find(MANIFEST_NAME, &error),
    }
    verification
}

impl Verification {
    fn find(&mut self, file: &str, error: &(dyn Error + 'static)) {
        self.findings.push(Finding { file: file.to_owned(), problem: one_line(error) });
    }

    fn find_value(&mut self, file: &str, what: &str, expected: impl fmt::Display, found: impl fmt::Display) {
        let problem = format!("{what}: expected {expected}, found {found}");
        self.findings.push(Finding { file: file.to_owned(), problem });
    }

    /// The finding without the path, which stands in front of it already.
    fn find_in_file(&mut self, file: &str, error: &OpenError) {
        match error.source() {
            Some(source) => self.find(file, source),
            None => self.find(file, error),
        }
    }

    /// Gives the shard's receipt when it speaks of this shard's files.
    fn verify_receipt(&mut self, folder: &Path, manifest: &Manifest, shard: ShardName) -> Option<Receipt> {
        let receipt = match Receipt::read(folder, manifest, shard) {
            Ok((receipt, remarks)) => {
                remarks.iter().for_each(|remark| self.find(&shard.receipt(), remark));
                receipt
            }
            Err(error) => {
                if matches!(error, ReceiptError::Missing { .. }) {
                    self.missing.push(shard);
                }
                self.find(&shard.receipt(), &error);
                return None;
            }
        };
        // What receipts say may be forged, and is no more than said here.
        let add = |sum: &mut usize, number: usize| *sum = sum.saturating_add(number);
        add(&mut self.shards, 1);
        add(&mut self.images, receipt.images);
        add(&mut self.embedded, receipt.images.saturating_sub(receipt.rejected));
        add(&mut self.rows, receipt.rows);
        add(&mut self.rejected, receipt.rejected);
        Some(receipt)
    }

    /// Gives the shard's records when they could be read.
    fn verify_shard(
        &mut self,
        folder: &Path,
        manifest: &Manifest,
        shard: ShardName,
        receipt: &Receipt,
    ) -> Option<Vec<RowRecord>> {
        // Every file is looked at even where an earlier one is wrong: what is repaired in one go is found in one go.
        // A file of the wrong length is one finding: what it holds is not looked at.
        let [features, labels, rows] = receipt.entries().map(|entry| self.verify_bytes(folder, shard, entry));
        if features {
            self.verify_features(folder, manifest, shard, receipt);
        }
        // Hashed they were above.
        let labels = labels.then(|| read_labels(folder, manifest, receipt, Hashing::Skip));
        let labels = labels.and_then(|labels| self.found_or_read(&shard.labels(), labels));
        let records = rows.then(|| read_rows(folder, manifest, receipt, Hashing::Skip));
        let records = records.and_then(|records| self.found_or_read(&shard.rows(), records));
        if let (Some(labels), Some(records)) = (&labels, &records) {
            self.compare_labels(shard, labels, records);
        }
        records
    }

    fn found_or_read<T>(&mut self, file: &str, read: Result<T, OpenError>) -> Option<T> {
        read.map_err(|error| self.find_in_file(file, &error)).ok()
    }

    /// Whether the file has the length that its receipt says; the digest is compared then as well.
    fn verify_bytes(&mut self, folder: &Path, shard: ShardName, entry: &FileEntry) -> bool {
        // Which of the two is wrong, the file or what the receipt says of it, nobody can tell.
        let expected = |value: String| format!("{value} by `{}`", shard.receipt());
        let path = folder.join(&entry.name);
        // In pieces and not through a map, which a damaged disk would answer with SIGBUS instead of an error.
        match fs::metadata(&path).and_then(|metadata| Ok((metadata.len(), Digest::of_file(&path)?))) {
            Err(error) => self.find(&entry.name, &error),
            Ok((bytes, _)) if bytes != entry.bytes => {
                self.find_value(&entry.name, "bytes", expected(entry.bytes.to_string()), bytes);
            }
            Ok((bytes, sha256)) => {
                self.bytes = self.bytes.saturating_add(bytes);
                if sha256 != entry.sha256 {
                    self.find_value(&entry.name, "sha256", expected(entry.sha256.hex()), sha256.hex());
                }
                return true;
            }
        }
        false
    }

    fn verify_features(&mut self, folder: &Path, manifest: &Manifest, shard: ShardName, receipt: &Receipt) {
        let mapped = map_features(folder, manifest, receipt);
        let Some((map, offset)) = self.found_or_read(&shard.features(), mapped) else { return };
        if let Some(position) = first_non_finite(map.get(offset..).unwrap_or_default(), manifest.dtype()) {
            let length = manifest.spec().shape.length();
            let (row, number) = (position.checked_div(length), position.checked_rem(length));
            let what = format!("row {}, number {}", row.unwrap_or(0), number.unwrap_or(0));
            self.find_value(&shard.features(), &what, "a finite number", "an infinity or NaN");
        }
    }

    fn compare_listing(&mut self, manifest: &Manifest, found: Digest) {
        let expected = manifest.listing().sha256;
        if found != expected {
            self.find_value(MANIFEST_NAME, "listing.sha256 of the rows", expected.hex(), found.hex());
        }
    }

    fn compare_labels(&mut self, shard: ShardName, labels: &[Label], records: &[RowRecord]) {
        for (label, record) in labels.iter().zip(records.iter().filter(|record| record.is_row())) {
            if *label != record.label {
                self.find_value(&shard.labels(), &format!("label of `{}`", record.path), record.label, label);
            }
        }
    }

    fn find_foreign_files(&mut self, folder: &Path, manifest: &Manifest) {
        let mut names = Vec::new();
        match fs::read_dir(folder) {
            Err(error) => return self.find(".", &error),
            Ok(entries) => {
                for entry in entries {
                    match entry {
                        Ok(entry) => names.push(entry.file_name().to_string_lossy().into_owned()),
                        Err(error) => self.find(".", &error),
                    }
                }
            }
        }
        names.sort();
        // Not by a list of all names, of which a forged plan has millions.
        let is_known =
            |name: &str| name == MANIFEST_NAME || ShardName::of_file(name, manifest.shards().len()).is_some();
        for name in names.iter().filter(|name| !is_known(name)) {
            self.find_value(name, "file", "only the files of this store", "a foreign file");
        }
    }
}

/// The position of the first infinity or NaN: all bits of the exponent set (IEEE 754).
fn first_non_finite(bytes: &[u8], dtype: DataType) -> Option<usize> {
    match dtype {
        DataType::Float32 => bytes
            .as_chunks::<4>()
            .0
            .iter()
            .position(|number| u32::from_le_bytes(*number) & 0x7F80_0000 == 0x7F80_0000),
        DataType::Float16 => {
            bytes.as_chunks::<2>().0.iter().position(|number| u16::from_le_bytes(*number) & 0x7C00 == 0x7C00)
        }
    }
}
