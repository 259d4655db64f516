//! Polls that kept their thread for too long: noticed where the span ends,
//! logged by the agent thread, once for each location.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::base::log;
use crate::trace::context::tracer::GLOBAL;

/// Locations that are kept; further ones are ignored.
const MAX_LOCATIONS: usize = 64;

/// Known locations. An application's thread only tries the lock: it must not wait.
static LOCATIONS: Mutex<Vec<Location>> = Mutex::new(Vec::new());

#[derive(Debug)]
pub(crate) struct Location {
    family: &'static str,
    label: String,
    length: Duration,
    told: bool,
}

/// A span of `family` had a poll of this length. `label` is what is the same for
/// all calls of its kind; it may be empty.
#[cold]
pub(crate) fn notice(family: &'static str, label: &str, length: Duration) {
    if let Ok(mut locations) = LOCATIONS.try_lock() {
        add(&mut locations, family, label, length);
    }
}

fn add(locations: &mut Vec<Location>, family: &'static str, label: &str, length: Duration) {
    let is_known = |known: &Location| known.family == family && known.label == label;
    if locations.len() < MAX_LOCATIONS && !locations.iter().any(is_known) {
        locations.push(Location {
            family,
            label: label.to_owned(),
            length,
            told: false,
        });
    }
}

/// The lock of the locations.
pub(crate) type LocationsGuard = MutexGuard<'static, Vec<Location>>;

/// Keeps everybody else out.
pub(crate) fn hold() -> LocationsGuard {
    LOCATIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Logs the locations that are new.
pub(crate) fn tell() {
    let lines = lines(&mut hold());
    for line in lines {
        log::tell(format_args!("{}", GLOBAL.redacted(&line)));
    }
}

fn lines(locations: &mut [Location]) -> Vec<String> {
    let new = locations.iter_mut().filter(|location| !location.told);
    new.map(|location| {
        location.told = true;
        let Location {
            family,
            label,
            length,
            ..
        } = location;
        let blank = if label.is_empty() { "" } else { " " };
        format!(
            "{family}{blank}{label}: one poll took {} ms, in which its thread ran no other task; \
             work that blocks belongs on threads of its own (told once)",
            length.as_millis()
        )
    })
    .collect()
}

/// Whether a location is known.
#[cfg(test)]
pub(crate) fn knows(family: &str, label: &str) -> bool {
    let locations = LOCATIONS.lock().unwrap();
    let mut known = locations.iter();
    known.any(|known| known.family == family && known.label == label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_told_of_once() {
        let mut locations = Vec::new();
        let length = Duration::from_millis(153);
        add(&mut locations, "g.http", "/users/{id}", length);
        add(&mut locations, "g.http", "/users/{id}", length * 2);
        add(&mut locations, "g.http", "", length);
        let found = lines(&mut locations);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("g.http /users/{id}: one poll took 153 ms"));
        assert!(found[1].starts_with("g.http: one poll took 153 ms"));
        add(&mut locations, "g.http", "/users/{id}", length);
        assert_eq!(lines(&mut locations), [] as [&str; 0]);
    }

    #[test]
    fn locations_are_bounded() {
        let mut locations = Vec::new();
        for n in 0..10 * MAX_LOCATIONS {
            add(&mut locations, "sdk", &n.to_string(), Duration::ZERO);
        }
        assert_eq!(lines(&mut locations).len(), MAX_LOCATIONS);
    }
}
