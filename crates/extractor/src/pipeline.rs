//! Decode → convolve → write, at the same time, on bounded channels.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use convbase_core::exit::{Hinted, one_line};
use convbase_core::store::{Canary, Receipt, ShardName, StoreWriter, WriteError};
use convbase_core::{DecodedImage, Interrupt, Sample};
use convbase_images::{DecodeThreads, DecodedBatch, ImageFolder};
use convbase_nn::{ConvBase, EngineError};
use tracing::{info, warn};

use crate::progress::{Progress, TimeSpent};
use crate::rejection_limit::RejectionLimit;

/// Batches of features that may wait for the writer: enough that no pass waits for its hiccups, little memory.
const WAITING_BATCHES: usize = 2;

/// The parts that an extraction runs on.
pub(crate) struct Pipeline<'a> {
    pub(crate) folder: &'a ImageFolder,
    pub(crate) store: &'a StoreWriter,
    pub(crate) decode_threads: &'a DecodeThreads,
    pub(crate) batch_size: usize,
    /// Batches that are convolved at the same time, each by a thread.
    pub(crate) passes: usize,
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
    /// Which batch this is: passes end in any order, and the writer puts them in order again.
    number: usize,
    shard: ShardName,
    images: Statuses<'a>,
    data: Vec<u8>,
}

impl<'a> Pipeline<'a> {
    /// Makes these shards and gives the receipts of those that were finished: all of them, unless a signal asked to
    /// stop. The shard that is open then is dropped. Gives where the time went as well.
    pub(crate) fn run(
        &self,
        conv_base: &ConvBase,
        todo: &[ShardName],
        mut limit: RejectionLimit,
    ) -> anyhow::Result<(Vec<Receipt>, TimeSpent)> {
        // A batch holds a place from before it is decoded until it is written: as many as passes can work on, and wait
        // for each other's order, and no more.
        let places = 4 * self.passes + WAITING_BATCHES;
        let (taken, freed) = sync_channel(places);
        let (pixels, decoded) = sync_channel(places);
        let (features, embedded) = sync_channel(WAITING_BATCHES);
        let decoded = Mutex::new(Some(decoded));
        thread::scope(|scope| {
            // Each step owns its ends of the channels: whichever stops first closes them, and the others follow.
            let decoding = scope.spawn(|| self.decode(todo, &mut limit, taken, pixels));
            let passes: Vec<_> = (0..self.passes)
                .map(|_| {
                    let features = features.clone();
                    scope.spawn(|| self.convolve(conv_base, &decoded, features))
                })
                .collect();
            drop(features);
            let written = self.write(embedded, freed);
            let mut time = Ok(TimeSpent::default());
            for pass in passes {
                time = match (time, pass.join().unwrap_or_else(resume)) {
                    (Ok(mut time), Ok(spent)) => {
                        time += spent;
                        Ok(time)
                    }
                    (Err(error), _) | (_, Err(error)) => Err(error),
                };
            }
            let decoded = decoding.join().unwrap_or_else(resume);
            let receipts = written?;
            let time = time?;
            decoded?;
            Ok((receipts, time))
        })
    }

    fn decode(
        &self,
        todo: &[ShardName],
        limit: &mut RejectionLimit,
        taken: SyncSender<()>,
        pixels: SyncSender<Batch<'a>>,
    ) -> Result<(), Hinted> {
        let mut pixels = Some(pixels);
        let mut number = 0;
        for &shard in todo {
            let samples = &self.folder.samples()[self.store.manifest().positions(shard)];
            // What all passes need next is decoded together, and shared out evenly.
            for samples in samples.chunks(self.batch_size * self.passes) {
                if self.interrupt.is_set() {
                    return Ok(());
                }
                let size = samples.len().div_ceil(self.passes);
                if pixels.is_some() && samples.chunks(size).any(|_| taken.send(()).is_err()) {
                    return Ok(()); // The writer failed and says why.
                }
                for batch in self.decode_batches(shard, samples, size, &mut number) {
                    self.note_rejections(&batch, limit);
                    if limit.is_over() && pixels.take().is_some() {
                        info!("too many images are unreadable; the rest is only read, to list them all");
                    }
                    if let Some(pixels) = &pixels
                        && pixels.send(batch).is_err()
                    {
                        return Ok(()); // A pass failed and says why.
                    }
                }
            }
        }
        limit.check(self.folder)
    }

