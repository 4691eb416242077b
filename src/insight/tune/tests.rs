//! Which thresholds are looked at, and when one is proposed.

use super::*;
use crate::insight::statistics::Conclusion;

/// Numbers of gates that led to incidents, and of others, against one bound.
fn tuned(dial: Dial, present: f64, led: &[f64], others: &[f64]) -> Tuned {
    let one = |value: &f64, incident: Option<usize>| Measured {
        value: *value,
        incidents: incident.map(|number| format!("INC-{number}").parse().unwrap()).into_iter().collect(),
    };
    let mut values: Vec<Measured> = led.iter().enumerate().map(|(at, value)| one(value, Some(at))).collect();
    values.extend(others.iter().map(|value| one(value, None)));
    Tuned {
        criterion: "c".parse().unwrap(),
        rules: BTreeSet::new(),
        evidence: "e".parse().unwrap(),
        metric: "m".to_owned(),
        dial,
        present,
        origin: None,
        unread: 0,
        values,
    }
}

fn series(from: u32, to: u32) -> Vec<f64> {
    (from..=to).map(f64::from).collect()
}

#[test]
fn thresholds_just_stop_one_that_led_to_an_incident_and_the_present_one_is_marked() {
    let found = tuned(Dial::Max, 50.0, &[30.5, 40.0], &series(1, 30)).cuts();
    let shown: Vec<(f64, bool, u32, u32)> =
        found.iter().map(|cut| (cut.bound, cut.present, cut.table.caught, cut.table.false_alarms)).collect();
    assert_eq!(shown, [(50.0, true, 0, 0), (31.0, false, 1, 0), (30.0, false, 2, 0)]);
    let found = tuned(Dial::Min, 0.0, &[1.0, 2.0], &series(2, 30)).cuts();
    let shown: Vec<(f64, bool, u32, u32)> =
        found.iter().map(|cut| (cut.bound, cut.present, cut.table.caught, cut.table.false_alarms)).collect();
    assert_eq!(shown, [(0.0, true, 0, 0), (2.0, false, 1, 0), (3.0, false, 2, 1)]);
}

#[test]
fn a_bound_is_proposed_only_where_the_numbers_speak_for_it() {
    let others = series(1, 40);
    let clear = tuned(Dial::Max, 100.0, &[51.0, 52.0, 53.0, 54.0, 55.0], &others);
    let Suggested::Bound(found) = clear.suggestion() else { panic!("{:?}", clear.suggestion()) };
    assert_eq!((found.cut.bound, found.origin.len()), (40.0, 5));
    assert!(found.p < 1e-4 && matches!(found.cut.conclusion, Conclusion::Tells(_)));
    for (led, others, expected) in [
        (vec![], series(1, 40), "NoIncidents"),
        (vec![51.0; 4], series(1, 40), "TooFew"),
        (vec![51.0; 5], series(1, 19), "TooFew"),
        (vec![3.0, 11.0, 20.0, 31.0, 38.0], series(1, 40), "Chance"),
        // What would catch them stops a quarter of the others.
        (vec![29.5; 5], series(1, 40), "TooDear"),
        // They are stopped already: they ran by way of an exception.
        (vec![101.0; 5], series(1, 40), "Present"),
    ] {
        let found = format!("{:?}", tuned(Dial::Max, 100.0, &led, &others).suggestion());
        assert!(found.starts_with(expected), "{expected}: {found}");
    }
    // A least value is turned the other way.
    let low = tuned(Dial::MinSamples, 10.0, &[11.0; 5], &series(50, 90));
    assert!(matches!(low.suggestion(), Suggested::Bound(found) if (found.cut.bound - 50.0).abs() < 1e-12));
}
