//! Several views of each photograph.

use super::*;

/// Each photograph's views are one pixel each, whose red is its position, green and blue the view.
fn decode_views(positions: Range<usize>, views: usize) -> DecodedBatch {
    let batch = decode(positions).unwrap();
    let view =
        |pixel: &[u8; 3]| (0..views).flat_map(|view| [pixel[0], view as u8, view as u8]).collect::<Vec<_>>();
    let pixels = batch.pixels.as_chunks::<3>().0.iter().flat_map(view).collect();
    DecodedBatch { pixels, ..batch }
}

/// Gives each image's position and view, and remembers the most images that it was given at once.
#[derive(Default)]
struct ViewEngine {
    most: AtomicUsize,
}

impl Embed for ViewEngine {
    type Error = Failure;

    fn embed(&self, pixels: &[u8], batch: usize) -> Result<Vec<f32>, Failure> {
        assert_eq!(pixels.len(), 3 * batch);
        self.most.fetch_max(batch, Ordering::SeqCst);
        Ok(pixels.as_chunks::<3>().0.iter().flat_map(|pixel| [pixel[0], pixel[1]].map(f32::from)).collect())
    }
}

#[test]
fn views_of_a_photograph_stay_together_and_batches_count_them() {
    for (views, batch_size, passes) in [(3, 7, 2), (3, 3, 1), (5, 4, 2), (20, 8, 3), (2, 1, 8), (4, 64, 2)] {
        ends(move || {
            let (interrupt, engine) = (Interrupt::default(), ViewEngine::default());
            let ranges = [0..33, 40..41];
            let pipeline = EmbedPipeline {
                engine: &engine,
                ranges: &ranges,
                views,
                batch_size,
                passes,
                interrupt: &interrupt,
            };
            let mut positions = Vec::new();
            let result: Result<TimeSpent, Failure> = pipeline.run(
                |positions| Some(decode_views(positions, views)),
                |embedded| {
                    let readable = embedded.positions.clone().filter(|position| is_readable(*position));
                    let expected: Vec<f32> = readable
                        .flat_map(|position| (0..views).flat_map(move |view| [position as f32, view as f32]))
                        .collect();
                    assert_eq!(embedded.features, expected);
                    positions.extend(embedded.positions);
                    Ok(())
                },
            );
            result.unwrap();
            assert_eq!(positions, (0..33).chain(40..41).collect::<Vec<_>>());
            let most = engine.most.into_inner();
            assert!(most <= batch_size, "{most} images at once, {batch_size} were asked for");
        });
    }
}

#[test]
fn memory_is_bounded_also_where_a_photograph_has_more_views_than_a_batch() {
    let (views, batch_size, passes) = (20, 4, 2);
    let most = ends(move || {
        let (decoded, consumed, most) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let (interrupt, engine) = (Interrupt::default(), ViewEngine::default());
        let ranges = std::iter::once(0..IMAGES).collect::<Vec<_>>();
        let pipeline = EmbedPipeline {
            engine: &engine,
            ranges: &ranges,
            views,
            batch_size,
            passes,
            interrupt: &interrupt,
        };
        let counted = |positions: Range<usize>| {
            let begun = decoded.fetch_add(positions.len(), Ordering::SeqCst) + positions.len();
            most.fetch_max(begun - consumed.load(Ordering::SeqCst), Ordering::SeqCst);
            Some(decode_views(positions, views))
        };
        let result: Result<TimeSpent, Failure> = pipeline.run(counted, |embedded| {
            (0..100).for_each(|_| thread::yield_now());
            consumed.fetch_add(embedded.positions.len(), Ordering::SeqCst);
            Ok(())
        });
        result.unwrap();
        most.into_inner()
    });
    // As many images as the places hold without views, or a batch for each pass and one that waits for it; and the one
    // that is being consumed.
    assert!(most <= 1 + (passes + 1).max(10_usize.div_ceil(5)), "{most} photographs at once");
}
