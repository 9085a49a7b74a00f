//! What the IPA has to do, in order.

use std::collections::VecDeque;
use std::time::Instant;

use cami_ipu3_ipa::Mode;
use cami_wire::libcamera::{Control, ControlInfo, ControlList, IpaCameraSensorInfo, IpaSettings};

use crate::limits::{REQUEST_BYTES, REQUESTS};
use crate::seldom::Seldom;

/// Names a job, to know its outcome by.
pub(crate) type Ticket = u64;

/// One call of the IPA.
#[derive(Debug)]
pub(crate) enum Job {
    Init(Box<InitJob>),
    Configure(Box<Mode>),
    Start,
    Stop,
    QueueRequest { frame: u32, controls: ControlList },
    ComputeParams { frame: u32 },
    ProcessStats(Box<StatsJob>),
    End,
}

#[derive(Debug)]
pub(crate) struct InitJob {
    pub(crate) settings: IpaSettings,
    pub(crate) sensor: IpaCameraSensorInfo,
    pub(crate) sensor_controls: Vec<ControlInfo>,
}

#[derive(Debug)]
pub(crate) struct StatsJob {
    pub(crate) frame: u32,
    pub(crate) timestamp_ns: i64,
    pub(crate) statistics: Box<[u8]>,
    pub(crate) in_effect: ControlList,
}

#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) ticket: Ticket,
    pub(crate) job: Job,
    pub(crate) until: Instant,
}

/// The jobs that have not begun. It cannot grow for ever, however long the IPA is away: of
/// statistics only the newest wait, parameters are worth nothing after their deadline, requests that
/// are too many or too large become one, and a stop makes the starts and stops before it needless.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    jobs: VecDeque<Queued>,
    forgotten: Seldom,
}

impl Queue {
    /// Adds a job; gives back what it makes needless.
    pub(crate) fn push(&mut self, queued: Queued) -> Option<Queued> {
        let needless = match &queued.job {
            Job::ProcessStats(_) => self.position(|job| matches!(job, Job::ProcessStats(_))),
            Job::ComputeParams { .. } => self
                .position(|job| matches!(job, Job::ComputeParams { .. }))
                .filter(|at| self.jobs.get(*at).is_some_and(|job| job.until <= Instant::now())),
            Job::Stop => {
                // Whoever asked for those has been answered: libcamera makes one call at a time.
                self.jobs.retain(|queued| !matches!(queued.job, Job::Start | Job::Stop));
                None
            }
            _ => None,
        };
        let needless = needless.and_then(|at| self.jobs.remove(at));
        self.jobs.push_back(queued);
        while self.has_too_many_requests() {
            self.merge_oldest_requests();
        }
        needless
    }

    pub(crate) fn pop(&mut self) -> Option<Queued> {
        self.jobs.pop_front()
    }

    /// Takes a job away that has not begun.
    pub(crate) fn cancel(&mut self, ticket: Ticket) -> Option<Queued> {
        let at = self.jobs.iter().position(|queued| queued.ticket == ticket)?;
        self.jobs.remove(at)
    }

    /// Takes all frames away that have not begun.
    pub(crate) fn cancel_frames(&mut self) -> Vec<Queued> {
        let is_frame = |job: &Job| matches!(job, Job::ProcessStats(_) | Job::ComputeParams { .. });
        let jobs = std::mem::take(&mut self.jobs);
        let (frames, others) = jobs.into_iter().partition(|queued| is_frame(&queued.job));
        self.jobs = others;
        let frames: VecDeque<Queued> = frames;
        frames.into()
    }

    fn position(&self, which: impl Fn(&Job) -> bool) -> Option<usize> {
        self.jobs.iter().position(|queued| which(&queued.job))
    }

    /// Controls hold until others come, so the older of two requests only adds what the newer does
    /// not say.
    fn merge_oldest_requests(&mut self) {
        let Some(at) = self.position(|job| matches!(job, Job::QueueRequest { .. })) else { return };
        let Some(Queued { job: Job::QueueRequest { controls: older, .. }, .. }) =
            self.jobs.remove(at)
        else {
            return;
        };
        let next = self.jobs.iter_mut().find_map(|queued| match &mut queued.job {
            Job::QueueRequest { controls, .. } => Some(controls),
            _ => None,
        });
        let Some(newer) = next else { return };
        let mut room = (REQUEST_BYTES / 2).saturating_sub(list_bytes(newer));
        let mut forgotten = false;
        for control in older.controls {
            if newer.get(control.id).is_some() {
                continue;
            }
            match room.checked_sub(control_bytes(&control)) {
                Some(rest) => {
                    room = rest;
                    newer.controls.push(control);
                }
                None => forgotten = true,
            }
        }
        if forgotten && let Some(total) = self.forgotten.count() {
            log::warn!("controls of old requests are too large to wait; {total} times so far");
        }
    }

    fn has_too_many_requests(&self) -> bool {
        let (mut count, mut bytes) = (0_usize, 0_usize);
        for queued in &self.jobs {
            if let Job::QueueRequest { controls, .. } = &queued.job {
                count = count.saturating_add(1);
                bytes = bytes.saturating_add(list_bytes(controls));
            }
        }
        count > REQUESTS || (count > 1 && bytes > REQUEST_BYTES)
    }
}

fn list_bytes(list: &ControlList) -> usize {
    list.controls.iter().map(control_bytes).fold(0, usize::saturating_add)
}

