//! Whether what is kept in an index is what the history says.

use crate::ledger::Undecided;

use super::judge::Judge;

impl Judge<'_> {
    /// Works out again all that is kept, from the history alone, and compares.
    pub fn keeps_what_history_says(&self) -> Result<bool, Undecided> {
        // Whether it holds is told by what is kept of logs, too.
        let mut right = self.measures_are_right()?;
        right &= self.ledger.keeps_policies_and_incidents_right()?;
        for environment in self.logged_environments()? {
            // What is judged below is judged from walked logs.
            self.summaries.borrow_mut().insert(environment.clone(), None);
            let Some(tip) = self.log_tip(&environment)? else { continue };
            let Some(kept) = self.ledger.summary(&environment, tip) else { continue };
            let (_, log) = self.log_of(&environment)?;
            let Some(anew) = self.ledger.summarize(&environment, &log)? else { return Ok(false) };
            right &= kept.is_as(&anew);
            for system in kept.systems() {
                let many = self.ledger.summarized(&kept, &system);
                right &= many.is_some() && many == self.ledger.summarized(&anew, &system);
                for at in 0..many.unwrap_or_default() {
                    let (Some(kept), Some(item)) = (kept.item(&system, at), anew.item(&system, at)) else {
                        return Ok(false);
                    };
                    right &= (kept.place, kept.commit, kept.failed_at)
                        == (item.place, item.commit, item.failed_at);
                    let Some(fact) = kept.fact else { continue };
                    let Some(record) = self.ledger.summarized_record(&anew, &item, self.ledger.now())? else {
                        return Ok(false);
                    };
                    let anew = self.plain_record(&record, &environment)?;
                    let lasting = self.ledger.stands_alone(&anew)? && self.ledger.is_lasting(&anew)?;
                    right &= lasting && format!("{anew:?}") == format!("{fact:?}");
                }
                self.forget_records();
            }
        }
        Ok(right)
    }
}
