//! `extractor check`: what a labelled folder holds, before hours of work.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use convbase_core::exit::{Outcome, one_line};
use convbase_core::{ImageSize, Interpolation, Interrupt, escaped, processors};
use convbase_images::{ClassFound, DecodeThreads, Decoder, Excluded, LeftOut, Survey, expect_file};
use serde_json::{Value, json};
use tracing::warn;

use crate::args::{CheckArguments, classes};
use crate::images_folder::{dataset_error, exclusions};
use crate::progress::Progress;

/// Photographs that are decoded together.
const BATCH: usize = 64;

/// What became of the photographs.
#[derive(Default)]
struct Looked {
    /// Those that cannot be read, and why.
    rejected: Vec<(String, String)>,
    /// Those that decode and may be damaged.
    doubtful: Vec<(String, String)>,
    /// Whether a signal ended it early.
    interrupted: bool,
}

/// Looks through a folder and prints what it found. Exit code 1 if something needs a person.
pub fn check(
    arguments: &CheckArguments,
    shows_progress: bool,
    interrupt: &Interrupt,
) -> anyhow::Result<Outcome> {
    let given = arguments.classes.clone().map(classes).transpose()?;
    let exclusions = exclusions(arguments.exclude.as_deref())?;
    let survey = Survey::of(&arguments.images, given.as_ref()).map_err(dataset_error)?;
    let survey = match &exclusions {
        Some(exclusions) => survey.without(exclusions),
        None => survey,
    };
    let looked = look(arguments, &survey, shows_progress, interrupt)?;
    let problems: Vec<(String, Option<String>)> = survey
        .problems(arguments.allow_empty_class)
        .iter()
        .map(|problem| (one_line(problem), problem.remedy()))
        .collect();
    let mut stdout = io::stdout().lock();
    if arguments.json {
        let value = as_json(arguments, &survey, &looked, &problems);
        serde_json::to_writer_pretty(&mut stdout, &value).map_err(io::Error::from)?;
        writeln!(stdout)?;
    } else {
        stdout.write_all(as_text(arguments, &survey, &looked, &problems).as_bytes())?;
    }
    stdout.flush()?;
    if looked.interrupted {
        return Ok(Outcome::Interrupted);
    }
    let is_fine = problems.is_empty() && looked.rejected.is_empty() && looked.doubtful.is_empty();
    Ok(if is_fine && !needs_a_person(&survey) { Outcome::Done } else { Outcome::Findings })
}

/// Something is left out that looks as if it should not be, or would not be although a list names it.
fn needs_a_person(survey: &Survey) -> bool {
    let is_odd = |left_out: &LeftOut| left_out.foreign > 0 || !left_out.dangling.is_empty();
    let classes = survey.classes().iter().map(|class| &class.photographs.left_out);
    let is_unknown = survey.excluded().is_some_and(|excluded| !excluded.unknown.is_empty());
    is_unknown || !survey.unlabelled().is_empty() || classes.chain([survey.beside()]).any(is_odd)
}

/// Looks at each photograph: whether it is a file, or whether it decodes.
fn look(
    arguments: &CheckArguments,
    survey: &Survey,
    shows_progress: bool,
    interrupt: &Interrupt,
) -> anyhow::Result<Looked> {
    let of = |class: &ClassFound, paths: &[String]| -> Vec<String> {
        paths.iter().map(|path| format!("{}/{path}", class.name)).collect()
    };
    let mut looked = Looked::default();
    if !arguments.decode {
        for path in survey.classes().iter().flat_map(|class| of(class, &class.photographs.odd)) {
            if let Err(error) = expect_file(&survey.root().join(&path)) {
                looked.rejected.push((path, one_line(&error)));
            }
        }
        return Ok(looked);
    }
    let all: Vec<String> =
        survey.classes().iter().flat_map(|class| of(class, &class.photographs.paths)).collect();
    // Only whether it decodes is asked: the nearest pixel of all is the least work.
    let size = ImageSize::new(ImageSize::LEAST, ImageSize::LEAST)?;
    let decoder = Decoder::new(size, Interpolation::Nearest)
        .with_most_pixels(arguments.max_pixels.unwrap_or(Decoder::MOST_PIXELS));
    let threads = DecodeThreads::start(processors()).context("cannot start threads to decode")?;
    let progress = Progress::new(all.len(), shows_progress);
    let mut decoded_before = 0;
    for batch in all.chunks(BATCH) {
        if interrupt.is_set() {
            warn!(
                "interrupted: {} of {} photographs were not decoded",
                all.len() - decoded_before,
                all.len()
            );
            looked.interrupted = true;
            break;
        }
        let paths: Vec<PathBuf> = batch.iter().map(|path| survey.root().join(path)).collect();
        let decoded = threads.decode_batch(&paths, &decoder);
        for (path, image) in batch.iter().zip(&decoded.images) {
            if let Err(error) = image {
                looked.rejected.push((path.clone(), one_line(error)));
            }
        }
        for (position, doubt) in decoded.doubts {
            looked.doubtful.extend(batch.get(position).map(|path| (path.clone(), doubt.to_string())));
        }
        let rejected = decoded.images.iter().filter(|image| image.is_err()).count();
        progress.count(batch.len(), rejected);
        decoded_before += batch.len();
    }
    progress.clear();
    Ok(looked)
}

