//! Typed arrays of JavaScript as slices, without copies.
//!
//! A [`View`] is only looked into during the synchronous call that it was passed to. No JavaScript runs in the meantime that could
//! detach, shrink or write its buffer, and memory shared with other threads is refused: that is why the slices are sound.

use std::ffi::c_void;
use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, TypeName, ValidateNapiValue};
use napi::{Result, ValueType, sys};

use crate::error::Issue;

/// What a typed array holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `Uint8Array`, `Uint8ClampedArray`.
    U8,
    /// `Int32Array`.
    I32,
    /// `Uint32Array`.
    U32,
    /// `BigInt64Array`.
    I64,
    /// `Float64Array`.
    F64,
    /// A typed array that nothing here reads, or none at all.
    Other,
}

/// A typed array that JavaScript passed in, or some other value.
pub(crate) struct View {
    env: sys::napi_env,
    kind: Kind,
    data: *mut c_void,
    length: usize,
    /// Null when the value is no typed array.
    buffer: sys::napi_value,
}

impl TypeName for View {
    fn type_name() -> &'static str {
        "TypedArray"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

// Whether the value is what a function needs is for the function to say: the error then names the argument.
impl ValidateNapiValue for View {
    unsafe fn validate(_env: sys::napi_env, _value: sys::napi_value) -> Result<sys::napi_value> {
        Ok(ptr::null_mut())
    }
}

impl FromNapiValue for View {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<View> {
        let mut view = View { env, kind: Kind::Other, data: ptr::null_mut(), length: 0, buffer: ptr::null_mut() };
        let (mut kind, mut offset) = (0, 0);
        // SAFETY: `env` and `value` belong to the running call, and every out pointer is that of a live local.
        let status = unsafe {
            let View { length, data, buffer, .. } = &mut view;
            sys::napi_get_typedarray_info(env, value, &mut kind, length, data, buffer, &mut offset)
        };
        if status != sys::Status::napi_ok {
            return Ok(View { env, kind: Kind::Other, data: ptr::null_mut(), length: 0, buffer: ptr::null_mut() });
        }
        view.kind = match kind {
            sys::TypedarrayType::uint8_array | sys::TypedarrayType::uint8_clamped_array => Kind::U8,
            sys::TypedarrayType::int32_array => Kind::I32,
            sys::TypedarrayType::uint32_array => Kind::U32,
            sys::TypedarrayType::bigint64_array => Kind::I64,
            sys::TypedarrayType::float64_array => Kind::F64,
            _ => Kind::Other,
        };
        Ok(view)
    }
}

/// An integer type that elements of a typed array of one of `kinds` can be read as.
///
/// # Safety
/// Every element of such an array must be a valid value of the type, bit by bit.
pub(crate) unsafe trait Element: Copy {
    /// The arrays.
    fn is(kind: Kind) -> bool;
}

macro_rules! elements {
    ($($type:ty: $kind:pat),*) => {$(
        // SAFETY: the element has the size of the type, and every bit pattern is a value of it.
        unsafe impl Element for $type {
            fn is(kind: Kind) -> bool {
                matches!(kind, $kind)
            }
        }
    )*};
}
// A `Uint32Array` is read as `i32`, bit by bit, as the core does.
elements!(u8: Kind::U8, i32: Kind::I32 | Kind::U32, u32: Kind::U32, i64: Kind::I64, f64: Kind::F64);

/// Input and output of one call.
pub(crate) enum Pair<'a, T> {
    /// The same elements: the output is written over the input.
    Same(&'a mut [T]),
    /// Memory that does not overlap.
    Apart(&'a [T], &'a mut [T]),
}

impl View {
    /// What the array holds.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the memory of the two overlaps.
    pub fn overlaps(&self, other: &View) -> bool {
        let (start, end) = self.bytes();
        let (other_start, other_end) = other.bytes();
        start < other_end && other_start < end
    }

    /// The elements.
    ///
    /// # Errors
    /// `shared-buffer`, `detached-buffer`; the kind is for the caller to check.
    pub fn slice<T: Element>(&self, name: &str) -> Result<&[T]> {
        self.check::<T>(name)?;
        if self.length == 0 {
            return Ok(&[]);
        }
        // SAFETY: `check` says that the elements are `T`s and that no other thread sees them; the array is longer than 0, so its
        // data is not null, is aligned and spans `length` elements, which stay as they are during the call (module documentation).
        Ok(unsafe { std::slice::from_raw_parts(self.data.cast(), self.length) })
    }

    /// The elements of `self` to read and those of `output` to write.
    ///
    /// # Errors
    /// As [`View::slice`]; `overlapping-arrays` when the two share some of their memory, but are not the same elements.
    pub fn pair<'a, T: Element>(&'a self, name: &str, output: &'a mut View, output_name: &str) -> Result<Pair<'a, T>> {
        output.check::<T>(output_name)?;
        let same = self.data == output.data && self.length == output.length;
        if !same && self.overlaps(output) {
            let message = format!("{name} and {output_name} overlap without being the same elements");
            let hint = "give the same array for labels in place, or one with memory of its own";
            return Err(Issue::new("overlapping-arrays", message).path(output_name).hint(hint).into());
        }
        let input = self.slice::<T>(name)?;
        if output.length == 0 {
            return Ok(Pair::Apart(input, &mut []));
        }
        // SAFETY: as in `slice`; besides, `output` is borrowed mutably, and the only other view of this call that is looked at
        // meanwhile is `self`, which either does not overlap or is not handed out (`Same`).
        let labels = unsafe { std::slice::from_raw_parts_mut(output.data.cast(), output.length) };
        Ok(if same { Pair::Same(labels) } else { Pair::Apart(input, labels) })
    }

    fn bytes(&self) -> (usize, usize) {
        let size = match self.kind {
            Kind::U8 | Kind::Other => 1,
            Kind::I32 | Kind::U32 => 4,
            Kind::I64 | Kind::F64 => 8,
        };
        let start = self.data.addr();
        (start, start + self.length * size)
    }

    /// That the array holds `T`s in memory of this thread.
    fn check<T: Element>(&self, name: &str) -> Result<()> {
        assert!(T::is(self.kind), "the caller checks the kind of {name}");
        let mut plain = false;
        // SAFETY: `buffer` is a value of the running call: `kind` is not `Other`, so N-API filled it in.
        if unsafe { sys::napi_is_arraybuffer(self.env, self.buffer, &mut plain) } != sys::Status::napi_ok || !plain {
            let message = format!("{name} lies in a SharedArrayBuffer, which another thread may write at any time");
            return Err(Issue::new("shared-buffer", message).path(name).hint("copy it first: array.slice()").into());
        }
        // A detached buffer has no length; only then is it worth a call to ask.
        if self.length == 0 && self.is_detached() {
            let message = format!("the buffer of {name} is detached: it was transferred elsewhere");
            return Err(Issue::new("detached-buffer", message).path(name).into());
        }
        Ok(())
    }

    fn is_detached(&self) -> bool {
        let mut detached = false;
        // SAFETY: `buffer` is a value of the running call, see `check`.
        let status = unsafe { sys::napi_is_detached_arraybuffer(self.env, self.buffer, &mut detached) };
        status == sys::Status::napi_ok && detached
    }
}
