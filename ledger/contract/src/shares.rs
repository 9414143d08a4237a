//! Dividing a whole among countries so that nothing is lost: everyone gets the
//! floor of the exact part, and what is left goes one by one to the largest
//! remainders, ties by alpha-2 code.

/// Divides `whole` by `weights`, each an alpha-2 code with its weight, and keeps
/// their order. The parts sum to `whole`, but are all 0 where all weights are 0.
/// A weight of 0 gets 0.
pub(crate) fn divide(whole: u64, weights: &[(&str, u64)]) -> Vec<u64> {
    let total: u128 = weights.iter().map(|(_, weight)| u128::from(*weight)).sum();
    if total == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: u64| u128::from(whole) * u128::from(weight);
    // A part is at most the whole, so it fits.
    let mut parts: Vec<u64> = weights
        .iter()
        .map(|(_, weight)| (exact(*weight) / total) as u64)
        .collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| {
        let remainder = |place: usize| exact(weights[place].1) % total;
        remainder(*b)
            .cmp(&remainder(*a))
            .then_with(|| weights[*a].0.cmp(weights[*b].0))
    });
    let left = whole - parts.iter().sum::<u64>();
    for place in order.into_iter().take(left as usize) {
        parts[place] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ties_go_by_code() {
        assert_eq!(divide(2, &[("CC", 1), ("AA", 1), ("BB", 1)]), [0, 1, 1]);
    }

    #[test]
    fn the_largest_remainder_goes_first() {
        assert_eq!(divide(10, &[("AA", 1), ("BB", 2), ("CC", 4)]), [1, 3, 6]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn nothing_is_lost(whole in 0..=u64::MAX / 4, weights in prop::collection::vec(0..u64::from(u32::MAX), 1..12)) {
            const CODES: [&str; 12] =
                ["AA", "AB", "AC", "AD", "AE", "AF", "AG", "AH", "AI", "AJ", "AK", "AL"];
            let named: Vec<_> = CODES.into_iter().zip(weights.clone()).collect();
            let parts = divide(whole, &named);
            let expected = if weights.iter().all(|weight| *weight == 0) { 0 } else { whole };
            prop_assert_eq!(parts.iter().sum::<u64>(), expected);
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(*weight > 0 || *part == 0);
            }
        }
    }
}
