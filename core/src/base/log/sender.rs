//! The thread that delivers lines. It may block for ever in a write or in the
//! application's logger: nobody waits for it. It is there while there are lines.

use std::any::Any;
use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use crate::base::external;
use crate::base::log::queue::{Line, Next, Queue};
use crate::base::log::stderr;
use crate::base::threads;

/// How long the thread stays without a line.
const IDLE: Duration = Duration::from_secs(5);

thread_local! {
    static IN_LOGGER: Cell<bool> = const { Cell::new(false) };
}

/// True on the thread that is in the application's logger: what that makes the tracer
/// write would come back to it for ever.
pub(super) fn is_in_logger() -> bool {
    IN_LOGGER.try_with(Cell::get).unwrap_or(false)
}

/// Starts the thread with this number.
pub(super) fn start(queue: &'static Queue, number: u64) -> io::Result<()> {
    threads::spawn("instana-log", move || run(queue, number)).map(drop)
}

fn run(queue: &'static Queue, number: u64) {
    let _ended = Ended { queue, number };
    loop {
        match queue.next(number) {
            Next::Deliver(line) => queue.delivered(number, deliver(line)),
            Next::Wait => {
                let since = Instant::now();
                thread::park_timeout(IDLE);
                if since.elapsed() >= IDLE && queue.retire(number) {
                    return;
                }
            }
            Next::End => return,
        }
    }
}

/// However the thread ends, the next line brings another one.
struct Ended {
    queue: &'static Queue,
    number: u64,
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.queue.ended(self.number);
    }
}

/// False where the line was not written.
fn deliver(line: Line) -> bool {
    let Line {
        level,
        text,
        logger,
        destination,
    } = line;
    let Some(logger) = logger else {
        return stderr::write(destination, &text);
    };
    // The logger is dropped in here, too: that is the application's code as well.
    let log = move || external::call(|| logger.log(level, &text));
    IN_LOGGER.set(true);
    let logged = catch_unwind(AssertUnwindSafe(log));
    IN_LOGGER.set(false);
    logged.map_err(discard).is_ok()
}

/// Losses what a logger has panicked with, which may panic again.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        Box::leak(again);
    }
}
