//! The threads that work: as many as were asked for, or as can be had. Their number changes no answer.

use std::thread::available_parallelism;

use anyhow::Context;
use rayon::ThreadPoolBuilder;
use rustix::process::{Resource, getrlimit};

use crate::source::has_headroom;

/// Memory that a worker takes before it works, in bytes: its stack.
const WORKER_MEMORY: usize = 2 << 20;
/// Memory that the work takes at least, in bytes.
const WORK_MEMORY: usize = 16 << 20;
/// Address space that a worker may take, in bytes: glibc sets a heap of 64 MiB aside for each thread, out of twice that.
const WORKER_SPACE: u64 = 130 << 20;

/// Does work on so many workers (one for each processor), or on fewer where no more can be started.
///
/// # Errors
/// Not even this thread can work.
pub(super) fn in_pool<T: Send>(jobs: Option<usize>, work: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
    let builder = || ThreadPoolBuilder::new().thread_name(|at| format!("worker-{at}"));
    // Its own default counts processors too, or takes what RAYON_NUM_THREADS says.
    let asked = jobs.or_else(|| std::env::var("RAYON_NUM_THREADS").ok()?.parse().ok()).filter(|asked| *asked > 0);
    let most = asked.unwrap_or_else(|| available_parallelism().map_or(1, usize::from)).min(that_fit());
    for workers in std::iter::successors(Some(most), |more| Some(more / 2)).take_while(|workers| *workers > 0) {
        // Workers that leave no memory to work with are of no use.
        if has_headroom(WORK_MEMORY + workers * WORKER_MEMORY)
            && let Ok(pool) = builder().num_threads(workers).build()
        {
            // A thread that starts when others have taken all memory ends the process: work begins when all are there.
            pool.broadcast(|_| ());
            return Ok(pool.install(work));
        }
    }
    // Not one thread more is to be had; this one stays in the pool it once worked in.
    if rayon::current_thread_index().is_some() {
        return Ok(work());
    }
    let alone = builder().num_threads(1).use_current_thread().build();
    Ok(alone.context("failed to start workers")?.install(work))
}

/// So many workers fit into a limit on address space, if there is one.
fn that_fit() -> usize {
    let Some(limit) = getrlimit(Resource::As).current else { return usize::MAX };
    // As many pages as the process has mapped.
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages: Option<u64> = pages.as_deref().and_then(|text| text.split(' ').next()?.parse().ok());
    let taken = pages.map_or(0, |pages| pages * rustix::param::page_size() as u64);
    let left = limit.saturating_sub(taken).saturating_sub(WORK_MEMORY as u64);
    usize::try_from(left / WORKER_SPACE).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_by_however_many_workers() {
        for jobs in [None, Some(1), Some(3)] {
            let workers = in_pool(jobs, rayon::current_num_threads).unwrap();
            assert!(workers >= 1 && jobs.is_none_or(|jobs| workers <= jobs), "{jobs:?}: {workers}");
        }
    }
}
