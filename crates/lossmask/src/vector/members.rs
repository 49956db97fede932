//! Sets in the forms that the loops test, and the choice among them.

use crate::vector::simd::{Members, Simd};

/// The empty set.
pub(super) struct Nothing;
/// One id, in every lane.
pub(super) struct One<S>(pub S);
/// Ids close together: the span's shift and limit.
pub(super) struct Close<S>(pub S, pub S);
/// Ids in a slot of a table each, and the hash's factors.
pub(super) struct Table<'a, S>(pub &'a [i32; 8], pub S);
/// Ids in several tables, and the hash's factors.
pub(super) struct Tables<'a, S>(pub &'a [[i32; 8]], pub S);
/// Ids to be compared with one by one.
pub(super) struct Chain<'a>(pub &'a [i32]);

impl<S: Simd> Members<S> for Nothing {
    #[inline(always)]
    unsafe fn test(&self, _: S) -> S {
        // SAFETY: the caller has the instruction set; so in the impls below.
        unsafe { S::zero() }
    }
}

impl<S: Simd> Members<S> for One<S> {
    #[inline(always)]
    unsafe fn test(&self, lanes: S) -> S {
        // SAFETY: see above.
        unsafe { lanes.equal(self.0) }
    }
}

impl<S: Simd> Members<S> for Close<S> {
    #[inline(always)]
    unsafe fn test(&self, lanes: S) -> S {
        // SAFETY: see above.
        unsafe { lanes.add(self.0).greater(self.1) }
    }
}

impl<S: Simd> Members<S> for Table<'_, S> {
    #[inline(always)]
    unsafe fn test(&self, lanes: S) -> S {
        // SAFETY: see above.
        unsafe { lanes.in_table(self.0, lanes.hash(self.1)) }
    }
}

impl<S: Simd> Members<S> for Tables<'_, S> {
    #[inline(always)]
    unsafe fn test(&self, lanes: S) -> S {
        // SAFETY: see above.
        unsafe {
            let mut found = S::zero();
            let hash = lanes.hash(self.1);
            for table in self.0 {
                found = found.or(lanes.in_table(table, hash));
            }
            found
        }
    }
}

impl<S: Simd> Members<S> for Chain<'_> {
    #[inline(always)]
    unsafe fn test(&self, lanes: S) -> S {
        // SAFETY: see above.
        unsafe {
            let mut found = S::zero();
            for &id in self.0 {
                found = found.or(lanes.equal(S::splat(id)));
            }
            found
        }
    }
}

/// Runs `$body` with `$members` bound to the form of the set that `S` tests fastest; `$large` for a set too large for it.
macro_rules! with_members {
    ($set:expr, $simd:ty, $members:ident => $body:expr, large => $large:expr) => {
        match ($set.ids.as_slice(), $set.tables.as_slice()) {
            ([], _) => {
                let $members = Nothing;
                $body
            }
            ([id], _) => {
                let $members = One(<$simd>::splat(*id));
                $body
            }
            (_, [table]) if <$simd>::TABLES => {
                let $members = Table(table, <$simd>::splat($set.hash.factors));
                $body
            }
            (_, tables) if <$simd>::TABLES && tables.len() <= $crate::vector::set::MAX_TABLES => {
                let $members = Tables(tables, <$simd>::splat($set.hash.factors));
                $body
            }
            (ids, _) if !<$simd>::TABLES && ids.len() <= $crate::vector::set::MAX_COMPARISONS => {
                let $members = Chain(ids);
                $body
            }
            _ => $large,
        }
    };
}

/// Runs `$body` with `$members` bound to the form of a set that [fits one test](crate::vector::IdSet::fits_one_test).
macro_rules! with_one_test {
    ($set:expr, $simd:ty, $members:ident => $body:expr) => {
        match $set.tables.first() {
            Some(table) if <$simd>::TABLES => {
                let $members = Table(table, <$simd>::splat($set.hash.factors));
                $body
            }
            _ => {
                let $members = Chain(&$set.ids);
                $body
            }
        }
    };
}

pub(super) use {with_members, with_one_test};
