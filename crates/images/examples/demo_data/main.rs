//! Makes a small labelled image folder to try Convbase on: feathers and leaves, drawn from a seed.
//!
//! The two classes share sizes, colours, backgrounds and company; they differ in venation, outline and base. A
//! share of them is small, covered, out of focus or something in between, so that learning is worth watching.
//!
//! The same seed gives the same bytes on every machine: sums, products and square roots of IEEE 754, sines from
//! `libm`, not the platform's, and of tiny-skia only polygons of one colour, which it fills in whole numbers.

mod folder;
mod picture;
mod random;
mod scenery;
mod sheet;
mod specimen;
#[cfg(test)]
mod tests;

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::Parser;
use convbase_core::exit::{self, LogFormat, Outcome};

/// Makes a small labelled image folder: photographs of feathers and of leaves, drawn from a seed.
/// A folder that is there already with the same parameters is left as it is; any other is refused
#[derive(Parser, Debug)]
#[command(name = "demo_data")]
struct Arguments {
    /// The folder to make: DIR/{train,test}/{feathers,leaves}/NNNN.{jpg,png}
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    plan: Plan,
}

/// Everything that decides what the folder holds.
#[derive(clap::Args, Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    /// Other seed, other pictures; the same seed gives the same bytes on every machine
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    /// Pictures in train, of both classes together: even, from 2 to 20000
    #[arg(long, value_name = "N", default_value_t = 240, value_parser = count)]
    train: u32,
    /// Pictures in test, likewise; as many as make a 95 % interval of accuracy four points wide
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = count)]
    test: u32,
}

fn count(text: &str) -> Result<u32, &'static str> {
    // Four digits number the pictures of a class.
    let count = text.parse().ok().filter(|count| (2..=20_000).contains(count) && count % 2 == 0);
    count.ok_or("expected an even number from 2 to 20000")
}

fn main() -> ExitCode {
    exit::code("demo_data", LogFormat::Text, run(&Arguments::parse()))
}

fn run(Arguments { out, plan }: &Arguments) -> anyhow::Result<Outcome> {
    let line = match folder::make(out, plan)? {
        true => format!("made {} pictures in `{}`", plan.train + plan.test, out.display()),
        false => format!("`{}` is there already, with these parameters: nothing to do", out.display()),
    };
    // Standard output is for data. Nobody is left to tell when stderr is closed.
    let _ = writeln!(std::io::stderr().lock(), "demo_data: {line}");
    Ok(Outcome::Done)
}
