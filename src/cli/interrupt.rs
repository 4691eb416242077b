//! What happens when the program is told to end: temporary directories go, and it ends as it would have.
//!
//! Nothing else is left to do. Whatever is written is written by one step of git that happened or did not, so there is no
//! half to take back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::git::remove_all_scratch;

/// The signals that end a program in an orderly way.
const ENDING: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// Whether one of them has come; there once somebody watches.
static TOLD: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Whether an editor has the terminal: Ctrl-C is its own then, as git leaves it.
static EDITING: AtomicBool = AtomicBool::new(false);

/// Ctrl-C ends nothing for as long as this lives.
#[derive(Debug)]
pub(super) struct LeftToEditor;

/// Leaves Ctrl-C to the editor that has the terminal.
pub(super) fn leave_to_editor() -> LeftToEditor {
    EDITING.store(true, Ordering::SeqCst);
    LeftToEditor
}

impl Drop for LeftToEditor {
    fn drop(&mut self) {
        EDITING.store(false, Ordering::SeqCst);
    }
}

/// From now on Ctrl-C and its like clean up first.
pub(super) fn clean_up_first() {
    TOLD.get_or_init(|| {
        let told = Arc::new(AtomicBool::new(false));
        // Where signals cannot be watched the system ends the program, and cleans its temporary files some day.
        let Ok(mut signals) = Signals::new(ENDING) else { return told };
        for signal in ENDING {
            let _ = flag::register(signal, Arc::clone(&told));
        }
        let seen = Arc::clone(&told);
        thread::spawn(move || {
            let is_editors = |signal: &i32| *signal == SIGINT && EDITING.load(Ordering::SeqCst);
            let forget = |signal: &i32| {
                let skipped = is_editors(signal);
                if skipped {
                    seen.store(false, Ordering::SeqCst);
                }
                skipped
            };
            if let Some(signal) = signals.forever().find(|signal| !forget(signal)) {
                let _nothing_new_is_made = remove_all_scratch();
                // Ends the program as if nobody had watched, so that a shell sees what ended it.
                let _ = emulate_default_handler(signal);
            }
        });
        told
    });
}

/// Before the program ends by itself: where it is told to end, that is what ends it. The programs that it runs are told as
/// well, and what becomes of them then is no failure to report.
pub(super) fn give_way() {
    while TOLD.get().is_some_and(|told| told.load(Ordering::SeqCst)) {
        thread::park();
    }
}
