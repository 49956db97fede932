//! Looking into values: attributes, items, slices, iteration.

use std::sync::Arc;

use super::fault::{Eval, Fault, fault};
use super::interp::LoopState;
use super::methods;
use super::text::Text;
use super::value::{Missing, Value};

/// `object.name`: the attribute, else the item of that name, as jinja2 looks for them.
pub(super) fn get_attribute(object: &Value, name: &Arc<str>) -> Eval<Value> {
    if let Some(value) = own_attribute(object, name)? {
        return Ok(value);
    }
    let item = match object {
        Value::Dict(dict) => dict.get_str(name).cloned(),
        _ => None,
    };
    Ok(item.unwrap_or_else(|| Value::Undefined(Missing::Attribute(object.object_name(), name.clone()))))
}

/// `object[key]`: the item, else the attribute of that name.
pub(super) fn get_item(object: &Value, key: &Value) -> Eval<Value> {
    let found = match (object, key) {
        (Value::Undefined(missing), _) => return Err(Fault::undefined(missing)),
        (Value::Dict(dict), key) => dict.get(key).cloned(),
        (Value::List(list) | Value::Tuple(list), key) => {
            key.as_int().and_then(|at| position(at, list.items.len())).and_then(|at| list.items.get(at).cloned())
        }
        (Value::Str(text), key) => key.as_int().and_then(|at| character(text, at)),
        _ => None,
    };
    if let Some(found) = found {
        return Ok(found);
    }
    match key {
        Value::Str(name) => {
            let name: Arc<str> = Arc::from(name.as_str());
            Ok(own_attribute(object, &name)?
                .unwrap_or(Value::Undefined(Missing::Attribute(object.object_name(), name))))
        }
        key => {
            let mut buf = super::text::TextBuf::default();
            super::print::write_repr(key, &mut buf, 0)?;
            Ok(Value::Undefined(Missing::Element(object.object_name(), buf.text)))
        }
    }
}

/// The attribute, whatever items there are.
pub(super) fn own_attribute(object: &Value, name: &Arc<str>) -> Eval<Option<Value>> {
    Ok(match object {
        Value::Undefined(missing) => return Err(Fault::undefined(missing)),
        Value::Namespace(namespace) => namespace.borrow().get_str(name).cloned(),
        Value::Loop(state) => loop_attribute(state, name),
        Value::Macro(callee) if &**name == "name" => Some(Value::str(&callee.decl.name)),
        _ => None,
    }
    .or_else(|| methods::exists(object, name).then(|| Value::Method(std::rc::Rc::new((object.clone(), name.clone()))))))
}

fn loop_attribute(state: &LoopState, name: &str) -> Option<Value> {
    let (index, count) = (state.index.get(), state.items.len());
    let neighbour = |at: Option<usize>, hint| {
        at.and_then(|at| state.items.get(at)).cloned().unwrap_or(Value::Undefined(Missing::Hint(hint)))
    };
    Some(match name {
        "index" => Value::int(index + 1),
        "index0" => Value::int(index),
        "revindex" => Value::int(count - index),
        "revindex0" => Value::int(count - index - 1),
        "first" => Value::bool(index == 0),
        "last" => Value::bool(index + 1 == count),
        "length" => Value::int(count),
        "depth" => Value::int(state.depth0 + 1),
        "depth0" => Value::int(state.depth0),
        "previtem" => neighbour(index.checked_sub(1), "there is no previous item"),
        "nextitem" => neighbour(index.checked_add(1), "there is no next item"),
        _ => return None,
    })
}

/// A Python index, counted from the end where it is negative.
fn position(at: i128, len: usize) -> Option<usize> {
    let at = if at < 0 { at + len as i128 } else { at };
    usize::try_from(at).ok().filter(|&at| at < len)
}

fn character(text: &Text, at: i128) -> Option<Value> {
    let chars = text.as_str();
    let (start, c) = match at {
        0.. => chars.char_indices().nth(usize::try_from(at).ok()?)?,
        _ => chars.char_indices().rev().nth(usize::try_from(-(at + 1)).ok()?)?,
    };
    Some(Value::Str(text.slice(start..start + c.len_utf8())))
}

