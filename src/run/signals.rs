//! Ctrl-C and its kin reach the dispatcher as messages.

use super::pool::Message;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::mpsc::Sender;

/// From now on SIGINT, SIGTERM and SIGHUP are messages.
pub fn listen(inbox: Sender<Message>) {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
    std::thread::spawn(move || {
        for _ in signals.forever() {
            if inbox.send(Message::Interrupt).is_err() {
                return;
            }
        }
    });
}
