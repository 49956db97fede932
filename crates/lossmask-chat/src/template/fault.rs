//! What stops a rendering, before it is told to people.

use super::ir::Place;
use super::value::Missing;

/// Why an expression has no value.
#[derive(Debug)]
pub(super) struct Fault {
    pub message: String,
    /// The template called `raise_exception`.
    pub raised: bool,
    /// The template does more than one row may cost.
    pub costly: bool,
    /// The innermost expression or statement it happened in.
    pub place: Option<Place>,
}

pub(super) type Eval<T> = Result<T, Box<Fault>>;

impl Fault {
    pub fn new(message: impl Into<String>) -> Box<Fault> {
        Box::new(Fault { message: message.into(), raised: false, costly: false, place: None })
    }

    pub fn costly(message: &str) -> Box<Fault> {
        let mut fault = Fault::new(message);
        fault.costly = true;
        fault
    }

    pub fn undefined(missing: &Missing) -> Box<Fault> {
        Fault::new(missing.message())
    }
}

/// A fault of the language: `fault!("...")`.
macro_rules! fault {
    ($($arg:tt)*) => { Err($crate::template::fault::Fault::new(format!($($arg)*))) };
}
pub(super) use fault;

/// Notes where a fault happened, unless an inner place is known.
pub(super) trait At<T> {
    fn at(self, place: Place) -> Eval<T>;
}

impl<T> At<T> for Eval<T> {
    fn at(self, place: Place) -> Eval<T> {
        self.map_err(|mut fault| {
            fault.place.get_or_insert(place);
            fault
        })
    }
}
