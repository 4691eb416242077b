//! What happens when the program is told to end: temporary directories go, and it ends as it would have.
//!
//! Nothing else is left to do. Whatever is written is written by one step of git that happened or did not, so there is no
//! half to take back.

use std::sync::Once;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::git::remove_all_scratch;

/// From now on Ctrl-C and its like clean up first.
pub(super) fn clean_up_first() {
    static WATCHING: Once = Once::new();
    WATCHING.call_once(|| {
        // Where signals cannot be watched the system ends the program, and cleans its temporary files some day.
        let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
        thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                let _nothing_new_is_made = remove_all_scratch();
                // Ends the program as if nobody had watched, so that a shell sees what ended it.
                let _ = emulate_default_handler(signal);
            }
        });
    });
}