fn as_text(
    arguments: &CheckArguments,
    survey: &Survey,
    looked: &Looked,
    problems: &[(String, Option<String>)],
) -> String {
    let mut lines = vec![survey.table()];
    let shown = |path: &Path| escaped(&path.to_string_lossy()).into_owned();
    let (root, count) = (shown(survey.root()), survey.photographs());
    let (rejected, doubtful) = (looked.rejected.len(), looked.doubtful.len());
    let outcome = match (looked.interrupted, arguments.decode) {
        (true, _) => format!("interrupted, so far {rejected} unreadable, {doubtful} doubtful"),
        (false, true) => format!("{} decode, {rejected} unreadable, {doubtful} doubtful", count - rejected),
        (false, false) => format!("not decoded (`--decode` does), {rejected} no files"),
    };
    let excluded = survey.excluded().map(|excluded| format!(", {} excluded", excluded.photographs));
    let excluded = excluded.unwrap_or_default();
    lines.push(format!(
        "`{root}`: {count} photographs in {} classes{excluded}: {outcome}",
        survey.classes().len()
    ));
    lines.extend(survey.remarks());
    lines.extend(
        looked.rejected.iter().map(|(path, error)| format!("unreadable: `{}`: {error}", escaped(path))),
    );
    lines.extend(
        looked.doubtful.iter().map(|(path, doubt)| format!("doubtful: `{}`: {doubt}", escaped(path))),
    );
    for (problem, remedy) in problems {
        lines.push(format!("problem: {problem}"));
        lines.extend(remedy.iter().map(|remedy| format!("hint: {remedy}")));
    }
    lines.join("\n") + "\n"
}

fn as_json(
    arguments: &CheckArguments,
    survey: &Survey,
    looked: &Looked,
    problems: &[(String, Option<String>)],
) -> Value {
    let class = |class: &ClassFound| {
        json!({
            "class": class.name,
            "photographs": class.photographs.paths.len(),
            "links": class.photographs.links,
            "missing": class.missing,
            "left_out": left_out(&class.photographs.left_out),
        })
    };
    let told = |pairs: &[(String, String)], name: &str| -> Vec<Value> {
        pairs.iter().map(|(path, text)| json!({"path": path, name: text})).collect()
    };
    json!({
        "photographs": survey.photographs(),
        "classes": survey.classes().iter().map(class).collect::<Vec<_>>(),
        "beside": left_out(survey.beside()),
        "unlabelled": survey.unlabelled(),
        "other_folders": survey.other_folders(),
        "decoded": arguments.decode && !looked.interrupted,
        "rejected": told(&looked.rejected, "error"),
        "doubtful": told(&looked.doubtful, "doubt"),
        "problems": problems.iter().map(|(text, hint)| json!({"problem": text, "hint": hint})).collect::<Vec<_>>(),
        "remarks": survey.remarks(),
        "excluded": survey.excluded().map(|Excluded { photographs, unknown }| {
            json!({"photographs": photographs, "unknown": unknown})
        }),
    })
}

fn left_out(left_out: &LeftOut) -> Value {
    json!({
        "suffixes": left_out.suffixes,
        "foreign": left_out.foreign,
        "system_files": left_out.system_files,
        "system_folders": left_out.system_folders,
        "results": left_out.results,
        "dangling": left_out.dangling,
        "not_text": left_out.not_text,
    })
}