fn control_bytes(control: &Control) -> usize {
    size_of::<Control>().saturating_add(control.value.data().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cami_wire::libcamera::{ControlValue, IdMap};
    use std::time::Duration;

    fn queued(ticket: Ticket, job: Job) -> Queued {
        Queued { ticket, job, until: Instant::now() + Duration::from_secs(60) }
    }

    fn request(ticket: Ticket, id: u32, value: i32) -> Queued {
        let controls = vec![Control { id, value: ControlValue::scalar(&value) }];
        let controls = ControlList { handle: 0, id_map: IdMap::Controls, controls };
        queued(ticket, Job::QueueRequest { frame: 0, controls })
    }

    fn statistics(ticket: Ticket) -> Queued {
        let in_effect = ControlList { handle: 0, id_map: IdMap::V4l2, controls: Vec::new() };
        let statistics = Box::default();
        let job = StatsJob { frame: 1, timestamp_ns: 0, statistics, in_effect };
        queued(ticket, Job::ProcessStats(Box::new(job)))
    }

    #[test]
    fn frames_of_a_stream_that_is_over_do_not_wait() {
        let mut queue = Queue::default();
        queue.push(request(1, 7, 1));
        queue.push(statistics(2));
        queue.push(queued(3, Job::ComputeParams { frame: 4 }));
        let cancelled: Vec<Ticket> =
            queue.cancel_frames().into_iter().map(|queued| queued.ticket).collect();
        assert_eq!(cancelled, [2, 3]);
        assert_eq!(queue.pop().unwrap().ticket, 1);
        assert!(queue.pop().is_none());
    }

    #[test]
    fn only_the_newest_statistics_wait() {
        let mut queue = Queue::default();
        assert!(queue.push(statistics(1)).is_none());
        assert!(queue.push(queued(2, Job::Stop)).is_none());
        assert_eq!(queue.push(statistics(3)).unwrap().ticket, 1);
        assert_eq!(queue.pop().unwrap().ticket, 2);
        assert_eq!(queue.pop().unwrap().ticket, 3);
        assert!(queue.pop().is_none());
    }

    #[test]
    fn parameters_that_nobody_waits_for_give_way() {
        let mut queue = Queue::default();
        let mut old = queued(1, Job::ComputeParams { frame: 1 });
        old.until = Instant::now();
        queue.push(old);
        assert_eq!(queue.push(queued(2, Job::ComputeParams { frame: 2 })).unwrap().ticket, 1);
        assert!(queue.push(queued(3, Job::ComputeParams { frame: 3 })).is_none());
        assert_eq!(queue.cancel(2).unwrap().ticket, 2);
        assert!(queue.cancel(2).is_none());
    }

    fn waiting_bytes(queue: &Queue) -> usize {
        let bytes = |queued: &Queued| match &queued.job {
            Job::QueueRequest { controls, .. } => list_bytes(controls),
            _ => 0,
        };
        queue.jobs.iter().map(bytes).sum()
    }

    /// Each as large as a message may be, and with controls that none before it had.
    #[test]
    fn large_requests_are_bounded_and_the_newest_is_whole() {
        let mut queue = Queue::default();
        let value = ControlValue::array(&vec![7_u8; 10_000]).unwrap();
        for ticket in 0..200_u32 {
            let controls = (0..20)
                .map(|nth| Control { id: ticket * 20 + nth, value: value.clone() })
                .collect();
            let controls = ControlList { handle: 0, id_map: IdMap::Controls, controls };
            queue.push(queued(ticket.into(), Job::QueueRequest { frame: ticket, controls }));
            queue.push(request(u64::from(ticket) + 1000, 1_000_000, 5));
            assert!(waiting_bytes(&queue) <= 250_000, "{}", waiting_bytes(&queue));
        }
        let Some(Queued { job: Job::QueueRequest { controls, .. }, .. }) = queue.jobs.pop_back()
        else {
            panic!("no request")
        };
        assert_eq!(controls.get(1_000_000).and_then(ControlValue::get), Some(5));
        let Some(Queued { job: Job::QueueRequest { controls, .. }, .. }) = queue.jobs.pop_back()
        else {
            return;
        };
        assert!(controls.get(199 * 20 + 19).is_some());
    }

    /// An IPA that is away while an application starts and stops again and again.
    #[test]
    fn starts_and_stops_that_were_given_up_on_do_not_pile_up() {
        let mut queue = Queue::default();
        for ticket in 0..100 {
            queue.push(queued(2 * ticket, Job::Start));
            queue.push(request(1000 + ticket, 1, 1));
            queue.push(queued(2 * ticket + 1, Job::Stop));
        }
        queue.push(queued(200, Job::Start));
        let kept: Vec<Ticket> = queue
            .jobs
            .iter()
            .filter(|queued| matches!(queued.job, Job::Start | Job::Stop))
            .map(|queued| queued.ticket)
            .collect();
        assert_eq!(kept, [199, 200]);
    }

    #[test]
    fn many_requests_become_one_that_keeps_the_newest_of_each_control() {
        let mut queue = Queue::default();
        queue.push(request(0, 7, -1));
        for ticket in 1..1000 {
            queue.push(request(ticket, 1, i32::try_from(ticket).unwrap()));
        }
        assert!(queue.jobs.len() <= REQUESTS);
        let Some(Queued { job: Job::QueueRequest { controls, .. }, .. }) = queue.pop() else {
            panic!("no request")
        };
        assert_eq!(controls.get(7).and_then(ControlValue::get), Some(-1));
        let Some(Queued { ticket, .. }) = queue.jobs.pop_back() else { panic!("no request") };
        assert_eq!(ticket, 999);
    }
}
