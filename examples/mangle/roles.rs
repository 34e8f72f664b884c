//! Where the lines of a log keep what `check` looks at.

use forkpoint::json::Pointer;
use forkpoint::profile::{PayloadRole, Profile};

/// What a field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A part of the thread key.
    Thread,
    Ordinal,
    Kind,
    Payload,
    Nondeterministic,
}

/// The header a log must begin with.
#[derive(Clone, Debug)]
pub struct Header {
    /// What its kind must be; `None` where no kind is looked for.
    pub kind: Option<String>,
    /// Where it keeps its version, for the parser and for people.
    pub version_path: Vec<String>,
    pub version_name: String,
    pub version: u64,
}

/// The roles of one kind of log.
#[derive(Clone, Debug)]
pub struct Roles {
    /// The profile's name.
    pub profile: String,
    /// Each role with the keys that lead to it.
    pub paths: Vec<(Role, Vec<String>)>,
    /// How messages call the thread key.
    pub thread_name: String,
    /// How messages call the ordinal.
    pub ordinal_name: String,
    /// The kind that ends a thread.
    pub end: Option<String>,
    pub header: Option<Header>,
}

impl Roles {
    /// The roles that a profile names.
    pub fn of(profile: &Profile) -> Roles {
        let roles = &profile.roles;
        let mut paths = Vec::new();
        let mut add = |role, path: &Pointer| paths.push((role, path.tokens().to_vec()));
        roles.thread.iter().for_each(|path| add(Role::Thread, path));
        roles.ordinal.iter().for_each(|path| add(Role::Ordinal, path));
        roles.kind.iter().for_each(|path| add(Role::Kind, path));
        if let PayloadRole::At(path) = &roles.payload {
            add(Role::Payload, path);
        }
        roles.nondeterministic.iter().for_each(|role| add(Role::Nondeterministic, &role.path));
        let header = profile.header.as_ref().map(|header| Header {
            kind: roles.kind.as_ref().map(|_| header.kind.clone()),
            version_path: header.version_path.tokens().to_vec(),
            version_name: header.version_path.dotted(),
            version: header.version,
        });
        Roles {
            profile: profile.name.clone(),
            paths,
            thread_name: roles.thread.iter().map(Pointer::dotted).collect::<Vec<_>>().join(" or "),
            ordinal_name: roles.ordinal.as_ref().map(Pointer::dotted).unwrap_or_default(),
            end: roles.end.clone(),
            header,
        }
    }

    /// Whether the profile names such a role.
    pub fn has(&self, role: Role) -> bool {
        self.paths.iter().any(|(named, _)| *named == role)
    }

    /// Whether a role's path begins with this key.
    pub fn begin_with(&self, key: &str) -> bool {
        self.paths.iter().any(|(_, path)| path[0] == key)
    }
}