    fn note_rejections(&self, batch: &Batch<'a>, limit: &mut RejectionLimit) {
        for (sample, status) in &batch.images {
            if let Err(error) = status {
                self.progress.suspended(|| warn!(path = sample.path, "rejected `{}`: {error}", sample.path));
                limit.add(&sample.path, error);
            }
        }
    }

    /// Batches of at most `size` images, decoded together; `number` is the first one's, and then the next one's.
    fn decode_batches(
        &self,
        shard: ShardName,
        samples: &'a [Sample],
        size: usize,
        number: &mut usize,
    ) -> Vec<Batch<'a>> {
        let spec = self.store.manifest().spec();
        let paths: Vec<PathBuf> =
            samples.iter().map(|sample| self.folder.root().join(&sample.path)).collect();
        let DecodedBatch { images, pixels } =
            self.decode_threads.decode_batch(&paths, spec.image_size, spec.interpolation);
        let statuses = images.into_iter().map(|image| image.map(Some).map_err(|error| one_line(&error)));
        let mut statuses = statuses.collect::<Vec<_>>().into_iter();
        let mut pixels = &pixels[..];
        let batch = |samples: &'a [Sample]| {
            let images: Statuses<'a> = samples.iter().zip(statuses.by_ref()).collect();
            let rows = images.iter().filter(|(_, status)| status.is_ok()).count();
            let (data, rest) = pixels.split_at(rows * spec.image_size.rgb_bytes());
            pixels = rest;
            *number += 1;
            Batch { number: *number - 1, shard, images, data: data.to_vec() }
        };
        samples.chunks(size).map(batch).collect()
    }

    fn convolve(
        &self,
        conv_base: &ConvBase,
        decoded: &Mutex<Option<Receiver<Batch<'a>>>>,
        features: SyncSender<Batch<'a>>,
    ) -> Result<TimeSpent, EngineError> {
        let dtype = self.store.manifest().dtype();
        let decoded = || decoded.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut time, mut last) = (TimeSpent::default(), Instant::now());
        let mut lap = || {
            let now = Instant::now();
            now.duration_since(std::mem::replace(&mut last, now))
        };
        loop {
            let next = decoded().as_ref().and_then(|decoded| decoded.recv().ok());
            let Some(mut batch) = next else { return Ok(time) };
            if self.interrupt.is_set() {
                *decoded() = None; // What waits belongs to the open shard, which is dropped, or to later ones.
                return Ok(time);
            }
            time.decoding += lap();
            let rows = batch.images.iter().filter(|(_, status)| status.is_ok()).count();
            batch.data = match conv_base.features(&batch.data, rows) {
                Ok(features) => encoded(&features, dtype),
                Err(error) => {
                    *decoded() = None; // Nobody takes batches any more: all steps end.
                    return Err(error);
                }
            };
            time.convolving += lap();
            if features.send(batch).is_err() {
                *decoded() = None;
                return Ok(time); // The writer failed and says why.
            }
            time.writing += lap();
        }
    }

    fn write(&self, features: Receiver<Batch<'a>>, freed: Receiver<()>) -> Result<Vec<Receipt>, WriteError> {
        let (mut open, mut receipts, mut made_elsewhere) = (None, Vec::new(), None);
        for batch in in_order(features, freed) {
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

/// The batches by their numbers. A batch's place is free as soon as the next one is asked for.
fn in_order<'a>(features: Receiver<Batch<'a>>, freed: Receiver<()>) -> impl Iterator<Item = Batch<'a>> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    std::iter::from_fn(move || {
        if next > 0 {
            let _ = freed.try_recv();
        }
        while !early.contains_key(&next) {
            let batch = features.recv().ok()?;
            early.insert(batch.number, batch);
        }
        next += 1;
        early.remove(&(next - 1))
    })
}

fn resume<T>(panic: Box<dyn std::any::Any + Send>) -> T {
    std::panic::resume_unwind(panic)
}

fn encoded(features: &[f32], dtype: convbase_core::DataType) -> Vec<u8> {
    match dtype {
        convbase_core::DataType::Float32 => features.iter().flat_map(|number| number.to_le_bytes()).collect(),
        convbase_core::DataType::Float16 => {
            features.iter().flat_map(|number| half::f16::from_f32(*number).to_le_bytes()).collect()
        }
    }
}
