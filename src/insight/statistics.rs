//! Whether numbers are enough to conclude anything: Fisher's exact test on a table of four counts.
//!
//! A policy, or a bound, stops some gates and lets others pass; some led to incidents, others did not. If it told nothing
//! about them, those that it stops would be drawn blindly from all. The test says how likely it is to draw so many that led
//! to incidents: no approximation, right for small numbers. With a handful of incidents anything looks like a pattern, so
//! below [`LEAST_INCIDENTS`] nothing is concluded whatever the test says (`docs/refinement.md`).

/// Fewest gates that led to incidents, below which nothing is concluded.
pub const LEAST_INCIDENTS: u32 = 5;
/// Fewest gates that led to none.
pub const LEAST_OTHERS: u32 = 20;
/// The chance of being fooled that is taken.
pub const SIGNIFICANCE: f64 = 0.05;

/// Gates by whether they led to an incident, and whether they are stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fourfold {
    /// Led to an incident, and stopped.
    pub caught: u32,
    /// Led to an incident, and not stopped.
    pub missed: u32,
    /// Led to none, and stopped.
    pub false_alarms: u32,
    /// Led to none, and not stopped.
    pub passed: u32,
}

/// What a table lets one conclude.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Conclusion {
    /// Nothing: there are too few gates of one sort.
    TooFew,
    /// Nothing: chance alone would often enough stop as many of those that led to incidents.
    Chance(f64),
    /// What is stopped led to incidents more often than chance explains.
    Tells(f64),
}

impl Fourfold {
    /// Counts one gate.
    pub fn count(&mut self, incident: bool, stopped: bool) {
        let cell = match (incident, stopped) {
            (true, true) => &mut self.caught,
            (true, false) => &mut self.missed,
            (false, true) => &mut self.false_alarms,
            (false, false) => &mut self.passed,
        };
        *cell = cell.saturating_add(1);
    }

    /// How many led to an incident.
    pub fn incidents(&self) -> u32 {
        self.caught.saturating_add(self.missed)
    }

    /// How many led to none.
    pub fn others(&self) -> u32 {
        self.false_alarms.saturating_add(self.passed)
    }

    /// How many are stopped.
    pub fn stopped(&self) -> u32 {
        self.caught.saturating_add(self.false_alarms)
    }

    /// What it lets one conclude, where the best of so many tables was looked for: each is a chance more to be fooled
    /// (Bonferroni).
    pub fn conclude(&self, of_tables: u32) -> Conclusion {
        if self.incidents() < LEAST_INCIDENTS || self.others() < LEAST_OTHERS {
            return Conclusion::TooFew;
        }
        let p = (self.one_sided_p() * f64::from(of_tables)).min(1.0);
        if p <= SIGNIFICANCE { Conclusion::Tells(p) } else { Conclusion::Chance(p) }
    }

    /// How likely at least as many caught are, were the stopped ones drawn blindly from all: the upper tail of the
    /// hypergeometric distribution.
    pub fn one_sided_p(&self) -> f64 {
        let (incidents, others, stopped) = (self.incidents(), self.others(), self.stopped());
        let all = ln_choose(incidents.saturating_add(others), stopped);
        let likelihood = |caught: u32| {
            let false_alarms = stopped - caught;
            (ln_choose(incidents, caught) + ln_choose(others, false_alarms) - all).exp()
        };
        let most = incidents.min(stopped);
        let possible = (self.caught..=most).filter(|caught| stopped - caught <= others);
        possible.map(likelihood).sum::<f64>().min(1.0)
    }
}

/// The logarithm of the number of ways to choose `some` of `all`.
fn ln_choose(all: u32, some: u32) -> f64 {
    ln_factorial(all) - ln_factorial(some) - ln_factorial(all.saturating_sub(some))
}

