//! Threads that wait for each other.

use std::collections::VecDeque;

use super::object::Kind;
use super::world::World;

/// The shortest cycle through each thread that lies on one; each cycle once, by its least thread first.
pub fn cycles(world: &World) -> Vec<Vec<u32>> {
    let next: Vec<Vec<u32>> = (0..world.threads.len() as u32).map(|thread| holders(world, thread)).collect();
    let mut found: Vec<Vec<u32>> = Vec::new();
    for thread in (0..next.len() as u32).filter(|thread| !next[*thread as usize].is_empty()) {
        if found.iter().any(|cycle| cycle.contains(&thread)) {
            continue;
        }
        found.extend(shortest(&next, thread));
    }
    found
}

/// The threads without whom a thread does not go on: who has the mutants it waits for, the threads whose end it waits for. A wait
/// for any of several objects may end by another one, so it says nothing.
fn holders(world: &World, thread: u32) -> Vec<u32> {
    let Some(wait) = &world.threads[thread as usize].wait else { return Vec::new() };
    if wait.given.is_some() || !(wait.is_for_all || wait.objects.len() == 1) {
        return Vec::new();
    }
    let holder = |at: &usize| {
        let object = &world.objects.all[*at];
        match object.kind {
            Kind::Mutant => object.owner.map(|(owner, _)| owner.thread).filter(|owner| *owner != thread),
            Kind::Thread if object.available == 0 => {
                let mut threads = 0..world.threads.len() as u32;
                threads.find(|other| world.object_of(*other) == Some(*at) && !world.threads[*other as usize].has_ended)
            }
            _ => None,
        }
    };
    wait.objects.iter().filter_map(holder).collect()
}

/// The shortest way from a thread back to itself.
fn shortest(next: &[Vec<u32>], start: u32) -> Option<Vec<u32>> {
    let mut from: Vec<Option<u32>> = vec![None; next.len()];
    let mut queue = VecDeque::from([start]);
    while let Some(thread) = queue.pop_front() {
        for &other in &next[thread as usize] {
            if other == start {
                let mut cycle = vec![thread];
                while let Some(before) = from[cycle[cycle.len() - 1] as usize] {
                    cycle.push(before);
                }
                cycle.reverse();
                return Some(cycle);
            }
            if from[other as usize].is_none() {
                from[other as usize] = Some(thread);
                queue.push_back(other);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_way_back_is_found() {
        let next = vec![vec![1], vec![2, 3], vec![0], vec![1], vec![0]];
        assert_eq!(shortest(&next, 0), Some(vec![0, 1, 2]));
        assert_eq!(shortest(&next, 1), Some(vec![1, 3]));
        assert_eq!(shortest(&next, 4), None);
        assert_eq!(shortest(&[vec![0]], 0), Some(vec![0]));
    }
}
