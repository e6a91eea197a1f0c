use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use convbase_core::Digest;

use super::*;

/// Images are one pixel, whose red, green and blue are their position; every seventh is unreadable.
const IMAGES: usize = 100;

fn is_readable(position: usize) -> bool {
    position % 7 != 3
}

fn decode(positions: Range<usize>) -> Option<DecodedBatch> {
    let image = |position: usize| {
        let photograph = DecodedImage { width: 1, height: 1, sha256: Digest::of(b"") };
        if is_readable(position) { Ok(photograph) } else { Err(DecodeError::Empty) }
    };
    let readable = positions.clone().filter(|position| is_readable(*position));
    let pixels = readable.flat_map(|position| [position as u8; 3]).collect();
    Some(DecodedBatch { images: positions.map(image).collect(), doubts: Vec::new(), pixels })
}

#[derive(Debug, thiserror::Error, PartialEq)]
enum Failure {
    #[error("the engine failed at {0}")]
    Engine(usize),
    #[error("nobody wants {0}")]
    Consumer(usize),
}

/// Gives each image's position twice, and whatever `at` says at it first.
struct Engine<F>(F);

impl<F: Fn(usize) -> Result<(), Failure> + Sync> Embed for Engine<F> {
    type Error = Failure;

    fn embed(&self, pixels: &[u8], batch: usize) -> Result<Vec<f32>, Failure> {
        assert_eq!(pixels.len(), 3 * batch);
        let mut features = Vec::new();
        for pixel in pixels.as_chunks::<3>().0 {
            assert_eq!(*pixel, [pixel[0]; 3]);
            self.0(usize::from(pixel[0]))?;
            features.extend([f32::from(pixel[0]); 2]);
        }
        Ok(features)
    }
}

/// Runs in a thread of its own, so that a test of something that waits for ever ends.
fn ends<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(catch_unwind(AssertUnwindSafe(work))));
    match result.recv_timeout(Duration::from_secs(60)) {
        Ok(result) => result.unwrap_or_else(resume),
        Err(_) => panic!("the pipeline waits for ever"),
    }
}

/// The positions that were handed on before it ended, and how it did.
fn run(
    passes: usize,
    at: impl Fn(usize) -> Result<(), Failure> + Sync,
    interrupt: &Interrupt,
    mut consume: impl FnMut(&Embedded) -> Result<(), Failure>,
) -> (Vec<usize>, Result<TimeSpent, Failure>) {
    let ranges = [0..33, 40..40, 40..41, 50..IMAGES];
    let pipeline =
        EmbedPipeline { engine: &Engine(at), ranges: &ranges, views: 1, batch_size: 3, passes, interrupt };
    let mut positions = Vec::new();
    let result = pipeline.run(decode, |embedded: Embedded| {
        consume(&embedded)?;
        let readable = embedded.positions.clone().filter(|position| is_readable(*position));
        let expected: Vec<f32> = readable.flat_map(|position| [position as f32; 2]).collect();
        assert_eq!(embedded.features, expected);
        assert_eq!(embedded.images.len(), embedded.positions.len());
        for (image, position) in embedded.images.iter().zip(embedded.positions.clone()) {
            assert_eq!(image.is_ok(), is_readable(position));
        }
        assert!(embedded.positions.len() <= 3);
        positions.extend(embedded.positions);
        Ok(())
    });
    (positions, result)
}

fn wanted() -> Vec<usize> {
    (0..33).chain(40..41).chain(50..IMAGES).collect()
}

#[test]
fn batches_come_in_order_whatever_pass_is_slow() {
    for passes in [0, 1, 2, 8] {
        let (positions, result) = ends(move || {
            // Passes that take turns in an order of their own: one batch in three lets the others go first.
            let uneven = |position: usize| {
                (0..position % 3 * 200).for_each(|_| thread::yield_now());
                Ok(())
            };
            run(passes, uneven, &Interrupt::default(), |_| Ok(()))
        });
        assert_eq!(positions, wanted(), "{passes} passes");
        let shares = result.unwrap().shares();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{shares:?}");
    }
}

