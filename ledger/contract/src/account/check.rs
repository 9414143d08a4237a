//! The check symbol of an account id: a weighted sum over GF(32).
//!
//! With the generator a of the field, the symbols c₀…c₁₅ and the check symbol c₁₆
//! satisfy Σ a^(16−i)·cᵢ = 0. No weight is zero, so every single wrong symbol
//! shows; all seventeen weights differ (a has order 31), so a swap of any two
//! different symbols shows.

/// The field's polynomial x⁵ + x² + 1, which is primitive.
const POLYNOMIAL: u8 = 0b10_0101;

/// The check symbol for the values (0 to 31) of an id's symbols.
pub(super) fn symbol(values: &[u8]) -> u8 {
    values
        .iter()
        .fold(0, |sum, value| times_generator(sum ^ value))
}

/// Multiplies by the generator x.
fn times_generator(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 0b10_0000 == 0 {
        shifted
    } else {
        shifted ^ POLYNOMIAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generator_has_order_31() {
        let mut value = 1;
        for power in 1..31 {
            value = times_generator(value);
            assert_ne!(value, 1, "power {power}");
        }
        assert_eq!(times_generator(value), 1);
    }

    /// The sum is linear, so an error shows wherever its difference alone has a
    /// check symbol other than its own change.
    #[test]
    fn every_single_error_changes_the_check_symbol() {
        for place in 0..16 {
            for difference in 1..32 {
                let mut values = [0; 16];
                values[place] = difference;
                assert_ne!(symbol(&values), 0);
            }
        }
    }

    #[test]
    fn every_swap_of_two_different_symbols_shows() {
        for first in 0..16 {
            for second in first + 1..16 {
                for difference in 1..32 {
                    let mut values = [0; 16];
                    values[first] = difference;
                    values[second] = difference;
                    assert_ne!(symbol(&values), 0);
                }
            }
        }
    }

    #[test]
    fn every_swap_with_the_check_symbol_shows() {
        for last in 0..32 {
            let mut values = [0; 16];
            for rest in 0..32 {
                values[14] = rest;
                values[15] = last;
                let check = symbol(&values);
                values[15] = check;
                assert!(check == last || symbol(&values) != last);
            }
        }
    }
}
