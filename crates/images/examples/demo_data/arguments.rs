//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::plan::Plan;

pub const HELP: &str = "\
Makes a small labelled image folder: photographs of feathers and of leaves, drawn from a seed.

Usage: demo_data --out DIR [--seed 42] [--train 240] [--test 120]

  --out DIR    the folder to make: DIR/{train,test}/{feathers,leaves}/NNNN.{jpg,png}
  --seed N     other seed, other pictures; the same seed gives the same bytes on every machine
  --train N    pictures in train, of both classes together: even, from 2 to 20000
  --test N     pictures in test, likewise
  --help       this text

A folder that is there already with the same parameters is left as it is; any other is refused.
";

/// What the user wants.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    Help,
    Make { out: PathBuf, plan: Plan },
}

/// Reads the words after the program's name.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Request, Failure> {
    let mut out = None;
    let mut plan = Plan { seed: 42, train: 240, test: 120 };
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy().into_owned();
        if text == "--help" || text == "-h" {
            return Ok(Request::Help);
        }
        if !["--out", "--seed", "--train", "--test"].contains(&text.as_str()) {
            return Err(Failure::usage(format!("unexpected argument `{text}`")));
        }
        let value = words.next().ok_or_else(|| Failure::usage(format!("`{text}` needs a value")))?;
        match text.as_str() {
            "--out" => out = Some(PathBuf::from(value)),
            "--seed" => plan.seed = number(&text, &value)?,
            "--train" => plan.train = count(&text, &value)?,
            _ => plan.test = count(&text, &value)?,
        }
    }
    match out {
        Some(out) if !out.as_os_str().is_empty() => Ok(Request::Make { out, plan }),
        _ => Err(Failure::usage("`--out DIR` is missing".to_owned())),
    }
}

fn number(name: &str, value: &OsString) -> Result<u64, Failure> {
    let text = value.to_string_lossy();
    text.parse().map_err(|_| Failure::usage(format!("`{name}`: expected a whole number, found `{text}`")))
}

fn count(name: &str, value: &OsString) -> Result<u32, Failure> {
    match number(name, value)? {
        // Four digits number the pictures of a class.
        count if count % 2 == 0 && (2..=20_000).contains(&count) => Ok(count as u32),
        count => {
            Err(Failure::usage(format!("`{name}`: expected an even number from 2 to 20000, found {count}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Request, String> {
        parse(line.split_whitespace().map(OsString::from)).map_err(|failure| failure.to_string())
    }

    #[test]
    fn everything_but_the_folder_has_a_default() {
        let plan = Plan { seed: 42, train: 240, test: 120 };
        assert_eq!(words("--out demo"), Ok(Request::Make { out: "demo".into(), plan }));
        let plan = Plan { seed: 7, train: 4, test: 2 };
        assert_eq!(
            words("--seed 7 --out demo --train 4 --test 2"),
            Ok(Request::Make { out: "demo".into(), plan })
        );
    }

    #[test]
    fn help_wins_over_what_follows() {
        assert_eq!(words("--help --nonsense"), Ok(Request::Help));
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_reason() {
        for (line, reason) in [
            ("", "`--out DIR` is missing"),
            ("--out", "`--out` needs a value"),
            ("--out demo --size 3", "unexpected argument `--size`"),
            ("--out demo --seed x", "`--seed`: expected a whole number, found `x`"),
            ("--out demo --train 3", "`--train`: expected an even number from 2 to 20000, found 3"),
            ("--out demo --test 0", "`--test`: expected an even number from 2 to 20000, found 0"),
            ("--out demo --test 20002", "`--test`: expected an even number from 2 to 20000, found 20002"),
        ] {
            assert_eq!(words(line).unwrap_err(), reason);
        }
    }
}
