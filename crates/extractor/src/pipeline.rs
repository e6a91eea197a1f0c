//! Decode → convolve → write, at the same time, on bounded channels.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use convbase_core::exit::{Hinted, one_line};
use convbase_core::store::{Canary, Receipt, ShardName, StoreWriter, WriteError};
use convbase_core::{DecodedBatch, DecodedImage, ImageFolder, Interrupt, Sample, decode_batch};
use convbase_nn::{ConvBase, TorchError};
use tracing::{info, warn};

use crate::progress::{Progress, TimeSpent};
use crate::rejection_limit::RejectionLimit;

/// Batches that may wait between two steps: enough that neither waits for the other's hiccups, little memory.
const WAITING_BATCHES: usize = 2;

/// The parts that an extraction runs on.
pub(crate) struct Pipeline<'a> {
    pub(crate) folder: &'a ImageFolder,
    pub(crate) store: &'a StoreWriter,
    pub(crate) batch_size: usize,
    pub(crate) progress: &'a Progress,
    pub(crate) interrupt: &'a Interrupt,
    /// What this machine makes of the drawn images.
    pub(crate) canary: &'a Canary,
    /// Whether shards that are finished are made again.
    pub(crate) replaces: bool,
}

type Statuses<'a> = Vec<(&'a Sample, Result<Option<DecodedImage>, String>)>;

/// Images of one shard: `data` is pixels before and features after the convolutions.
struct Batch<'a> {
    shard: ShardName,
    images: Statuses<'a>,
    data: Vec<u8>,
}

impl<'a> Pipeline<'a> {
    /// Makes these shards and gives the receipts of those that were finished: all of them, unless a signal asked to
    /// stop. The shard that is open then is dropped. Gives where the time went as well.
    ///
    /// The convolutions run on the calling thread: libtorch brings threads of its own.
    pub(crate) fn run(
        &self,
        conv_base: &ConvBase,
        todo: &[ShardName],
        mut limit: RejectionLimit,
    ) -> anyhow::Result<(Vec<Receipt>, TimeSpent)> {
        let (pixels, decoded) = sync_channel(WAITING_BATCHES);
        let (features, embedded) = sync_channel(WAITING_BATCHES);
        thread::scope(|scope| {
            // Each step owns its ends of the channels: whichever stops first closes them, and the others follow.
            let decoding = scope.spawn(|| self.decode(todo, &mut limit, pixels));
            let writing = scope.spawn(|| self.write(embedded));
            let convolved = self.convolve(conv_base, decoded, features);
            let (decoded, written) = (decoding.join(), writing.join());
            let receipts = written.map_err(resume)??;
            let time = convolved?;
            decoded.map_err(resume)??;
            Ok((receipts, time))
        })
    }

    fn decode(
        &self,
        todo: &[ShardName],
        limit: &mut RejectionLimit,
        pixels: SyncSender<Batch<'a>>,
    ) -> Result<(), Hinted> {
        let mut pixels = Some(pixels);
        for &shard in todo {
            let samples = &self.folder.samples()[self.store.manifest().positions(shard)];
            for samples in samples.chunks(self.batch_size) {
                if self.interrupt.is_set() {
                    return Ok(());
                }
                let batch = self.decode_batch(shard, samples);
                for (sample, status) in &batch.images {
                    if let Err(error) = status {
                        self.progress
                            .suspended(|| warn!(path = sample.path, "rejected `{}`: {error}", sample.path));
                        limit.add(&sample.path, error);
                    }
                }
                if limit.is_over() && pixels.take().is_some() {
                    info!("too many images are unreadable; the rest is only read, to list them all");
                }
                if let Some(pixels) = &pixels
                    && pixels.send(batch).is_err()
                {
                    return Ok(()); // A later step failed and says why.
                }
            }
        }
        limit.check(self.folder)
    }

    fn decode_batch(&self, shard: ShardName, samples: &'a [Sample]) -> Batch<'a> {
        let spec = self.store.manifest().spec();
        let paths: Vec<PathBuf> =
            samples.iter().map(|sample| self.folder.root().join(&sample.path)).collect();
        let DecodedBatch { images, pixels } = decode_batch(&paths, spec.image_size, spec.interpolation);
        let statuses = images.into_iter().map(|image| image.map(Some).map_err(|error| one_line(&error)));
        Batch { shard, images: samples.iter().zip(statuses).collect(), data: pixels }
    }

    fn convolve(
        &self,
        conv_base: &ConvBase,
        pixels: Receiver<Batch<'a>>,
        features: SyncSender<Batch<'a>>,
    ) -> Result<TimeSpent, TorchError> {
        let dtype = self.store.manifest().dtype();
        let (mut time, mut last) = (TimeSpent::default(), Instant::now());
        let mut lap = || {
            let now = Instant::now();
            now.duration_since(std::mem::replace(&mut last, now))
        };
        for mut batch in pixels {
            time.decoding += lap();
            let rows = batch.images.iter().filter(|(_, status)| status.is_ok()).count();
            batch.data = conv_base.features(&batch.data, rows, dtype)?;
            time.convolving += lap();
            if features.send(batch).is_err() {
                break; // The writer failed and says why.
            }
            time.writing += lap();
        }
        Ok(time)
    }

    fn write(&self, features: Receiver<Batch<'a>>) -> Result<Vec<Receipt>, WriteError> {
        let (mut open, mut receipts, mut made_elsewhere) = (None, Vec::new(), None);
        for batch in features {
            if made_elsewhere == Some(batch.shard) {
                self.progress.add(&batch.images);
                continue;
            }
            let mut writer = match open.take() {
                Some(writer) => writer,
                None => {
                    // Another process that runs the same task may have been faster: its shard stays as it is.
                    let finished = if self.replaces { None } else { self.store.finished(batch.shard) };
                    if let Some(receipt) = finished {
                        receipts.push(receipt);
                        made_elsewhere = Some(batch.shard);
                        self.progress.add(&batch.images);
                        continue;
                    }
                    self.store.shard(batch.shard)?
                }
            };
            writer.append(&batch.images, &batch.data)?;
            self.progress.add(&batch.images);
            // An unfinished shard is dropped when the channel closes early, and leaves nothing behind.
            if writer.is_full() {
                receipts.push(writer.finish(Some(self.canary))?);
            } else {
                open = Some(writer);
            }
        }
        Ok(receipts)
    }
}

fn resume(panic: Box<dyn std::any::Any + Send>) -> anyhow::Error {
    std::panic::resume_unwind(panic)
}
