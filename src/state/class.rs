//! What kind of difference there is, and what it says about the two engines.

use std::fmt;

/// What a difference says, by the letters that reports of snapshots use. In the order in which they are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// σ: something is there on one side only.
    Sigma,
    /// δ: what must be equal before anything else can be compared.
    DeltaStop,
    /// δ: the contents of memory, known by their hashes.
    Delta,
    /// γ: what the kernel's objects hold.
    Gamma,
    /// κ: what caches hold.
    Kappa,
    /// ε: where the host's allocator put something.
    Epsilon,
    /// τ: when it happened, by the host's clock.
    Tau,
}

impl Class {
    /// All of them, in the order of reports.
    pub const ALL: [Class; 7] =
        [Class::Sigma, Class::DeltaStop, Class::Delta, Class::Gamma, Class::Kappa, Class::Epsilon, Class::Tau];

    /// Its name in profiles and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Class::Sigma => "sigma-structural",
            Class::DeltaStop => "delta-content-STOP",
            Class::Delta => "delta-content",
            Class::Gamma => "gamma-kernel-content",
            Class::Kappa => "kappa-cache",
            Class::Epsilon => "epsilon-host-allocator",
            Class::Tau => "tau-host-timing",
        }
    }

    /// The class of that name.
    pub fn of_name(name: &str) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Whether differences of it change the verdict by themselves.
    pub fn counts(self) -> bool {
        !matches!(self, Class::Epsilon | Class::Tau)
    }

    /// Its place in arrays with one entry a class.
    pub fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// In what way two documents differ at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Two values of one type.
    Value,
    /// Values of two types.
    TypeMismatch,
    /// A key that only the reference has.
    MissingField,
    /// A key that only the candidate has.
    ExtraField,
    /// Sequences of two lengths.
    SeqLength,
    /// A member of a set that only the reference has.
    MissingInCandidate,
    /// A member of a set that only the candidate has.
    ExtraInCandidate,
    /// A file that only one side has.
    MissingFile,
    /// A file is not what its folder's manifest, or whoever names its hash, says.
    ManifestHashMismatch,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 9] = [
        Kind::Value,
        Kind::TypeMismatch,
        Kind::MissingField,
        Kind::ExtraField,
        Kind::SeqLength,
        Kind::MissingInCandidate,
        Kind::ExtraInCandidate,
        Kind::MissingFile,
        Kind::ManifestHashMismatch,
    ];

    /// Its name in profiles and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Value => "value",
            Kind::TypeMismatch => "type-mismatch",
            Kind::MissingField => "missing-field",
            Kind::ExtraField => "extra-field",
            Kind::SeqLength => "seq-length",
            Kind::MissingInCandidate => "missing-in-candidate",
            Kind::ExtraInCandidate => "extra-in-candidate",
            Kind::MissingFile => "missing-file",
            Kind::ManifestHashMismatch => "manifest-hash-mismatch",
        }
    }

    /// The kind of that name.
    pub fn of_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The same difference seen from the other side.
    #[must_use]
    pub fn mirrored(self) -> Kind {
        match self {
            Kind::MissingField => Kind::ExtraField,
            Kind::ExtraField => Kind::MissingField,
            Kind::MissingInCandidate => Kind::ExtraInCandidate,
            Kind::ExtraInCandidate => Kind::MissingInCandidate,
            other => other,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_stand_where_their_index_says() {
        for (at, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!((Class::of_name(class.name()), class.index()), (Some(class), at));
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::of_name(kind.name()), Some(kind));
            assert_eq!(kind.mirrored().mirrored(), kind);
        }
        assert_eq!(Class::of_name("sigma"), None);
    }
}
