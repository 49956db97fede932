//! The integer types a row of token ids may come in.

use crate::vector::Lanes;

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
}

/// What labels are stored in: `i32` or `i64`. As a bound it lets a function take a row of either.
///
/// ```
/// use lossmask::{Label, Masker, MaskerOptions};
///
/// fn trained<L: Label>(masker: &Masker, ids: &[L]) -> usize {
///     masker.record(ids, &Default::default()).trained_count()
/// }
///
/// let masker = Masker::new(&MaskerOptions { train_on_inputs: true, ..MaskerOptions::default() })?;
/// assert_eq!((trained(&masker, &[7_i32, 8]), trained(&masker, &[7_i64, 8])), (2, 2));
/// # Ok::<(), lossmask::BuildError>(())
/// ```
#[allow(private_bounds)]
pub trait Label: TokenId<Label = Self> + Lanes {}

impl Label for i32 {}
impl Label for i64 {}

impl TokenId for i32 {
    type Label = i32;
}

impl TokenId for u32 {
    type Label = i32;
}

impl TokenId for i64 {
    type Label = i64;
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
