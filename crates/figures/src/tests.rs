use super::*;

fn sketch(text: &str) -> Result<Rendered, FigureError> {
    render(300, 200, |canvas| {
        canvas.text(text, LEGEND, (150.0, 100.0))?;
        canvas.text("up", LEGEND.upwards(), (20.0, 100.0))?;
        canvas.dashed_line(&[(0.0, 0.0), (300.0, 200.0)], (9.0, 5.0), 4.0, Color::BLUE)?;
        canvas.ring((200.0, 50.0), 9.0, 3.0, Color::VERMILION)
    })
}

#[test]
fn two_renderings_have_the_same_bytes() {
    assert_eq!(sketch("cats").unwrap(), sketch("cats").unwrap());
}

#[test]
fn the_bitmap_has_the_size_asked_for_and_holds_ink_and_paper() {
    let figure = image::load_from_memory(&sketch("cats").unwrap().png).unwrap().to_rgb8();
    assert_eq!(figure.dimensions(), (300, 200));
    assert_eq!(figure.get_pixel(299, 0).0, [255, 255, 255]);
    assert!(figure.pixels().any(|pixel| pixel.0 == [0, 114, 178]), "no blue line");
    assert!(figure.pixels().any(|pixel| pixel.0.iter().all(|channel| *channel < 60)), "no letters");
}

#[test]
fn text_is_escaped_in_the_vector_form() {
    let svg = sketch("<b>&\"'").unwrap().svg;
    assert!(svg.contains("&lt;b&gt;&amp;&quot;&apos;"), "{svg}");
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
}

#[test]
fn a_figure_without_a_size_is_refused() {
    let error = render(0, 200, |_| Ok(())).unwrap_err();
    assert_eq!(error.to_string(), "cannot draw a figure of 0x200: expected sides from 1 to 8192");
    assert!(matches!(render(200, u32::MAX, |_| Ok(())), Err(FigureError::Size { .. })));
}
