//! The bar that shows a span's part of its trace.

/// A span's part of its trace, `width` columns wide: offset, then length.
pub(super) fn bar(offset_ms: u64, length_ms: u64, total_ms: u64, width: usize) -> String {
    let columns = width as u64;
    let total = total_ms.max(1);
    let at = |ms: u64| u128::from(ms.min(total)) * u128::from(columns);
    let total = u128::from(total);
    let narrow = |columns: u128| u64::try_from(columns).unwrap_or(u64::MAX);
    let start = narrow(at(offset_ms) / total).min(columns.saturating_sub(1));
    let end = narrow(at(offset_ms.saturating_add(length_ms)).div_ceil(total));
    let length = end.saturating_sub(start).clamp(1, columns - start);
    let (start, length) = (column(start), column(length));
    format!("{}{}", " ".repeat(start), "█".repeat(length))
}

fn column(value: u64) -> usize {
    usize::try_from(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stay_inside() {
        for (offset, length, total, expected) in [
            (0, 10, 10, "██████████"),
            (0, 0, 10, "█"),
            (5, 5, 10, "     █████"),
            (10, 0, 10, "         █"),
            (0, 0, 0, "█"),
            (99, 99, 10, "         █"),
            (9, 1, 10, "         █"),
            (0, u64::MAX, u64::MAX, "██████████"),
        ] {
            assert_eq!(
                bar(offset, length, total, 10),
                expected,
                "{offset} {length} {total}"
            );
        }
    }
}