/// The items of an iterable.
pub(super) fn iterate(value: &Value) -> Eval<Vec<Value>> {
    Ok(match value {
        Value::Undefined(_) => Vec::new(),
        Value::List(list) | Value::Tuple(list) => list.items.clone(),
        Value::Dict(dict) => dict.entries.iter().map(|(key, _)| key.clone()).collect(),
        Value::Str(text) => {
            let at = |(start, c): (usize, char)| Value::Str(text.slice(start..start + c.len_utf8()));
            text.as_str().char_indices().map(at).collect()
        }
        Value::Iter(items) => items.take().into(),
        Value::Loop(state) => state.items[state.index.get()..].to_vec(),
        other => return fault!("'{}' object is not iterable", other.type_name()),
    })
}

/// `len(value)`.
pub(super) fn length(value: &Value) -> Eval<usize> {
    Ok(match value {
        Value::Undefined(_) => 0,
        Value::Str(text) => text.as_str().chars().count(),
        Value::List(list) | Value::Tuple(list) => list.items.len(),
        Value::Dict(dict) => dict.entries.len(),
        Value::Loop(state) => state.items.len(),
        other => return fault!("object of type '{}' has no len()", other.type_name()),
    })
}

/// `object[start:stop:step]`.
pub(super) fn slice(object: &Value, bounds: &[Value; 3]) -> Eval<Value> {
    if let Value::Undefined(missing) = object {
        return Err(Fault::undefined(missing));
    }
    let mut numbers = [None; 3];
    for (number, bound) in numbers.iter_mut().zip(bounds) {
        *number = match bound {
            Value::None => None,
            bound => match bound.as_int() {
                Some(number) => Some(number),
                None => return fault!("slice indices must be integers or None or have an __index__ method"),
            },
        };
    }
    match object {
        Value::List(list) => Ok(Value::list(pick(&list.items, numbers)?)),
        Value::Tuple(list) => Ok(Value::tuple(pick(&list.items, numbers)?)),
        Value::Str(text) => slice_text(text, numbers).map(Value::Str),
        Value::Dict(_) => fault!("unhashable type: 'slice'"),
        other => fault!("'{}' object is not subscriptable", other.type_name()),
    }
}

fn pick(items: &[Value], bounds: [Option<i128>; 3]) -> Eval<Vec<Value>> {
    Ok(indices(items.len(), bounds)?.into_iter().filter_map(|at| items.get(at).cloned()).collect())
}

fn slice_text(text: &Text, bounds: [Option<i128>; 3]) -> Eval<Text> {
    let chars: Vec<usize> = text.as_str().char_indices().map(|(at, _)| at).chain([text.as_str().len()]).collect();
    let indices = indices(chars.len() - 1, bounds)?;
    match (indices.first(), indices.last(), bounds[2].unwrap_or(1)) {
        (Some(&first), Some(&last), 1) => Ok(text.slice(chars[first]..chars[last + 1])),
        _ => {
            let mut buf = super::text::TextBuf::default();
            indices.iter().for_each(|&at| buf.push_slice(text, chars[at]..chars[at + 1], 0));
            Ok(buf.finish())
        }
    }
}

/// Python's `range(*slice(start, stop, step).indices(len))`.
fn indices(len: usize, [start, stop, step]: [Option<i128>; 3]) -> Eval<Vec<usize>> {
    let (len, step) = (len as i128, step.unwrap_or(1));
    if step == 0 {
        return fault!("slice step cannot be zero");
    }
    let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let clamp = |bound: i128| if bound < 0 { (bound + len).max(low) } else { bound.min(high) };
    let start = start.map_or(if step > 0 { low } else { high }, clamp);
    let stop = stop.map_or(if step > 0 { high } else { low }, clamp);
    let count = if step > 0 { (stop - start + step - 1) / step } else { (start - stop - step - 1) / -step };
    Ok((0..count.max(0)).map(|at| (start + at * step) as usize).collect())
}
