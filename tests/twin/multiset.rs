//! Arrays whose order does not count.

use super::equal::{Weighed, Weigher};
use super::json::Value;
use super::rules::{Path, Step};
use std::collections::{BTreeSet, VecDeque};

/// Compares two arrays without order by the rule of this number.
pub fn weigh(weigher: &mut Weigher, path: &[Step], rule: usize, by: Option<&Path>, [a, b]: [&[Value]; 2]) {
    if let Some(by) = by.filter(|by| is_bare(weigher, path, by))
        && let (Some(left), Some(right)) = (keys(a, by), keys(b, by))
    {
        let partner = |key: &Value| right.iter().position(|other| other == &key);
        let mut met = BTreeSet::new();
        for (at, key) in left.iter().enumerate() {
            let Some(other) = partner(key) else { continue };
            met.insert(other);
            if other != at {
                weigher.out.overlooked.insert(rule);
            }
            weigher.place(element(path, at), [Some(&a[at]), Some(&b[other])], false);
        }
        for (at, item) in a.iter().enumerate().filter(|(at, _)| partner(left[*at]).is_none()) {
            weigher.place(element(path, at), [Some(item), None], false);
        }
        for (at, item) in b.iter().enumerate().filter(|(at, _)| !met.contains(at)) {
            weigher.place(element(path, at), [None, Some(item)], false);
        }
        return;
    }
    let any = element(path, 0);
    if weigher.rules.ignore.iter().any(|rule| rule.reaches(&any) && weigher.holds(rule)) {
        for at in 0..a.len().max(b.len()) {
            weigher.place(element(path, at), [a.get(at), b.get(at)], false);
        }
        return;
    }
    let table: Vec<Vec<Option<BTreeSet<usize>>>> =
        a.iter().map(|x| b.iter().map(|y| equal(weigher, &any, x, y)).collect()).collect();
    let partners = matched(&table, b.len());
    for (at, partner) in partners.iter().enumerate() {
        match partner {
            None => {}
            Some(other) => {
                weigher.out.overlooked.extend(table[at][*other].iter().flatten());
                if *other != at {
                    weigher.out.overlooked.insert(rule);
                }
            }
        }
    }
    for (at, item) in a.iter().enumerate().filter(|(at, _)| partners[*at].is_none()) {
        weigher.place(element(path, at), [Some(item), None], false);
    }
    for (at, item) in b.iter().enumerate().filter(|(at, _)| !partners.contains(&Some(*at))) {
        weigher.place(element(path, at), [None, Some(item)], false);
    }
}

fn element(path: &[Step], at: usize) -> Vec<Step> {
    let mut path = path.to_vec();
    path.push(Step { name: at.to_string(), free: true });
    path
}

/// Whether no rule of this kind of event, be its conditions met or not, has to do with the key of an element.
fn is_bare(weigher: &Weigher, path: &[Step], by: &Path) -> bool {
    let above = path.len();
    !weigher.rules.fields().any(|rule| {
        let is_here = rule.applies(weigher.kind) && rule.path.len() > above && rule.path[above].is_none();
        let (head, tail) = rule.path.split_at(above.min(rule.path.len()));
        is_here
            && head.iter().zip(path).all(|(rule, step)| match rule {
                None => true,
                Some(name) => !step.free && *name == step.name,
            })
            && tail[1..].iter().zip(by).all(|(rule, name)| rule.as_ref().is_none_or(|rule| rule == name))
    })
}

/// The keys of all elements, if each has one of its own.
fn keys<'v>(items: &'v [Value], by: &Path) -> Option<Vec<&'v Value>> {
    let keys: Option<Vec<&Value>> =
        items.iter().map(|item| Some(item).filter(|item| matches!(item, Value::Object(_)))?.at(by)).collect();
    keys.filter(|keys| (0..keys.len()).all(|at| !keys[..at].contains(&keys[at])))
}

/// The rules that overlook what differs between two elements that are equal.
fn equal(weigher: &Weigher, place: &[Step], x: &Value, y: &Value) -> Option<BTreeSet<usize>> {
    let Weigher { rules, kind, lines, same, .. } = *weigher;
    let mut inner = Weigher { rules, kind, lines, same, out: Weighed::default() };
    inner.place(place.to_vec(), [Some(x), Some(y)], false);
    inner.out.differences.is_empty().then_some(inner.out.overlooked)
}

/// The partner of each element of the reference: as many have one as can.
fn matched(table: &[Vec<Option<BTreeSet<usize>>>], width: usize) -> Vec<Option<usize>> {
    let mut partners: Vec<Option<usize>> = vec![None; table.len()];
    for at in 0..table.len().min(width) {
        partners[at] = table[at][at].as_ref().map(|_| at);
    }
    for at in 0..table.len() {
        if partners[at].is_none() {
            partners[at] = (0..width).find(|other| table[at][*other].is_some() && !partners.contains(&Some(*other)));
        }
    }
    for at in 0..table.len() {
        if partners[at].is_none() {
            change(table, &mut partners, at);
        }
    }
    partners
}

/// Lets others change their partners, nearest first, until one is free for the element at `lonely`.
fn change(table: &[Vec<Option<BTreeSet<usize>>>], partners: &mut [Option<usize>], lonely: usize) {
    // Chains of elements: each would take the partner of the next.
    let mut chains = VecDeque::from([vec![(lonely, None)]]);
    let mut met = BTreeSet::new();
    while let Some(chain) = chains.pop_front() {
        let (last, _): (usize, Option<usize>) = *chain.last().expect("it has a beginning");
        for (other, equal) in table[last].iter().enumerate() {
            if equal.is_none() || !met.insert(other) {
                continue;
            }
            let mut longer = chain.clone();
            longer.last_mut().expect("it has a beginning").1 = Some(other);
            match partners.iter().position(|partner| *partner == Some(other)) {
                None => {
                    longer.into_iter().for_each(|(at, partner)| partners[at] = partner);
                    return;
                }
                Some(owner) => {
                    longer.push((owner, None));
                    chains.push_back(longer);
                }
            }
        }
    }
}
