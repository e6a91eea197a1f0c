//! Writes a store, shard by shard. Every file appears whole, a shard's receipt last.

use std::fs;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::manifest::MANIFEST_NAME;
use super::npy::{self, Element};
use super::reader::{Hashing, read_rows};
use super::{
    Canary, FileEntry, Files, Manifest, ManifestError, OpenError, Receipt, RowRecord, RowStatus, ShardName,
};
use crate::{
    Artifact, ArtifactError, DecodedImage, Differences, Digest, Hasher, Label, Sample, differences,
    remove_abandoned, write_in_place, write_json_in_place,
};

/// A store that is being made.
#[derive(Debug)]
pub struct StoreWriter {
    folder: PathBuf,
    manifest: Manifest,
}

/// A shard that is being made. Dropped before [`finish`](ShardWriter::finish), it leaves nothing behind.
#[derive(Debug)]
pub struct ShardWriter<'store> {
    store: &'store StoreWriter,
    shard: ShardName,
    features: Artifact,
    header_length: usize,
    row_bytes: usize,
    /// Images that were appended, whatever became of them.
    images: usize,
    labels: Vec<i64>,
    records: Vec<RowRecord>,
}

/// A store that cannot be begun.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The folder holds a store of another plan.
    #[error("`{}` holds another store: {differences}", folder.display())]
    Differs {
        /// The store's folder.
        folder: PathBuf,
        /// Expected is what was asked for, found what is there.
        differences: Differences,
    },
    /// The folder holds shards without the plan they were made by.
    #[error("`{}`: expected shard files with a {MANIFEST_NAME}, found `{file}` without one", folder.display())]
    Orphan {
        /// The store's folder.
        folder: PathBuf,
        /// A shard file.
        file: String,
    },
    /// The manifest that is there cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The folder could not be listed or cleared.
    #[error("cannot prepare `{}`", folder.display())]
    Folder {
        /// The store's folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The manifest could not be written.
    #[error(transparent)]
    Write(#[from] ArtifactError),
}

/// A shard that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file could not be written.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A file that stood in the way could not be removed.
    #[error("cannot remove `{}`", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store is no longer where it was begun: its disk went away, and what is written now would lie elsewhere.
    #[error("`{}`: expected the manifest of this store, found none: the folder went away in mid-run", path.display())]
    Gone {
        /// The manifest.
        path: PathBuf,
    },
    /// The features are not those of the images they came with.
    #[error("features of {images} images: expected {expected} bytes, found {found}")]
    Features {
        /// Images that became rows.
        images: usize,
        /// Their rows' bytes.
        expected: usize,
        /// Bytes that were given.
        found: usize,
    },
    /// An image's label is that of another class list.
    #[error("label of an image: expected one of {classes} classes, found {label}")]
    Label {
        /// The label.
        label: Label,
        /// Classes of the manifest.
        classes: usize,
    },
    /// The shard has not as many images as the manifest says.
    #[error("shard {shard}: expected {expected} images, found {found}")]
    Images {
        /// The shard.
        shard: ShardName,
        /// Listing positions of the shard.
        expected: usize,
        /// Images that were appended.
        found: usize,
    },
}

