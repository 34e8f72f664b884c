//! The porch's doorstep: arguments in, an exit code out.

use std::process::ExitCode;

use forkpoint::cli;

/// A block of this size, in bytes, is freed before the work begins.
const FREED_FIRST: usize = 4 << 20;

fn main() -> ExitCode {
    // glibc gives back to the system what is free at its heap's end beyond 128 KiB, to take it again
    // page by page a moment later; the largest block ever freed raises that bound to twice its size
    // (mallopt(3), M_MMAP_THRESHOLD). Nothing is touched by this, and other allocators do not mind.
    let mut freed = Vec::<u8>::new();
    if freed.try_reserve_exact(FREED_FIRST).is_err() {
        return cli::complain(&cli::no_memory()).into();
    }
    drop(std::hint::black_box(freed));
    let outcome = cli::Args::read().and_then(cli::run);
    outcome.unwrap_or_else(|trouble| cli::complain(&trouble)).into()
}
