//! What follows a death: its cause is named, and the HAL is told or another process takes over.

use std::sync::Arc;

use cami_abi::Callbacks;
use cami_link::{Deadline, Inbox};
use cami_wire::control::Died;

use crate::host::{END_PATIENCE, Ending};
use crate::reader::{LAST_WORDS, Reader};
use crate::session::{Phase, Session};
use crate::standby::control_inbox;

impl Reader {
    /// Ends a session whose host is dead or dying. Where deaths are recovered from, another session
    /// has taken its place on return; otherwise this is whom to notify.
    pub(crate) fn bury(
        &self,
        session: Arc<Session>,
        inbox: &mut Inbox,
    ) -> Option<Arc<dyn Callbacks>> {
        let until = Deadline::after(LAST_WORDS);
        let before = session.die();
        let journal =
            session.journal.as_ref().filter(|_| matches!(before, Phase::Live | Phase::Failing));
        if journal.is_none() {
            self.desk.remove(&session);
        }
        if before == Phase::Over {
            return None;
        }
        let died = session.last_words(inbox, until);
        let ending = session.host.end(END_PATIENCE);
        let cause = cause_of_death(died.as_ref(), ending);
        if before == Phase::Starting {
            // Whoever is in `initialize` reports it.
            session.link.shutdown();
            session.set_epitaph(cause);
        } else {
            log::error!("the camera algorithm's process died: {cause}");
        }
        let mut why = None;
        let notify = match journal {
            Some(journal) => match self.resume(&session, journal) {
                Ok(()) => return None,
                Err(gave_up) => {
                    self.desk.remove(&session);
                    why = Some(gave_up);
                    // Not where the HAL itself has ended it meanwhile, or its heir.
                    session.finish() != Phase::Over && !journal.is_closed()
                }
            },
            // `Recovering`: an error of ours ended the recovery half way.
            None => matches!(before, Phase::Live | Phase::Failing | Phase::Recovering),
        };
        session.link.shutdown();
        session.reap_standby();
        session.close_journal();
        self.pending.forget(session.generation);
        if !notify {
            return None;
        }
        if let Some(why) = why {
            // Owed also where this line is the last thing that we do.
            *self.owed.lock() = Some(Arc::clone(&session.callbacks));
            log::error!("the camera algorithm is not resumed: {why}");
            return self.owed.lock().take();
        }
        Some(Arc::clone(&session.callbacks))
    }

    /// Nobody is notified any more of a death inside a callback.
    pub(crate) fn forget_owed(&self) {
        *self.owed.lock() = None;
    }

    /// The same on the reader's own thread inside a callback of the HAL, which made a call that the
    /// vendor process did not survive.
    pub(crate) fn bury_inside_callback(&self, session: Arc<Session>) {
        self.forget_watched();
        let mourner = self.bury(session, &mut control_inbox());
        if mourner.is_some() {
            *self.owed.lock() = mourner;
        }
    }
}

/// The monitor's own line, or what the kernel knows.
pub(crate) fn cause_of_death(died: Option<&Died>, ending: Ending) -> String {
    match died {
        Some(died) => died.cause.clone(),
        None => format!("the host ended without naming a cause ({ending})"),
    }
}
