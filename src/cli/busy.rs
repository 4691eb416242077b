//! A line on the terminal that says what is going on, while it takes longer than a second.
//!
//! It is drawn over itself and gone when the work is done: what stays on the terminal is what was found. Where another
//! program may ask something there, it is said once and nothing is drawn over.

use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long something may take unseen, and how often the line is drawn.
const BEAT: Duration = Duration::from_secs(1);

/// Something that is going on; done when it is dropped.
#[derive(Debug)]
pub(super) struct Busy {
    line: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Busy {
    /// Nobody watches.
    pub(super) fn unseen() -> Self {
        Self { line: None }
    }

    /// Drawn on `terminal`.
    pub(super) fn seen(what: &'static str, terminal: impl Write + Send + 'static) -> Self {
        Self::beating(what, terminal, BEAT)
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
        Self { line: Some((done, drawing)) }
    }

    fn beating(what: &'static str, mut terminal: impl Write + Send + 'static, beat: Duration) -> Self {
        let (done, waits) = channel();
        let drawing = std::thread::spawn(move || {
            let mut beats = 0_u32;
            while waits.recv_timeout(beat) == Err(RecvTimeoutError::Timeout) {
                beats += 1;
                // Progress that nobody can see is not worth failing for.
                let _ = write!(terminal, "\r\x1b[2K{what} ({beats} s)").and_then(|()| terminal.flush());
            }
            if beats > 0 {
                let _ = write!(terminal, "\r\x1b[2K").and_then(|()| terminal.flush());
            }
        });
        Self { line: Some((done, drawing)) }
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
    use std::sync::{Arc, Mutex};

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
    fn what_takes_longer_is_drawn_and_gone_when_it_is_done() {
        let screen = Screen::default();
        let busy = Busy::beating("fetching", screen.clone(), Duration::from_millis(5));
        while screen.0.lock().unwrap().is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(busy);
        let drawn = String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
        assert!(drawn.starts_with("\r\x1b[2Kfetching (1 s)") && drawn.ends_with("\r\x1b[2K"), "{drawn:?}");
    }
}
