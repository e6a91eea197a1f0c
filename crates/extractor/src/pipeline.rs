//! Decode → compute → write, at the same time: what the extractor adds to [`EmbedPipeline`].

use std::ops::Range;
use std::path::PathBuf;

use convbase_core::exit::{Hinted, WithHint, one_line};
use convbase_core::store::{Canary, Receipt, ShardName, ShardWriter, StoreWriter, WriteError};
use convbase_core::{DecodedImage, Interrupt, Sample};
use convbase_images::{DecodeThreads, DecodedBatch, Decoder, ImageFolder, ViewMaker};
use convbase_nn::{Embed, EmbedPipeline, Embedded, TimeSpent};
use tracing::{info, warn};

use crate::machine_failure::machine_failure;
use crate::progress::Progress;
use crate::rejection_limit::RejectionLimit;

/// The parts that an extraction runs on.
pub(crate) struct Pipeline<'a> {
    pub(crate) folder: &'a ImageFolder,
    pub(crate) store: &'a StoreWriter,
    pub(crate) decode_threads: &'a DecodeThreads,
    pub(crate) decoder: Decoder,
    /// What makes several views of each photograph.
    pub(crate) views: Option<&'a ViewMaker>,
    /// Images of a batch, views counted.
    pub(crate) batch_size: usize,
    /// Batches that are computed at the same time, each by a thread.
    pub(crate) passes: usize,
    pub(crate) progress: &'a Progress,
    pub(crate) interrupt: &'a Interrupt,
    /// What this machine makes of the drawn images.
    pub(crate) canary: &'a Canary,
    /// Whether shards that are finished are made again.
    pub(crate) replaces: bool,
}

/// The shards that were made so far.
#[derive(Default)]
struct Written<'a> {
    open: Option<ShardWriter<'a>>,
    receipts: Vec<Receipt>,
    made_elsewhere: Option<ShardName>,
}

impl<'a> Pipeline<'a> {
    /// Makes these shards and gives the receipts of those that were finished: all of them, unless a signal asked to
    /// stop. The shard that is open then is dropped. Gives where the time went as well.
    pub(crate) fn run<E: Embed>(
        &self,
        engine: &E,
        todo: &[ShardName],
        mut limit: RejectionLimit,
    ) -> anyhow::Result<(Vec<Receipt>, TimeSpent)> {
        let manifest = self.store.manifest();
        // A batch lies in one shard, so that the shard is finished with its last batch.
        let ranges: Vec<Range<usize>> = todo.iter().map(|shard| manifest.positions(*shard)).collect();
        let embed = EmbedPipeline {
            engine,
            ranges: &ranges,
            views: manifest.view_count(),
            batch_size: self.batch_size,
            passes: self.passes,
            interrupt: self.interrupt,
        };
        embed.check_memory().hint(|| "fewer images at once need less: `--batch-size`, `--threads`")?;
        let (mut written, mut failure) = (Written::default(), None);
        let time = embed.run::<anyhow::Error>(
            |positions| self.decode(positions, &mut limit, &mut failure),
            |embedded| Ok(self.write(embedded, &mut written)?),
        )?;
        if let Some(failure) = failure {
            return Err(failure.into());
        }
        if !self.interrupt.is_set() {
            limit.check(self.folder)?;
        }
        limit.tell_doubts();
        // An unfinished shard is dropped here, and leaves nothing behind.
        Ok((written.receipts, time))
    }

    /// Nothing is computed any more when too many are unreadable; they are only read, to list them all.
    /// Where the machine itself fails, everything ends.
    fn decode(
        &self,
        positions: Range<usize>,
        limit: &mut RejectionLimit,
        failure: &mut Option<Hinted>,
    ) -> Option<DecodedBatch> {
        let samples = &self.folder.samples()[positions];
        let paths: Vec<PathBuf> =
            samples.iter().map(|sample| self.folder.root().join(&sample.path)).collect();
        let batch = self.decode_threads.decode_batch(&paths, &self.decoder);
        let errors =
            paths.iter().zip(&batch.images).filter_map(|(path, image)| Some((path, image.as_ref().err()?)));
        *failure = errors.filter_map(|(path, error)| machine_failure(path, error)).next();
        if failure.is_some() {
            self.interrupt.set();
            return None;
        }
        let was_over = limit.is_over();
        for (sample, image) in samples.iter().zip(&batch.images) {
            if let Err(error) = image {
                let error = one_line(error);
                self.progress.suspended(|| warn!(path = sample.path, "rejected `{}`: {error}", sample.path));
                limit.add(&sample.path, &error);
            }
        }
        for (position, doubt) in &batch.doubts {
            if let Some(Sample { path, .. }) = samples.get(*position) {
                self.progress.suspended(|| warn!(path, "`{path}` may be damaged: {doubt}"));
            }
        }
        limit.add_doubts(batch.doubts.len());
        if limit.is_over() && !was_over {
            info!("too many images are unreadable; the rest is only read, to list them all");
        }
        (!limit.is_over()).then(|| self.with_views(batch, samples))
    }

    /// Decoded once, each photograph becomes its views.
    fn with_views(&self, batch: DecodedBatch, samples: &[Sample]) -> DecodedBatch {
        let Some(maker) = self.views else { return batch };
        let paths: Vec<&str> = samples.iter().map(|sample| sample.path.as_str()).collect();
        self.decode_threads.make_views(batch, maker, &paths, self.store.manifest().spec().image_size)
    }

    fn write(&self, embedded: Embedded, written: &mut Written<'a>) -> Result<(), WriteError> {
        let manifest = self.store.manifest();
        let shard = manifest.shard_of(embedded.positions.start);
        let samples = &self.folder.samples()[embedded.positions];
        let statuses = embedded.images.into_iter().map(|image| image.map(Some).map_err(|e| one_line(&e)));
        let images: Vec<(&Sample, Result<Option<DecodedImage>, String>)> =
            samples.iter().zip(statuses).collect();
        self.progress.add(&images);
        if written.made_elsewhere == Some(shard) {
            return Ok(());
        }
        let mut writer = match written.open.take() {
            Some(writer) => writer,
            None => {
                // Another process that runs the same task may have been faster: its shard stays as it is.
                let finished = if self.replaces { None } else { self.store.finished(shard) };
                if let Some(receipt) = finished {
                    written.receipts.push(receipt);
                    written.made_elsewhere = Some(shard);
                    return Ok(());
                }
                self.store.shard(shard)?
            }
        };
        writer.append(&images, &manifest.dtype().encode(&embedded.features))?;
        if writer.is_full() {
            written.receipts.push(writer.finish(Some(self.canary))?);
        } else {
            written.open = Some(writer);
        }
        Ok(())
    }
}
