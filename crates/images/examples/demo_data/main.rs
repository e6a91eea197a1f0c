//! Makes a small labelled image folder to try Convbase on: feathers and leaves, drawn from a seed.
//!
//! The two classes share sizes, colours, backgrounds and company; they differ in venation, outline and base. A
//! share of them is small, covered, out of focus or something in between, so that learning is worth watching.

mod angle;
mod arguments;
mod backdrop;
mod blur;
mod class;
mod difficulty;
mod distractor;
mod encode;
mod failure;
mod folder;
mod layer;
mod lens;
mod outline;
mod picture;
mod plan;
mod random;
mod shapes;
mod specimen;
mod texture;
mod tint;
mod traits;

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use arguments::Request;
use failure::Failure;
use folder::Outcome;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("{failure}\nhint: {}", failure.hint));
            ExitCode::from(failure.code)
        }
    }
}

fn run() -> Result<(), Failure> {
    match arguments::parse(std::env::args_os().skip(1))? {
        Request::Help => {
            // Nobody is left to tell when the reader of the help has gone.
            let _ = stdout().lock().write_all(arguments::HELP.as_bytes());
        }
        Request::Make { out, plan } => match folder::make(&out, &plan)? {
            Outcome::Made => {
                say(&format!("made {} pictures in `{}`", plan.train + plan.test, out.display()));
            }
            Outcome::AlreadyThere => {
                say(&format!("`{}` is there already, with these parameters: nothing to do", out.display()));
            }
        },
    }
    Ok(())
}

/// A line for people; standard output is for data.
fn say(line: &str) {
    let _ = writeln!(stderr().lock(), "demo_data: {line}");
}