#[test]
fn an_engine_that_panics_ends_the_run_with_its_panic_and_not_with_waiting() {
    for passes in [1, 2, 8] {
        for at in [0, 20, 60, IMAGES - 1] {
            let handed_on = AtomicUsize::new(0);
            let panic = ends(move || {
                let engine = |position| if position == at { panic!("broken at {position}") } else { Ok(()) };
                let count = |embedded: &Embedded| {
                    handed_on.fetch_max(embedded.positions.end, Ordering::Relaxed);
                    Ok(())
                };
                let result =
                    catch_unwind(AssertUnwindSafe(|| run(passes, engine, &Interrupt::default(), count)));
                assert!(handed_on.load(Ordering::Relaxed) <= at, "nothing after the panic is handed on");
                result.map(|(positions, _)| positions).unwrap_err()
            });
            let message = panic.downcast_ref::<String>().unwrap();
            assert_eq!(*message, format!("broken at {at}"), "{passes} passes");
        }
    }
}

#[test]
fn every_pass_may_panic_at_once() {
    let panic = ends(|| {
        let run = || run(8, |position| panic!("broken at {position}"), &Interrupt::default(), |_| Ok(()));
        catch_unwind(AssertUnwindSafe(run)).map(|_| ()).unwrap_err()
    });
    assert!(panic.downcast_ref::<String>().unwrap().starts_with("broken at "));
}

#[test]
fn the_first_batch_that_fails_ends_the_run_after_those_before_it() {
    for passes in [1, 2, 8] {
        for at in [0, 20, 60, IMAGES - 1] {
            // Every later one fails as well: the first in order counts, not the first in time.
            let engine = move |position| if position >= at { Err(Failure::Engine(position)) } else { Ok(()) };
            let (positions, result) = ends(move || run(passes, engine, &Interrupt::default(), |_| Ok(())));
            assert_eq!(result.unwrap_err(), Failure::Engine(at), "{passes} passes");
            assert!(wanted().starts_with(&positions), "{positions:?}");
            let next = wanted()[positions.len()];
            assert!(next <= at && at < next + 3, "{passes} passes: {next} was the next of {at}");
        }
    }
}

#[test]
fn a_consumer_that_fails_or_panics_ends_the_run() {
    for passes in [1, 2, 8] {
        let consume = |embedded: &Embedded| match embedded.positions.start {
            start if start >= 50 => Err(Failure::Consumer(start)),
            _ => Ok(()),
        };
        let (positions, result) = ends(move || run(passes, |_| Ok(()), &Interrupt::default(), consume));
        assert_eq!(result.unwrap_err(), Failure::Consumer(50));
        assert_eq!(positions, wanted()[..34]);
        let panics = move || run(passes, |_| Ok(()), &Interrupt::default(), |_| panic!("no room"));
        let panic = ends(move || catch_unwind(AssertUnwindSafe(panics)).map(|_| ()).unwrap_err());
        assert_eq!(*panic.downcast_ref::<&str>().unwrap(), "no room");
    }
}

#[test]
fn an_interrupt_ends_the_run_without_an_error_after_whole_batches() {
    for passes in [1, 2, 8] {
        for at in [0, 20, 60] {
            let interrupt = Interrupt::default();
            let (positions, result) = ends(move || {
                let engine = |position| {
                    if position == at {
                        interrupt.set();
                    }
                    // What comes later is not done before it: otherwise quick passes could have done everything.
                    while position > at && !interrupt.is_set() {
                        std::thread::yield_now();
                    }
                    Ok(())
                };
                run(passes, engine, &interrupt, |_| Ok(()))
            });
            assert!(result.is_ok());
            assert!(wanted().starts_with(&positions));
            assert!(positions.len() < wanted().len(), "{passes} passes ran on after the interrupt at {at}");
        }
    }
}

