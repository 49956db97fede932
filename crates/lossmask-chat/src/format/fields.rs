//! The fields of a row, and the texts made of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::declaration::{FieldRule, Kind, Named, Printed, Words};
use super::words::Pattern;
use super::{python, yaml};
use crate::message::wrong_type;
use crate::row::{RowError, SpecError};

/// The values that texts are made of.
#[derive(Default)]
pub(super) struct Scope<'r> {
    values: Vec<(&'r str, Cow<'r, Value>)>,
}

impl<'r> Scope<'r> {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| &**value)
    }

    pub(super) fn set(&mut self, name: &'r str, value: Cow<'r, Value>) {
        self.values.push((name, value));
    }
}

/// Reads the fields of an object that stands at `path`.
pub(super) fn read<'r>(
    rules: &'r BTreeMap<String, FieldRule>,
    settings: &BTreeMap<String, String>,
    object: &'r Map<String, Value>,
    path: &str,
    scope: &mut Scope<'r>,
) -> Result<(), RowError> {
    for (name, rule) in rules {
        let value = field(rule, settings, object, path)?;
        scope.set(name, value);
    }
    Ok(())
}

fn field<'r>(
    rule: &'r FieldRule,
    settings: &BTreeMap<String, String>,
    object: &'r Map<String, Value>,
    path: &str,
) -> Result<Cow<'r, Value>, RowError> {
    if let Some(value) = &rule.value {
        return Ok(Cow::Borrowed(value));
    }
    let Some((key, value)) = rule.keys.iter().find_map(|key| Some((key, step(object, key)?))) else {
        return match (&rule.missing, rule.optional) {
            (Some(setting), _) => {
                Ok(Cow::Owned(settings.get(setting).map_or(Value::Null, |text| text.as_str().into())))
            }
            (None, true) => Ok(Cow::Owned(if rule.is == Kind::TextOrEmpty { "".into() } else { Value::Null })),
            (None, false) => Err(missing(&rule.keys, object, path)),
        };
    };
    let place = || Some(format!("{path}{key}"));
    match (rule.is, value) {
        (Kind::Any, _) | (Kind::Text | Kind::TextOrEmpty, Value::String(_)) | (Kind::List, Value::Array(_)) => {}
        (Kind::TextOrEmpty, value) if !python::truth(value) => return Ok(Cow::Owned("".into())),
        (Kind::List, other) => return Err(wrong_type("wrong-type", place(), &format!("`{key}`"), "a list", other)),
        (_, other) => return Err(wrong_type("wrong-type", place(), &format!("`{key}`"), "a string", other)),
    }
    match &rule.printed {
        Printed::Plain if rule.strip || rule.drop_suffix.is_some() => {
            Ok(Cow::Owned(stripped(&python::text(value), rule).into()))
        }
        Printed::Plain => Ok(Cow::Borrowed(value)),
        Printed::Yaml => Ok(Cow::Owned(yaml::dump(value).into())),
        Printed::Lines(words) => match value {
            Value::Array(items) => {
                let line = |item: &Value| words.replace("{item}", &python::text(item));
                Ok(Cow::Owned(items.iter().map(line).collect::<Vec<_>>().join("\n").into()))
            }
            other => Err(wrong_type("wrong-type", place(), &format!("`{key}`"), "a list", other)),
        },
    }
}

fn stripped<'t>(text: &'t str, rule: &FieldRule) -> &'t str {
    let text = rule.drop_suffix.as_deref().and_then(|suffix| text.strip_suffix(suffix)).unwrap_or(text);
    if rule.strip { text.trim_matches(python::is_space) } else { text }
}

/// A column, or what stands in it under a path such as `chosen.1.content`.
fn step<'r>(object: &'r Map<String, Value>, key: &str) -> Option<&'r Value> {
    if let Some(value) = object.get(key) {
        return Some(value);
    }
    let (column, rest) = key.split_once('.')?;
    rest.split('.').try_fold(object.get(column)?, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        Value::Object(entries) => entries.get(step),
        _ => None,
    })
}