impl StoreWriter {
    /// Begins or goes on with the store of this plan: writes the manifest, or checks that the one that is there is
    /// the same. `overwrite` first removes what an earlier plan left (and no other file).
    pub fn create(folder: &Path, manifest: Manifest, overwrite: bool) -> Result<Self, CreateError> {
        let error = |source| CreateError::Folder { folder: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(error)?;
        let files = shard_files(folder).map_err(error)?;
        let path = folder.join(MANIFEST_NAME);
        // What killed runs left; the files of tasks that are at work on other shards are locked, and stay.
        remove_abandoned(folder)?;
        if overwrite {
            // Receipts go first: whatever interrupts this, no receipt outlives its files.
            let (receipts, others): (Vec<_>, Vec<_>) =
                files.iter().partition(|name| name.starts_with("shard-"));
            for name in receipts.into_iter().chain(others) {
                remove(&folder.join(name)).map_err(error)?;
            }
            remove(&path).map_err(error)?;
        } else if !path.try_exists().map_err(error)?
            && let Some(file) = files.into_iter().next()
        {
            return Err(CreateError::Orphan { folder: folder.to_owned(), file });
        }
        // Several tasks may begin at once: the first one's manifest stays, and the others' must be equal.
        let mut artifact = Artifact::create(&path)?;
        artifact.write_all(&manifest.to_bytes()).map_err(|source| artifact.error(source))?;
        if !artifact.finish_new()? {
            let differences = differences(&manifest, &Manifest::open(folder)?);
            if !differences.is_empty() {
                return Err(CreateError::Differs { folder: folder.to_owned(), differences });
            }
        }
        Ok(Self { folder: folder.to_owned(), manifest })
    }

    /// The plan.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The receipt of a shard that is finished: it fits the plan, and the files are those it speaks of.
    pub fn finished(&self, shard: ShardName) -> Option<Receipt> {
        // Whatever is wrong with it, the answer is to make the shard again.
        let receipt = Receipt::open(&self.folder, &self.manifest, shard).ok()?;
        let is_right = |entry: &FileEntry| {
            let path = self.folder.join(&entry.name);
            fs::metadata(&path).is_ok_and(|metadata| metadata.len() == entry.bytes)
                && Digest::of_file(&path).is_ok_and(|digest| digest == entry.sha256)
        };
        let all_right = receipt.entries().into_iter().all(is_right);
        all_right.then_some(receipt)
    }

    /// Path and error of the images that a finished shard rejected.
    pub fn rejections(&self, receipt: &Receipt) -> Result<Vec<(String, String)>, OpenError> {
        if receipt.rejected == 0 {
            return Ok(Vec::new());
        }
        let records = read_rows(&self.folder, &self.manifest, receipt, Hashing::Compare)?;
        Ok(records
            .into_iter()
            .filter_map(|record| match record.status {
                RowStatus::Rejected { error } => Some((record.path, error)),
                RowStatus::Ok { .. } => None,
            })
            .collect())
    }

    /// Begins a shard. An earlier, unfinished or damaged one of this name is replaced.
    pub fn shard(&self, shard: ShardName) -> Result<ShardWriter<'_>, WriteError> {
        self.check_place()?;
        // A receipt promises that its files are whole: it goes before they are touched.
        let receipt = self.folder.join(shard.receipt());
        remove(&receipt).map_err(|source| WriteError::Remove { path: receipt, source })?;
        // How many photographs will be readable is not known yet: the header keeps room for all of them.
        let rows = self.manifest.positions(shard).len().saturating_mul(self.manifest.view_count());
        let mut features = Artifact::create_in_place(&self.folder.join(shard.features()))?;
        let header = self.features_header(rows, 0);
        features.write_all(&header).map_err(|source| features.error(source))?;
        Ok(ShardWriter {
            store: self,
            shard,
            features,
            header_length: header.len(),
            row_bytes: self.manifest.row_bytes(),
            images: 0,
            labels: Vec::new(),
            records: Vec::new(),
        })
    }

    fn features_header(&self, rows: usize, length: usize) -> Vec<u8> {
        npy::header(self.manifest.dtype().npy_descriptor(), &self.manifest.features_shape(rows), length)
    }
}

