//! Which frame a request belongs to.

use cami_wire::control::Role;

use super::Profile;

/// Counts the frames of a session while its requests go by.
///
/// `frame_begins` lists the commands with which a frame may begin, in the order in which they come in
/// it: IPU3's HAL sends statistics and then asks for exposure, but has no statistics for its first
/// frames, and does not ask for exposure while it is locked. So one of them begins a frame unless the
/// frame has only had commands of the list that come before it.
///
/// What sets something up or ends it is in no frame, and neither is what comes before the first. Where
/// a HAL prepares a frame while another is being computed, requests count for the one that began last.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    begins: Vec<u32>,
    apart: Vec<u32>,
    current: Option<u64>,
    /// The last of `begins` that the frame had, as a place in the list.
    rank: usize,
}

impl Frames {
    /// Before the first request.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        let apart = |role: Role| matches!(role, Role::SetUp | Role::TearDown);
        let rules = profile.commands.iter().map(|command| &command.rule);
        Self {
            begins: profile.frame_begins.clone(),
            apart: rules.filter(|rule| apart(rule.role)).map(|rule| rule.id).collect(),
            current: None,
            rank: 0,
        }
    }

    /// Takes the next request; its frame, from 0.
    pub fn take(&mut self, command: u32) -> Option<u64> {
        if self.apart.contains(&command) {
            return None;
        }
        if let Some(rank) = self.begins.iter().position(|&begin| begin == command) {
            let goes_on = self.current.is_some() && self.rank < rank;
            if !goes_on {
                self.current = Some(self.current.map_or(0, |frame| frame + 1));
            }
            self.rank = rank;
        }
        self.current
    }
}
