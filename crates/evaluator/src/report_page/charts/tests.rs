use super::*;

fn predictions(classes: usize, rows: &[(usize, usize)]) -> Predictions {
    let names = (0..classes).map(|class| format!("class {class}")).collect();
    let paths = (0..rows.len()).map(|row| row.to_string()).collect();
    let probabilities = rows.iter().flat_map(|&(_, prediction)| {
        let rest = 0.4 / (classes - 1) as f64;
        (0..classes).map(move |class| if class == prediction { 0.6 } else { rest })
    });
    Predictions::new(names, paths, rows.iter().map(|row| row.0).collect(), probabilities.collect()).unwrap()
}

#[test]
fn of_two_classes_the_second_has_a_curve() {
    let charts = ranking(&predictions(2, &[(0, 0), (1, 1), (1, 0), (0, 1)])).unwrap();
    assert_eq!(charts[0].title, "ROC curve of class class 1");
    let names: Vec<&str> = charts[0].lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names, ["class 1", "Chance"]);
    assert!(charts[0].caption.starts_with("class 1: area 0.5000."), "{}", charts[0].caption);
}

#[test]
fn of_many_classes_the_four_worst_have_one() {
    // Class 0 is always right, the others are taken for one another, the higher the more often.
    let rows: Vec<(usize, usize)> = (0..6)
        .flat_map(|class| {
            (0..10).map(move |turn| (class, if turn < class { (class + 1) % 6 } else { class }))
        })
        .collect();
    let charts = ranking(&predictions(6, &rows)).unwrap();
    let names: Vec<&str> = charts[0].lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names.len(), 5);
    assert!(!names.contains(&"class 1") && names[0] == "class 5", "{names:?}");
    assert!(charts[1].title.contains("four") || charts[1].title.contains('4'), "{}", charts[1].title);
}

#[test]
fn a_test_set_of_one_class_has_no_curves() {
    assert!(ranking(&predictions(2, &[(0, 0), (0, 1)])).unwrap().is_empty());
}

#[test]
fn a_loss_that_is_no_number_leaves_a_gap_and_not_a_broken_chart() {
    let mut history = History::new();
    for (epoch, loss) in [(1, 0.5), (2, f64::NAN), (3, f64::INFINITY)] {
        let record = EpochRecord { epoch, loss, accuracy: 0.5, val_loss: 0.5, val_accuracy: 0.5 };
        history.push(record).unwrap();
    }
    let charts = training(&history);
    assert_eq!(charts[1].lines[0].points, [(1.0, 0.5)]);
    assert_eq!(charts[1].lines[1].points.len(), 3);
}