impl ShardWriter<'_> {
    /// Adds images in listing order, each with what the decoder said (nothing, where there was no photograph), and
    /// the features of those that decoded: [decoded, views, ...shape] in the store's dtype, little-endian.
    pub fn append(
        &mut self,
        images: &[(&Sample, Result<Option<DecodedImage>, String>)],
        features: &[u8],
    ) -> Result<(), WriteError> {
        let decoded = images.iter().filter(|(_, status)| status.is_ok()).count();
        let views = self.store.manifest.view_count();
        let expected = decoded.saturating_mul(views).saturating_mul(self.row_bytes);
        if features.len() != expected {
            return Err(WriteError::Features { images: decoded, expected, found: features.len() });
        }
        let classes = self.store.manifest.classes();
        let named = images.iter().map(|(sample, status)| match classes.name(sample.label) {
            Some(class) => Ok((*sample, status, class.to_owned())),
            None => Err(WriteError::Label { label: sample.label, classes: classes.len() }),
        });
        let named: Vec<_> = named.collect::<Result<_, _>>()?;
        self.features.write_all(features).map_err(|source| self.features.error(source))?;
        self.images = self.images.saturating_add(named.len());
        for (sample, status, class) in named {
            let record = |status| RowRecord {
                path: sample.path.clone(),
                label: sample.label,
                class: class.clone(),
                status,
            };
            match status {
                Ok(photograph) => {
                    for view in 0..views {
                        let (row, view) = (self.labels.len(), (views > 1).then_some(view));
                        self.labels.push(sample.label.index() as i64);
                        self.records.push(record(RowStatus::Ok { row, view, photograph: *photograph }));
                    }
                }
                Err(error) => self.records.push(record(RowStatus::Rejected { error: error.clone() })),
            }
        }
        Ok(())
    }

    /// Whether every listed image of the shard was appended.
    pub fn is_full(&self) -> bool {
        self.images == self.store.manifest.positions(self.shard).len()
    }

    /// Writes what is left and, last, the receipt with what this machine made of the drawn images.
    pub fn finish(self, canary: Option<&Canary>) -> Result<Receipt, WriteError> {
        let Self { store, shard, mut features, header_length, images, labels, records, .. } = self;
        let expected = store.manifest.positions(shard).len();
        if images != expected {
            return Err(WriteError::Images { shard, expected, found: images });
        }
        let rows = labels.len();
        let header = store.features_header(rows, header_length);
        features
            .seek(SeekFrom::Start(0))
            .and_then(|_| features.write_all(&header))
            .map_err(|source| features.error(source))?;
        // Hashed only now, for the header changed last; read back, so that the digest is of what the file holds.
        let (mut hasher, mut bytes) = (Hasher::default(), 0_u64);
        features.read_back(|piece| {
            hasher.update(piece);
            bytes = piece.len().try_into().map_or(u64::MAX, |length| bytes.saturating_add(length));
        })?;
        features.finish()?;
        let features = FileEntry { name: shard.features(), bytes, sha256: hasher.finish() };

        let mut label_bytes = npy::header(Element::LABEL.descriptor, &[rows as u64], 0);
        label_bytes.extend(labels.iter().flat_map(|label| label.to_le_bytes()));
        let labels = store.write(shard.labels(), &label_bytes)?;
        let row_lines = store.write(shard.rows(), &RowRecord::to_lines(&records))?;

        store.check_place()?;
        // Everything it speaks of is on disk under its name: from here on the shard exists.
        let receipt = Receipt {
            shard: shard.index,
            manifest: store.manifest.digest(),
            images,
            rows,
            rejected: images.saturating_sub(rows.checked_div(store.manifest.view_count()).unwrap_or(0)),
            files: Files { features, labels, rows: row_lines },
            canary: canary.cloned(),
        };
        write_json_in_place(&store.folder.join(shard.receipt()), &receipt)?;
        Ok(receipt)
    }
}

impl StoreWriter {
    fn check_place(&self) -> Result<(), WriteError> {
        let path = self.folder.join(MANIFEST_NAME);
        if path.exists() { Ok(()) } else { Err(WriteError::Gone { path }) }
    }

    fn write(&self, name: String, bytes: &[u8]) -> Result<FileEntry, ArtifactError> {
        write_in_place(&self.folder.join(&name), bytes)?;
        Ok(FileEntry { name, bytes: bytes.len() as u64, sha256: Digest::of(bytes) })
    }
}

/// Removes a file that another process may have removed already.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The names of the shard files in a folder, sorted.
fn shard_files(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string()
            && ShardName::is_shard_file(&name)
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
