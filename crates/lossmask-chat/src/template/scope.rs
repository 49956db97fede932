//! Variables by block.

use std::cell::RefCell;
use std::rc::Rc;

use super::ir::Symbol;
use super::value::Value;

/// Variables of one block, and where to look further.
#[derive(Default)]
pub(super) struct Scope {
    vars: RefCell<Vec<(Symbol, Value)>>,
    parent: Option<Rc<Scope>>,
}

impl Scope {
    pub fn child(parent: &Rc<Scope>) -> Rc<Scope> {
        Rc::new(Scope { vars: RefCell::default(), parent: Some(parent.clone()) })
    }

    pub fn get(&self, symbol: Symbol) -> Option<Value> {
        let found = self.vars.borrow().iter().find(|(name, _)| *name == symbol).map(|(_, value)| value.clone());
        found.or_else(|| self.parent.as_ref().and_then(|parent| parent.get(symbol)))
    }

    pub fn set(&self, symbol: Symbol, value: Value) {
        let mut vars = self.vars.borrow_mut();
        match vars.iter_mut().find(|(name, _)| *name == symbol) {
            Some(entry) => entry.1 = value,
            None => vars.push((symbol, value)),
        }
    }

    /// Forgets the variables: what they refer to may refer back here.
    pub fn clear(&self) {
        self.vars.take();
    }
}
