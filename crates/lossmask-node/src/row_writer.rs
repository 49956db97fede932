//! The call that is made for every row, at what Node-API itself costs.
//!
//! What `#[napi]` puts around a function (arguments kept track of for calls that go on later, externals looked up in a table
//! behind a lock) takes longer than the labels of a few hundred tokens. So this one function is made by hand: it belongs to one
//! masker, which Node-API hands back with the arguments.

use std::ffi::c_void;
use std::ptr;

use lossmask::Masker;
use napi::bindgen_prelude::{External, FromNapiValue, Unknown};
use napi::{Env, JsError, Result, check_status, sys};
use napi_derive::napi;

use crate::error::caught;
use crate::masker::write_labels;
use crate::view::View;

const NAME: &str = "writeLabels";

/// A function that writes the labels of one row; `labels` may be `ids` itself.
#[napi(
    catch_unwind,
    ts_return_type = "(ids: Int32Array | Uint32Array | BigInt64Array, labels: Int32Array | Uint32Array | BigInt64Array) => void"
)]
pub fn row_writer<'env>(env: &'env Env, masker: &External<Masker>) -> Result<Unknown<'env>> {
    let env = env.raw();
    let masker: *mut Masker = Box::into_raw(Box::new(Masker::clone(masker)));
    let mut function = ptr::null_mut();
    // SAFETY: `env` is that of the running call, the name lives longer than it, and `function` is a live local.
    let status = unsafe {
        sys::napi_create_function(
            env,
            NAME.as_ptr().cast(),
            NAME.len() as isize,
            Some(call),
            masker.cast(),
            &mut function,
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: no function was made, so nothing else knows of the masker.
        drop(unsafe { Box::from_raw(masker) });
    }
    check_status!(status, "cannot make {NAME}")?;
    // SAFETY: `function` is a value of the running call. The masker is dropped when it is collected, and by nothing else; should
    // this fail, it is never dropped.
    let status = unsafe {
        sys::napi_add_finalizer(env, function, masker.cast(), Some(finalize), ptr::null_mut(), ptr::null_mut())
    };
    check_status!(status, "cannot make {NAME}")?;
    // SAFETY: as above.
    Ok(unsafe { Unknown::from_raw_unchecked(env, function) })
}

/// # Safety
/// Node-API calls this once, with what `row_writer` gave it.
unsafe extern "C" fn finalize(_: sys::napi_env, masker: *mut c_void, _: *mut c_void) {
    // SAFETY: the pointer came out of a box of this type, and the function that used it is gone.
    drop(unsafe { Box::from_raw(masker.cast::<Masker>()) });
}

/// # Safety
/// Node-API calls this with an environment and the arguments of a call to a function that `row_writer` made.
unsafe extern "C" fn call(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: the caller's promise.
    if let Err(error) = caught(|| unsafe { write(env, info) }) {
        // SAFETY: as above.
        unsafe { JsError::from(error).throw_into(env) };
    }
    // undefined
    ptr::null_mut()
}

/// # Safety
/// As for [`call`].
unsafe fn write(env: sys::napi_env, info: sys::napi_callback_info) -> Result<()> {
    let mut arguments = [ptr::null_mut(); 2];
    let mut count = arguments.len();
    let mut masker = ptr::null_mut();
    // SAFETY: `arguments` has room for `count` values; missing ones become undefined. The rest are live locals.
    let status =
        unsafe { sys::napi_get_cb_info(env, info, &mut count, arguments.as_mut_ptr(), ptr::null_mut(), &mut masker) };
    check_status!(status, "cannot read the arguments of {NAME}")?;
    // SAFETY: the function lives, so its masker does. The arguments are values of this call.
    unsafe {
        let masker = &*masker.cast::<Masker>();
        let [ids, labels] = arguments;
        write_labels(masker, &View::from_napi_value(env, ids)?, View::from_napi_value(env, labels)?)
    }
}
