//! Logs with more events than pairing is ready to wait for.

use super::pairs::Case;
use super::shapes::Rng;

/// A short line of a plain log.
fn event(tid: usize, ordinal: usize, payload: &str) -> Vec<u8> {
    format!("{{\"tid\":{tid},\"tid_event_idx\":{ordinal},\"payload\":{payload}}}\n").into_bytes()
}

/// A filler thread of some 140,000 events, and small ones born at random moments.
pub fn case(rng: &mut Rng) -> Case {
    let small = 1 + rng.below(8);
    let groups = 1 + rng.below(3);
    let lives: Vec<Vec<String>> = (0..small)
        .map(|thread| {
            let length = rng.pick(&[1, 3, 10, 64, 70]);
            let unlike = rng.below(length + 2);
            (0..length)
                .map(|at| if at < unlike { format!("[{at}]") } else { format!("[{at},{}]", thread % groups) })
                .collect()
        })
        .collect();
    let lines = [0, 1].map(|side| {
        let total = rng.pick(&[70_000, 135_000, 140_000, 200_000]) + rng.below(3);
        let mut out = vec![b"{\"kind\":\"schema_version\",\"schema_version\":1}\n".to_vec()];
        let filler = event(1000 + side, 0, "0");
        let mut births: Vec<(usize, usize)> =
            (0..small).map(|thread| (if rng.chance(50) { rng.below(500) } else { rng.below(total) }, thread)).collect();
        births.sort_unstable();
        let mut births = births.into_iter().peekable();
        out.push(filler);
        for at in 1..total {
            while let Some((_, thread)) = births.next_if(|birth| birth.0 <= at) {
                let mut life = lives[thread].clone();
                if side == 1 && rng.chance(50) {
                    let place = rng.below(life.len());
                    life[place] = "\"new\"".to_owned();
                }
                let tid = if side == 0 { thread } else { small - thread };
                out.extend(life.iter().enumerate().map(|(ordinal, payload)| event(tid, ordinal, payload)));
            }
            out.push(event(1000 + side, at, "0"));
        }
        out
    });
    Case { lines, flags: Vec::new() }
}
