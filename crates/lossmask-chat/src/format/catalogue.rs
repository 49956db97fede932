//! The formats that lossmask knows, and which of them a dataset's `type` names.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::declaration::{Declaration, File, Style, Words};
use crate::row::SpecError;

const FILES: [&str; 5] = [
    include_str!("../../../../formats/conversations.json"),
    include_str!("../../../../formats/instruction.json"),
    include_str!("../../../../formats/pairs.json"),
    include_str!("../../../../formats/text.json"),
    include_str!("../../../../formats/tokens.json"),
];

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::load);

/// Every declaration by its name.
struct Catalogue {
    styles: BTreeMap<String, Style>,
    formats: BTreeMap<String, Declaration>,
    refused: BTreeMap<String, String>,
}

/// A declaration with the wording and the settings that a dataset chose.
pub(super) struct Chosen {
    pub declaration: Declaration,
    pub style: Style,
    /// What texts and fields are set to.
    pub settings: BTreeMap<String, String>,
}

impl Catalogue {
    fn load() -> Self {
        let mut all = Catalogue { styles: BTreeMap::new(), formats: BTreeMap::new(), refused: BTreeMap::new() };
        for file in FILES {
            let file: File = serde_json::from_str(file).expect("the files of formats/ are declarations");
            all.styles.extend(file.styles);
            all.formats.extend(file.formats);
            all.refused.extend(file.refused);
        }
        all
    }

    fn get(&self, name: &str) -> Option<(&str, &Declaration)> {
        let named = |(key, format): &(&String, &Declaration)| *key == name || format.also.iter().any(|it| it == name);
        self.formats.iter().find(named).map(|(key, format)| (key.as_str(), format))
    }
}

/// The format that `kind` names: a text such as `alpaca:chat`, or the mapping of a format of the user's own.
pub(super) fn choose(kind: &Value, options: &Map<String, Value>) -> Result<Chosen, SpecError> {
    let catalogue = &*CATALOGUE;
    match kind {
        Value::String(name) => {
            let (base, style) = name.split_once(':').map_or((name.as_str(), None), |(base, style)| (base, Some(style)));
            let found = catalogue.get(base).filter(|(_, format)| style.is_none() || format.styles);
            let (name, format) = found.ok_or_else(|| unknown(name))?;
            chosen(catalogue, name, format.clone(), style.filter(|style| !style.is_empty()), options)
        }
        Value::Object(mapping) => user_defined(catalogue, mapping),
        other => Err(unknown(&other.to_string())),
    }
}

fn chosen(
    catalogue: &Catalogue,
    name: &str,
    format: Declaration,
    style: Option<&str>,
    options: &Map<String, Value>,
) -> Result<Chosen, SpecError> {
    let option = |key: &String| options.get(key).and_then(Value::as_str);
    let style = style.or(format.style_option.as_ref().and_then(option)).or(format.style.as_deref());
    let style = match style.filter(|_| !format.styles_ignored) {
        None => Style::new(),
        Some(style) if !format.own_styles.is_empty() => {
            format.own_styles.get(style).or(format.own_styles.get("")).cloned().unwrap_or_default()
        }
        Some(style) => catalogue.styles.get(style).cloned().ok_or_else(|| {
            let known: Vec<&str> = catalogue.styles.keys().map(String::as_str).collect();
            SpecError {
                code: "dataset-type-unknown",
                message: format!("`{name}` has no style called {style:?}"),
                hint: Some(format!("it is one of {}", known.join(", "))),
            }
        })?,
    };
    let mut format = format;
    for (key, field) in &format.options {
        if let (Some(column), Some(rule)) = (option(key), format.fields.get_mut(field)) {
            rule.keys = vec![column.to_owned()];
        }
    }
    Ok(Chosen { declaration: format, style, settings: BTreeMap::new() })
}

/// The mapping's texts and columns in the places of the declaration's.
fn user_defined(catalogue: &Catalogue, mapping: &Map<String, Value>) -> Result<Chosen, SpecError> {
    let (_, format) = catalogue.get("user_defined").expect("the format of mappings");
    let mut format = format.clone();
    let mut settings = format.settings.clone();
    for (key, value) in mapping {
        let wrong = |message: String| SpecError {
            code: "dataset-type-invalid",
            message,
            hint: Some(format!(
                "it takes {}",
                format.settings.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
            )),
        };
        if !settings.contains_key(key) {
            return Err(wrong(format!("the mapping of `type` has no key `{key}`")));
        }
        match value {
            Value::Null => {}
            Value::String(text) => drop(settings.insert(key.clone(), text.clone())),
            other => return Err(wrong(format!("`{key}` is {other}, not a text"))),
        }
    }
    for (field, rule) in &mut format.fields {
        if let Some(column) = settings.get(&format!("field_{field}")) {
            rule.keys = vec![column.clone()];
        }
    }
    Ok(Chosen { declaration: format, style: Style::new(), settings })
}

/// The formats that a row's columns fit, those that need most columns; never a format of the user's own.
pub(super) fn fitting(row: &Map<String, Value>) -> Vec<&'static str> {
    let needed = |format: &Declaration| -> Option<usize> {
        let needs = format.fields.values().filter(|rule| rule.value.is_none() && !rule.optional);
        let has = |keys: &[String]| keys.iter().any(|key| row.contains_key(key.split('.').next().unwrap_or_default()));
        needs.map(|rule| has(&rule.keys).then_some(1)).sum()
    };
    let formats = CATALOGUE.formats.iter().filter(|(_, format)| format.settings.is_empty());
    let fits: Vec<(usize, &str)> =
        formats.filter_map(|(name, format)| Some((needed(format)?, name.as_str()))).collect();
    let most = fits.iter().map(|(count, _)| *count).max().unwrap_or(0);
    fits.into_iter().filter(|(count, _)| *count == most).map(|(_, name)| name).collect()
}

fn unknown(name: &str) -> SpecError {
    if let Some(why) = CATALOGUE.refused.get(name) {
        return SpecError {
            code: "dataset-type-unknown",
            message: format!("lossmask does not read datasets of the type {name:?}"),
            hint: Some(why.clone()),
        };
    }
    let dotted = name.replace(':', ".");
    let near = CATALOGUE.get(&dotted).map(|(name, _)| name);
    let hint = match near {
        Some(near) => format!("did you mean `{near}`? docs/formats.md lists the types"),
        None => "docs/formats.md lists the types".to_owned(),
    };
    SpecError {
        code: "dataset-type-unknown",
        message: format!("{name:?} is no type of dataset that lossmask knows"),
        hint: Some(hint),
    }
}

/// The style's texts, in the order in which they are needed.
pub(super) fn in_order(style: &Style) -> impl Iterator<Item = (&str, &Words)> {
    ["line", "turn", "label"].into_iter().filter_map(|name| Some((name, style.get(name)?)))
}