fn missing(keys: &[String], object: &Map<String, Value>, path: &str) -> RowError {
    let key = keys.first().map_or("", String::as_str);
    let names: Vec<String> = keys.iter().map(|key| format!("`{path}{key}`")).collect();
    let has: Vec<&str> = object.keys().map(String::as_str).collect();
    let suggestion = if path.is_empty() { super::suggestion(object) } else { None };
    let has = if has.is_empty() { "there is nothing".to_owned() } else { format!("there is {}", has.join(", ")) };
    RowError {
        code: "missing-field",
        path: Some(format!("{path}{key}")),
        message: match &names[..] {
            [one] => format!("{one} is missing"),
            several => format!("it has none of {}", several.join(", ")),
        },
        hint: Some(suggestion.map_or(has.clone(), |suggestion| format!("{has}; {suggestion}"))),
    }
}

/// A text, ready to be written.
pub(super) struct Text {
    wordings: Vec<Wording>,
}

struct Wording {
    when: Vec<String>,
    pattern: Pattern,
    names: Option<Vec<String>>,
}

/// A text with the name under which later ones find it.
pub(super) struct Made {
    pub name: String,
    pub text: Text,
}

impl Made {
    pub(super) fn all(named: &[Named], settings: &BTreeMap<String, String>) -> Result<Vec<Made>, SpecError> {
        named.iter().map(|it| Made::new(&it.name, &it.text, settings)).collect()
    }

    pub(super) fn new(name: &str, words: &Words, settings: &BTreeMap<String, String>) -> Result<Made, SpecError> {
        Ok(Made { name: name.to_owned(), text: Text::new(words, settings)? })
    }
}

impl Text {
    pub(super) fn new(words: &Words, settings: &BTreeMap<String, String>) -> Result<Text, SpecError> {
        let parse = |text: &str, what: Option<&str>| {
            Pattern::parse(text).map_err(|message| SpecError {
                code: "dataset-type-invalid",
                message: match what {
                    Some(setting) => format!("`{setting}`: {message}"),
                    None => message,
                },
                hint: Some("a text names fields as {name}; a brace itself is written twice".to_owned()),
            })
        };
        let wordings = match words {
            Words::One(text) => vec![Wording { when: Vec::new(), pattern: parse(text, None)?, names: None }],
            Words::First(list) => list
                .iter()
                .map(|wording| {
                    let setting = wording.setting.as_deref();
                    let text = setting.and_then(|setting| settings.get(setting)).unwrap_or(&wording.text);
                    let pattern = parse(text, setting)?;
                    check_names(&pattern, setting, settings)?;
                    Ok(Wording { when: wording.when.clone(), pattern, names: wording.names.clone() })
                })
                .collect::<Result<_, SpecError>>()?,
        };
        Ok(Text { wordings })
    }

    pub(super) fn write(&self, out: &mut String, scope: &Scope<'_>) -> Result<(), RowError> {
        let holds = |name: &String| scope.get(name).is_some_and(python::truth);
        let Some(wording) = self.wordings.iter().find(|wording| wording.when.iter().all(holds)) else { return Ok(()) };
        let given = |name: &str| {
            let allowed = wording.names.as_ref().is_none_or(|names| names.iter().any(|it| it == name));
            scope.get(name).filter(|_| allowed)
        };
        if let Some(name) = wording.pattern.names().find(|name| given(name).is_some_and(Value::is_null)) {
            return Err(RowError {
                code: "wrong-type",
                path: Some(name.to_owned()),
                message: format!("`{name}` is null where a text is needed"),
                hint: Some("give the row a text, or drop it".to_owned()),
            });
        }
        wording.pattern.write(out, given).map_err(|message| RowError {
            code: "format-failed",
            path: None,
            message,
            hint: Some("correct the text in the mapping of `type`".to_owned()),
        })
    }

    pub(super) fn made(&self, scope: &Scope<'_>) -> Result<Value, RowError> {
        let mut out = String::new();
        self.write(&mut out, scope)?;
        Ok(Value::String(out))
    }
}

/// A name that no row can give.
fn check_names(pattern: &Pattern, setting: Option<&str>, settings: &BTreeMap<String, String>) -> Result<(), SpecError> {
    let Some(setting) = setting else { return Ok(()) };
    let known = |name: &str| settings.contains_key(&format!("field_{name}"));
    match pattern.names().find(|name| !known(name)) {
        None => Ok(()),
        Some(name) => Err(SpecError {
            code: "dataset-type-invalid",
            message: format!("`{setting}` names `{{{name}}}`, which is no field"),
            hint: Some("a text names fields as {name}; a brace itself is written twice".to_owned()),
        }),
    }
}