/// The logarithm of `n!`: the product itself where it is small, else Stirling's series, which is off by less than 1e-15
/// from there on. <https://dlmf.nist.gov/5.11.E1>
fn ln_factorial(n: u32) -> f64 {
    const EXACT: u32 = 20;
    if n <= EXACT {
        return (1..=n).map(f64::from).product::<f64>().ln();
    }
    let n = f64::from(n);
    let (inverse, square) = (1.0 / n, 1.0 / (n * n));
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    n.mul_add(n.ln(), -n) + 0.5 * (std::f64::consts::TAU * n).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(caught: u32, missed: u32, false_alarms: u32, passed: u32) -> f64 {
        Fourfold { caught, missed, false_alarms, passed }.one_sided_p()
    }

    #[track_caller]
    fn near(found: f64, published: f64) {
        assert!((found / published - 1.0).abs() < 1e-9, "{found} is not {published}");
    }

    /// R. A. Fisher, The Design of Experiments (1935), chapter II: the lady who tells whether milk came first, of eight cups;
    /// and "The Logic of Inductive Inference", Journal of the Royal Statistical Society 98 (1935): convictions of the twins of
    /// criminals, 619/1330665. Both are examples of `fisher.test` in R, which prints 0.2429 and 0.0004652.
    #[test]
    fn one_sided_values_are_those_that_fisher_published() {
        near(p(4, 0, 0, 4), 1.0 / 70.0);
        near(p(3, 1, 1, 3), 17.0 / 70.0);
        near(p(2, 2, 2, 2), 53.0 / 70.0);
        near(p(10, 3, 2, 15), 619.0 / 1_330_665.0);
    }

    #[test]
    fn large_tables_agree_with_sums_of_exact_fractions() {
        // Hypergeometric tails in exact fractions: Python's `fractions` and `math.comb`.
        near(p(30, 170, 500, 19_300), 1.386_704_489_177_982_5e-14);
        near(p(60, 140, 1_000, 18_800), 3.313_211_051_946_291e-29);
        near(p(5, 25, 100, 9_870), 1.341_280_832_446_744_8e-5);
        near(p(1, 199, 3, 19_797), 0.039_406_901_233_952_456);
        near(p(2, 3, 0, 20), 1.0 / 30.0);
        // Smaller than any number: nothing goes wrong.
        assert!(p(200, 0, 0, 19_800) < f64::MIN_POSITIVE);
    }

    #[test]
    fn the_tails_of_a_table_and_of_its_mirror_overlap_in_one_term() {
        for (caught, missed, false_alarms, passed) in [(3, 5, 10, 40), (0, 4, 7, 9), (6, 1, 1, 30)] {
            let table = p(caught, missed, false_alarms, passed);
            let mirror = p(missed, caught, passed, false_alarms);
            let next = if caught < caught + missed && false_alarms > 0 {
                p(caught + 1, missed - 1, false_alarms - 1, passed + 1)
            } else {
                0.0
            };
            assert!((table + mirror - (table - next) - 1.0).abs() < 1e-12, "{table} {mirror} {next}");
        }
    }

    #[test]
    fn with_nothing_to_draw_from_nothing_is_told() {
        for table in [(0, 0, 0, 0), (0, 5, 0, 90), (5, 0, 90, 0), (0, 0, 3, 4), (3, 4, 0, 0)] {
            let found = p(table.0, table.1, table.2, table.3);
            assert!((found - 1.0).abs() < 1e-12, "{table:?}: {found}");
        }
    }

    #[test]
    fn too_few_of_either_sort_conclude_nothing_however_clear_they_are() {
        let clear = Fourfold { caught: 5, missed: 0, false_alarms: 0, passed: 20 };
        assert!(matches!(clear.conclude(1), Conclusion::Tells(p) if p < 1e-4));
        assert_eq!(Fourfold { caught: 4, ..clear }.conclude(1), Conclusion::TooFew);
        assert_eq!(Fourfold { passed: 19, ..clear }.conclude(1), Conclusion::TooFew);
    }

    #[test]
    fn whoever_looks_for_the_best_of_two_tables_has_two_chances_to_be_fooled() {
        // One in thirty: told apart alone, and not where two were tried.
        let table = Fourfold { caught: 2, missed: 3, false_alarms: 0, passed: 20 };
        assert!(matches!(table.conclude(1), Conclusion::Tells(p) if (p - 1.0 / 30.0).abs() < 1e-12));
        assert!(matches!(table.conclude(2), Conclusion::Chance(p) if (p - 1.0 / 15.0).abs() < 1e-12));
        assert_eq!(table.conclude(1_000), Conclusion::Chance(1.0));
    }
}
