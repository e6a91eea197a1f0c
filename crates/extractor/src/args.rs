//! The command line, and its words turned once into a validated configuration.

mod check;
mod import;

use std::path::PathBuf;

use anyhow::ensure;
use clap::{Args, Parser, Subcommand};
use convbase_bases::{architectures, default_architecture};
use convbase_cli::CommonArguments;
use convbase_core::store::Task;
use convbase_core::{
    Classes, ClassesError, DataType, ImageSize, Interpolation, Interrupt, Pooling, Precision, Preprocess,
    processors,
};
use convbase_images::{Decoder, ViewMaker};
use convbase_nn::DeviceChoice;

use crate::task_arguments::TaskArguments;
use crate::view_arguments::ViewArguments;

pub use check::CheckArguments;
pub use import::ImportArguments;

/// Turn folders of photographs into feature stores.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    common: CommonArguments,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed or verify found something, 2 usage, 75 interrupted by SIGTERM or SIGINT: run again to go \
    on.\n\
    RUST_LOG overrides -v and -q.";

/// The names of the catalogue.
fn base_help() -> String {
    let names: Vec<&str> = architectures().iter().map(|architecture| architecture.name()).collect();
    format!(
        "Frozen network: {}; or the path of an .onnx file, which holds its weights as well (`scripts/export-onnx` makes \
         one from timm or torchvision)",
        names.join(", ")
    )
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Decode the photographs of a labelled folder (DIR/CLASS/...) and store their features
    Extract(Box<ExtractArguments>),
    /// Take features that Keras or NumPy saved as .npy files into a store
    Import(ImportArguments),
    /// Look through a labelled folder before hours of work: what will be listed, and what a person should know
    Check(CheckArguments),
    /// Re-read and re-hash stores, and list everything that is wrong
    Verify(VerifyArguments),
    /// Tell what a store holds
    Inspect(InspectArguments),
}

/// The arguments of `extract`.
#[derive(Debug, Args)]
pub struct ExtractArguments {
    /// Folder with one sub-folder of photographs (jpg jpeg jpe jfif jfi png apng bmp gif webp tif tiff) per class
    #[arg(long, value_name = "DIR")]
    images: PathBuf,
    /// Folder of the feature store; shards that are finished there are kept
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Frozen network: a name of the catalogue, or an .onnx file
    #[arg(long, value_name = "NAME|FILE.onnx", default_value = default_architecture().name(), long_help = base_help())]
    base: String,
    /// The base's weights, as `scripts/weights NAME` writes them [default: weights/NAME.safetensors, in the working
    /// directory or above the program; an .onnx file holds its own]
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Pixels of both sides, or HEIGHTxWIDTH [default: what the base is made for]
    #[arg(long, value_name = "N")]
    image_size: Option<ImageSize>,
    /// Layer whose output is stored: any of the base's [default: its last]
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// What becomes of the layer's map: none, avg or max over height and width
    #[arg(long, default_value = "none")]
    pooling: Pooling,
    /// How pixels are scaled: rescale, caffe, torch, tf, mean=R,G,B/std=R,G,B in units of 0 to 255, or auto for what the
    /// weights were trained with
    #[arg(long, default_value = "auto", value_parser = auto_or::<Preprocess>)]
    preprocess: Choice<Preprocess>,
    /// How photographs are resized: nearest, bilinear, bicubic, lanczos (Pillow's definitions) [default: what an .onnx
    /// file says, else nearest]
    #[arg(long)]
    interpolation: Option<Interpolation>,
    /// Arithmetic of the convolutions: fp32, bf16, int8 for products of 8 bits, which are faster where the processor has VNNI,
    /// or auto for bf16 where it is multiplied natively, else fp32
    #[arg(long, default_value = "auto", value_parser = auto_or::<Precision>)]
    precision: Choice<Precision>,
    /// How features are stored: float32 or float16
    #[arg(long, default_value = "float32")]
    dtype: DataType,
    /// auto, cpu, cuda or cuda:N; cuda fails where there is none
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// Images per pass through the network, views counted [default: 8 on the processor, 2 where libtorch computes bf16 there, 64 on a GPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    batch_size: Option<u32>,
    /// Passes that are computed at the same time, each on a thread of its own [default: one per processor; 2 on a GPU,
    /// one of which is fetched or stored while the other is computed]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    threads: Option<u32>,
    /// Threads that decode photographs meanwhile [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    decode_threads: Option<u32>,
    /// Listed images per shard
    #[arg(long, value_name = "N", default_value = "1024", value_parser = clap::value_parser!(u32).range(1..))]
    shard_size: u32,
    /// Class names in the order of their labels [default: the sub-folders, sorted]
    #[arg(long, value_name = "A,B,...", value_delimiter = ',')]
    classes: Option<Vec<String>>,
    /// Go on where a class has no photographs here, as in a split that lacks it
    #[arg(long)]
    allow_empty_class: bool,
    /// Leave out the photographs that a file names: a path below DIR on each line, as `evaluator audit` writes them; lines
    /// that begin with # are comments. All tasks of a store need the same file
    #[arg(long, value_name = "FILE")]
    exclude: Option<PathBuf>,
    /// Turn photographs as the orientation in their EXIF metadata says; Keras does not. TIFFs are always turned, as in
    /// Pillow
    #[arg(long)]
    exif_orientation: bool,
    /// Most pixels of a photograph; what has more is unreadable [default: 178956970, Pillow's limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_pixels: Option<u64>,
    /// Greatest share of images that may be unreadable
    #[arg(long, value_name = "SHARE", default_value = "0.05", value_parser = share)]
    max_rejected: f64,
    /// Fail when any image is unreadable
    #[arg(long)]
    strict: bool,
    /// Remove another store from the output folder first
    #[arg(long, conflicts_with_all = ["task_index", "task_count", "retry_rejected"])]
    overwrite: bool,
    /// Make finished shards again that have unreadable images
    #[arg(long)]
    retry_rejected: bool,
    #[command(flatten)]
    views: ViewArguments,
    #[command(flatten)]
    task: TaskArguments,
}

