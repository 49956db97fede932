//! The integer types a row of token ids may come in.

use crate::search::{Kernels, KernelsPair};

mod sealed {
    pub trait Sealed {}
    impl Sealed for i32 {}
    impl Sealed for u32 {}
    impl Sealed for i64 {}
    impl Sealed for u8 {}
}

/// A token id: `i32`, `u32` or `i64`.
///
/// Markers and ignored ids are `i32`. An `i64` beyond that range equals none of them, and is kept or masked like any
/// other token. A `u32` beyond it is read as the `i32` with the same bits, as a typed array over the same memory would:
/// its label is that `i32`, and reading the labels as `u32` gives the id back.
pub trait TokenId: sealed::Sealed + Copy + Eq + Send + Sync + 'static {
    /// What a label of this id is stored in: `i32` for `u32`, else the type itself.
    type Label: Label;
    /// The id as its label.
    fn to_label(self) -> Self::Label;
}

/// What labels are stored in: `i32` or `i64`.
#[allow(private_bounds)]
pub trait Label: TokenId<Label = Self> + PartialOrd {
    /// `value` in this type.
    fn from_i32(value: i32) -> Self;
    /// The id as `i32`, if it is one.
    fn to_i32(self) -> Option<i32>;
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn kernels(pair: &KernelsPair) -> &'static Kernels<Self>;
}

impl TokenId for i32 {
    type Label = i32;
    fn to_label(self) -> i32 {
        self
    }
}

impl TokenId for u32 {
    type Label = i32;
    fn to_label(self) -> i32 {
        self.cast_signed()
    }
}

impl TokenId for i64 {
    type Label = i64;
    fn to_label(self) -> i64 {
        self
    }
}

impl Label for i32 {
    #[inline(always)]
    fn from_i32(value: i32) -> i32 {
        value
    }
    #[inline(always)]
    fn to_i32(self) -> Option<i32> {
        Some(self)
    }
    #[allow(private_interfaces)]
    fn kernels(pair: &KernelsPair) -> &'static Kernels<i32> {
        pair.0
    }
}

impl Label for i64 {
    #[inline(always)]
    fn from_i32(value: i32) -> i64 {
        i64::from(value)
    }
    #[inline(always)]
    fn to_i32(self) -> Option<i32> {
        i32::try_from(self).ok()
    }
    #[allow(private_interfaces)]
    fn kernels(pair: &KernelsPair) -> &'static Kernels<i64> {
        pair.1
    }
}

/// A value of an attention mask: `u8`, `i32`, `u32` or `i64`. Zero is padding, anything else a token of the row.
pub trait MaskValue: sealed::Sealed + Copy + Send + Sync + 'static {
    /// Whether the position holds a token of the row.
    fn is_token(self) -> bool;
}

macro_rules! mask_value {
    ($($type:ty),*) => {$(
        impl MaskValue for $type {
            #[inline(always)]
            fn is_token(self) -> bool {
                self != 0
            }
        }
    )*};
}
mask_value!(u8, i32, u32, i64);

/// The ids as what their labels are stored in, without a copy.
pub(crate) fn as_labels<I: TokenId>(ids: &[I]) -> &[I::Label] {
    const { assert!(size_of::<I>() == size_of::<I::Label>() && align_of::<I>() == align_of::<I::Label>()) };
    // SAFETY: the trait is sealed; `I` and `I::Label` are the same integer but for the sign, so length, alignment and
    // validity of every bit pattern carry over, and the borrow keeps its lifetime.
    unsafe { std::slice::from_raw_parts(ids.as_ptr().cast(), ids.len()) }
}
