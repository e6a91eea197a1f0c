//! Re-reads and re-hashes a whole store and collects everything that is wrong with it.

use std::error::Error;
use std::fmt;
use std::fs;
use std::path::Path;

use serde::Serialize;

use super::reader::{map_features, read_labels, read_rows};
use super::{MANIFEST_NAME, Manifest, Receipt, RowRecord, ShardName};
use crate::exit::one_line;
use crate::{DataType, Digest, Label};

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
    /// Rows of these shards.
    pub rows: usize,
    /// Rejected images of these shards.
    pub rejected: usize,
    /// Finished shards.
    pub shards: usize,
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
    match Manifest::open(folder) {
        Ok(manifest) => {
            for shard in manifest.shards() {
                verification.verify_shard(folder, &manifest, shard);
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

    fn verify_shard(&mut self, folder: &Path, manifest: &Manifest, shard: ShardName) {
        let receipt = match Receipt::open(folder, manifest, shard) {
            Ok(receipt) => receipt,
            Err(error) => return self.find(&shard.receipt(), &error),
        };
        self.shards += 1;
        self.images += receipt.images;
        self.rows += receipt.rows;
        self.rejected += receipt.rejected;
        for entry in receipt.entries() {
            let path = folder.join(&entry.name);
            match fs::metadata(&path).and_then(|metadata| Ok((metadata.len(), Digest::of_file(&path)?))) {
                Err(error) => self.find(&entry.name, &error),
                Ok((bytes, _)) if bytes != entry.bytes => {
                    self.find_value(&entry.name, "bytes", entry.bytes, bytes);
                }
                Ok((bytes, sha256)) => {
                    self.bytes += bytes;
                    if sha256 != entry.sha256 {
                        self.find_value(&entry.name, "sha256", entry.sha256.hex(), sha256.hex());
                    }
                }
            }
        }
        match map_features(folder, manifest, shard, receipt.rows) {
            Err(error) => self.find(&shard.features(), &error),
            Ok((map, offset)) => {
                if let Some(position) = first_non_finite(&map[offset..], manifest.dtype()) {
                    let length = manifest.spec().feature_length().unwrap_or(1);
                    let (row, number) = (position / length, position % length);
                    self.find_value(
                        &shard.features(),
                        &format!("row {row}, number {number}"),
                        "a finite number",
                        "none",
                    );
                }
            }
        }
        let labels = read_labels(folder, manifest, shard, receipt.rows);
        let rows = read_rows(folder, manifest, shard, &receipt);
        match (labels, rows) {
            (Ok(labels), Ok(rows)) => self.compare_labels(shard, &labels, &rows),
            (labels, rows) => {
                labels.err().into_iter().for_each(|error| self.find(&shard.labels(), &error));
                rows.err().into_iter().for_each(|error| self.find(&shard.rows(), &error));
            }
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
        let known: std::collections::HashSet<String> = manifest.shards().flat_map(ShardName::files).collect();
        for name in names.iter().filter(|name| *name != MANIFEST_NAME && !known.contains(*name)) {
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