/// The arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// Feature stores
    #[arg(value_name = "DIR", required = true)]
    pub stores: Vec<PathBuf>,
    /// Tasks that make each store: what is missing is then told as task numbers as well
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub task_count: Option<u32>,
}

/// The arguments of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// A feature store
    #[arg(value_name = "DIR")]
    pub store: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A value, or what fits the circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice<T> {
    /// Decide by the weights or the device.
    Auto,
    /// This one.
    This(T),
}

/// Everything that `extract` needs to know.
#[derive(Debug, Clone)]
pub struct ExtractConfig {
    /// The labelled image folder.
    pub images: PathBuf,
    /// The store's folder.
    pub out: PathBuf,
    /// The frozen network: a name of the catalogue, or the path of an ONNX file.
    pub base: String,
    /// The weights file, or the one of the base's name.
    pub weights: Option<PathBuf>,
    /// The size that photographs are brought to, or what the base is made for.
    pub image_size: Option<ImageSize>,
    /// The layer whose output is stored, or the base's last.
    pub layer: Option<String>,
    /// What becomes of its map.
    pub pooling: Pooling,
    /// How pixels are scaled.
    pub preprocess: Choice<Preprocess>,
    /// How photographs are resized, or what the base says, or the nearest pixel.
    pub interpolation: Option<Interpolation>,
    /// The arithmetic of the convolutions.
    pub precision: Choice<Precision>,
    /// How features are stored.
    pub dtype: DataType,
    /// Where to compute.
    pub device: DeviceChoice,
    /// What makes several views of each photograph.
    pub views: Option<ViewMaker>,
    /// Images per pass, views counted, or what fits the device.
    pub batch_size: Option<usize>,
    /// Passes at the same time, or what fits the device.
    pub threads: Option<usize>,
    /// Threads that decode.
    pub decode_threads: usize,
    /// Listed images per shard.
    pub shard_size: usize,
    /// The class list, or the sub-folders.
    pub classes: Option<Classes>,
    /// Whether a class may be without photographs.
    pub allows_empty_class: bool,
    /// The file that names photographs to leave out.
    pub exclude: Option<PathBuf>,
    /// Whether photographs are turned as their metadata say.
    pub exif_orientation: bool,
    /// Most pixels of a photograph.
    pub most_pixels: u64,
    /// Greatest share of unreadable images.
    pub max_rejected: f64,
    /// Remove another store first.
    pub overwrite: bool,
    /// Make finished shards again that have unreadable images.
    pub retry_rejected: bool,
    /// Which shards to make.
    pub task: Task,
    /// Where that is said.
    pub task_source: &'static str,
    /// Set when a signal asks to stop.
    pub interrupt: Interrupt,
    /// Show a progress bar.
    pub shows_progress: bool,
}

impl Arguments {
    /// The options that every program has.
    pub fn common(&self) -> &CommonArguments {
        &self.common
    }
}

impl ExtractArguments {
    /// Validates the words.
    pub fn into_config(self, shows_progress: bool, interrupt: Interrupt) -> anyhow::Result<ExtractConfig> {
        let variable = |name: &str| std::env::var(name).ok();
        let task = self.task.task(variable)?;
        ensure!(
            !self.overwrite || task == Task::ALONE,
            "`--overwrite`: expected one task, found {task}: it would remove the shards of the others"
        );
        Ok(ExtractConfig {
            images: self.images,
            out: self.out,
            base: self.base,
            weights: self.weights,
            image_size: self.image_size,
            layer: self.layer,
            pooling: self.pooling,
            preprocess: self.preprocess,
            interpolation: self.interpolation,
            precision: self.precision,
            dtype: self.dtype,
            device: self.device,
            views: self.views.maker()?,
            batch_size: self.batch_size.map(|size| size as usize),
            threads: self.threads.map(|threads| threads as usize),
            decode_threads: self.decode_threads.map_or_else(processors, |threads| threads as usize),
            shard_size: self.shard_size as usize,
            classes: self.classes.map(classes).transpose()?,
            allows_empty_class: self.allow_empty_class,
            exclude: self.exclude,
            exif_orientation: self.exif_orientation,
            most_pixels: self.max_pixels.unwrap_or(Decoder::MOST_PIXELS),
            max_rejected: if self.strict { 0.0 } else { self.max_rejected },
            overwrite: self.overwrite,
            retry_rejected: self.retry_rejected,
            task,
            task_source: self.task.source(variable),
            interrupt,
            shows_progress,
        })
    }
}

/// Class names as they were meant: `cats, dogs` is two words.
pub(crate) fn classes(names: Vec<String>) -> Result<Classes, ClassesError> {
    Classes::new(names.iter().map(|name| name.trim().to_owned()).collect())
}

fn auto_or<T: std::str::FromStr>(text: &str) -> Result<Choice<T>, T::Err> {
    if text == "auto" { Ok(Choice::Auto) } else { text.parse().map(Choice::This) }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a share from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn auto_is_no_name_of_its_own() {
        assert_eq!(auto_or::<Preprocess>("auto"), Ok(Choice::Auto));
        assert_eq!(auto_or("tf"), Ok(Choice::This(Preprocess::TensorFlow)));
        assert!(auto_or::<Preprocess>("keras").is_err());
    }
}
