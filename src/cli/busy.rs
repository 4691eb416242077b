//! A line on the terminal that says what is going on, while it takes longer than a second.
//!
//! It is drawn over itself and gone when the work is done: what stays on the terminal is what was found. Where another
//! program may ask something there, it is said once and nothing is drawn over.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long something may take unseen, and how often the line is drawn.
const BEAT: Duration = Duration::from_secs(1);

/// Something that is going on; done when it is dropped.
#[derive(Debug)]
pub(super) struct Busy {
    line: Option<(Sender<()>, JoinHandle<()>)>,
    done: Arc<AtomicUsize>,
}

impl Busy {
    /// Nobody watches.
    pub(super) fn unseen() -> Self {
        Self { line: None, done: Arc::default() }
    }

    /// Drawn on `terminal`.
    pub(super) fn seen(what: &'static str, terminal: impl Write + Send + 'static) -> Self {
        Self::beating(what, None, terminal, BEAT)
    }

    /// Drawn on `terminal`, with how many of all are done.
    pub(super) fn counted(what: &'static str, all: usize, terminal: impl Write + Send + 'static) -> Self {
        Self::beating(what, Some(all), terminal, BEAT)
    }

    /// One more is done.
    pub(super) fn step(&self) {
        self.steps(1);
    }

    /// So many more are done.
    pub(super) fn steps(&self, many: usize) {
        self.done.fetch_add(many, Ordering::Relaxed);
    }

    /// Said on `terminal`, once.
    pub(super) fn once(what: &'static str, mut terminal: impl Write + Send + 'static) -> Self {
        let (done, waits) = channel();
        let drawing = std::thread::spawn(move || {
            if waits.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                // As below.
                let _ = writeln!(terminal, "{what} …").and_then(|()| terminal.flush());
                let _ = waits.recv();
            }
        });
        Self { line: Some((done, drawing)), done: Arc::default() }
    }

    fn beating(
        what: &'static str,
        all: Option<usize>,
        mut terminal: impl Write + Send + 'static,
        beat: Duration,
    ) -> Self {
        let (done, waits) = channel();
        let steps = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&steps);
        let drawing = std::thread::spawn(move || {
            let mut beats = 0_u32;
            while waits.recv_timeout(beat) == Err(RecvTimeoutError::Timeout) {
                beats += 1;
                // Progress that nobody can see is not worth failing for.
                let count = all.map(|all| format!("{} of {all}, ", seen.load(Ordering::Relaxed)));
                let count = count.unwrap_or_default();
                let _ =
                    write!(terminal, "\r\x1b[2K{what} ({count}{beats} s)").and_then(|()| terminal.flush());
            }
            if beats > 0 {
                let _ = write!(terminal, "\r\x1b[2K").and_then(|()| terminal.flush());
            }
        });
        Self { line: Some((done, drawing)), done: steps }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some((done, drawing)) = self.line.take() {
            drop(done);
            // The line is gone before anything else is printed.
            let _ = drawing.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_done_at_once_is_not_drawn() {
        let screen = Screen::default();
        drop(Busy::seen("fetching", screen.clone()));
        assert!(screen.0.lock().unwrap().is_empty());
    }

    #[test]
    fn how_many_are_done_is_drawn() {
        let screen = Screen::default();
        let busy = Busy::beating("trying", Some(3), screen.clone(), Duration::from_millis(5));
        busy.step();
        busy.step();
        let drawn = || String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
        while !drawn().contains("\x1b[2Ktrying (2 of 3, ") {
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(busy);
        assert!(drawn().ends_with("\r\x1b[2K"), "{}", drawn());
    }

    #[test]
    fn what_takes_longer_is_drawn_and_gone_when_it_is_done() {
        let screen = Screen::default();
        let busy = Busy::beating("fetching", None, screen.clone(), Duration::from_millis(5));
        while screen.0.lock().unwrap().is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(busy);
        let drawn = String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
        assert!(drawn.starts_with("\r\x1b[2Kfetching (1 s)") && drawn.ends_with("\r\x1b[2K"), "{drawn:?}");
    }
}