#[test]
fn a_decoder_that_wants_nothing_more_computed_still_sees_every_photograph() {
    for passes in [1, 2, 8] {
        let (seen, positions, result) = ends(move || {
            let interrupt = Interrupt::default();
            let engine = Engine(|_| Ok(()));
            let ranges = std::iter::once(0..IMAGES).collect::<Vec<_>>();
            let pipeline = EmbedPipeline {
                engine: &engine,
                ranges: &ranges,
                views: 1,
                batch_size: 2,
                passes,
                interrupt: &interrupt,
            };
            let (mut seen, mut positions) = (Vec::new(), Vec::new());
            let limited = |positions: Range<usize>| {
                seen.extend(positions.clone());
                // Once it has said so, what it says later does not count.
                if (30..60).contains(&positions.start) { None } else { decode(positions) }
            };
            let result: Result<TimeSpent, Failure> = pipeline.run(limited, |embedded| {
                positions.extend(embedded.positions);
                Ok(())
            });
            (seen, positions, result)
        });
        assert!(result.is_ok());
        assert_eq!(seen, (0..IMAGES).collect::<Vec<_>>());
        assert_eq!(positions, (0..positions.len()).collect::<Vec<_>>());
        assert!((30..60).contains(&positions.len()), "{} were computed", positions.len());
    }
}

#[test]
fn a_decoder_that_panics_or_gives_too_few_images_ends_the_run() {
    let run = |decode: fn(Range<usize>) -> Option<DecodedBatch>| {
        ends(move || {
            let interrupt = Interrupt::default();
            let engine = Engine(|_| Ok(()));
            let ranges = std::iter::once(0..IMAGES).collect::<Vec<_>>();
            let pipeline = EmbedPipeline {
                engine: &engine,
                ranges: &ranges,
                views: 1,
                batch_size: 2,
                passes: 2,
                interrupt: &interrupt,
            };
            let run = || pipeline.run::<Failure>(decode, |_| Ok(()));
            catch_unwind(AssertUnwindSafe(run)).map(|_| ()).unwrap_err()
        })
    };
    let panic = run(|positions| if positions.start > 20 { panic!("no more") } else { decode(positions) });
    assert_eq!(*panic.downcast_ref::<&str>().unwrap(), "no more");
    let panic = run(|positions| decode(positions.start..positions.end - 1));
    assert!(panic.downcast_ref::<String>().unwrap().contains("decoded images at 0..4"));
}

#[test]
fn memory_is_bounded_by_the_places_of_batches() {
    for passes in [1, 2, 8] {
        let most = ends(move || {
            let (decoded, consumed, most) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
            let interrupt = Interrupt::default();
            let engine = Engine(|_| Ok(()));
            let ranges = std::iter::once(0..IMAGES).collect::<Vec<_>>();
            let pipeline = EmbedPipeline {
                engine: &engine,
                ranges: &ranges,
                views: 1,
                batch_size: 1,
                passes,
                interrupt: &interrupt,
            };
            let counted = |positions: Range<usize>| {
                let begun = decoded.fetch_add(positions.len(), Ordering::SeqCst) + positions.len();
                most.fetch_max(begun - consumed.load(Ordering::SeqCst), Ordering::SeqCst);
                decode(positions)
            };
            let result: Result<TimeSpent, Failure> = pipeline.run(counted, |embedded| {
                (0..100).for_each(|_| thread::yield_now());
                consumed.fetch_add(embedded.positions.len(), Ordering::SeqCst);
                Ok(())
            });
            result.unwrap();
            most.into_inner()
        });
        // Batches of one image: the places, and the one that is being consumed.
        assert!(most <= 4 * passes + WAITING_BATCHES + 1, "{passes} passes: {most} images at once");
    }
}

mod views;
