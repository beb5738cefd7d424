//! [`serve`]: the loop of a firmware, which sleeps until something is due and does what the gateway says.

use mdinference::device::{Action, Ending, Source};
use mdinference::{Decision, Draw, Micros, Timestamp};

use crate::gateway::Gateway;
use crate::world::World;

/// Answers one request within `target` and gives how it was answered, and when all of it was over.
///
/// `sleep_until` returns when that time is there, with what the clock reads. On a gateway with a radio it
/// returns sooner when an answer comes in; here the world says beforehand when that will be.
pub fn serve<const N: usize>(
    gateway: &mut Gateway<N>,
    world: &World,
    (target, draw): (Micros, Draw),
    mut now: Timestamp,
    sleep_until: &mut impl FnMut(Timestamp) -> Timestamp,
) -> (Decision, Option<Ending>, Timestamp) {
    let mut job = gateway.begin(now, target, draw);
    let fate = world.fate(job.decision.model, draw);
    let (mut remote, mut local) = (None, None);
    while let Some(due) = gateway.poll_at(&job) {
        now = sleep_until([remote, local].into_iter().flatten().fold(due, Timestamp::min));
        if remote.take_if(|at| *at <= now).is_some() {
            match fate.took {
                Some(took) => gateway.answered(&mut job, took, now),
                None => gateway.failed(&mut job, now),
            }
        }
        if local.take_if(|at| *at <= now).is_some() {
            gateway.local_done(&mut job, now);
        }
        while let Some(action) = gateway.poll(&mut job, now) {
            match action {
                Action::Start(Source::Remote) => remote = Some(now.after(fate.remote)), // Send it.
                Action::Start(Source::Local) => local = Some(now.after(fate.local)),    // Run it.
                Action::Cancel(Source::Remote) => remote = None,
                Action::Cancel(Source::Local) => local = None,
                Action::Deliver(_) | Action::GiveUp => {} // The answer goes out, or that there is none.
            }
        }
    }
    (job.decision, job.ending(), now)
}
