//! What a format is, as `formats/*.json` have it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One file of `formats/`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Wordings that several formats share: what follows the colon of `alpaca:chat`.
    #[serde(default)]
    pub styles: BTreeMap<String, Style>,
    pub formats: BTreeMap<String, Declaration>,
    /// Other names of rows that are no declared format; read on the TypeScript side.
    #[serde(default)]
    #[allow(dead_code)]
    pub aliases: BTreeMap<String, String>,
    /// Types that are known and not read, and why.
    #[serde(default)]
    pub refused: BTreeMap<String, String>,
}

/// Texts by name.
pub(super) type Style = BTreeMap<String, Words>;

/// One format.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Declaration {
    /// One sentence for the documentation, and a row.
    #[allow(dead_code)]
    pub about: String,
    #[allow(dead_code)]
    pub row: Value,
    /// Other names of it.
    #[serde(default)]
    pub also: Vec<String>,
    /// The style it has where the type names none.
    #[serde(default)]
    pub style: Option<String>,
    /// Whether the type may name a style.
    #[serde(default)]
    pub styles: bool,
    /// Whether a style that is named has no effect, as in axolotl.
    #[serde(default)]
    pub styles_ignored: bool,
    /// The key of the dataset that names the style.
    #[serde(default)]
    pub style_option: Option<String>,
    /// Styles of its own; the one without a name is for every other name.
    #[serde(default)]
    pub own_styles: BTreeMap<String, Style>,
    /// What a mapping may set, with the defaults.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Keys of the dataset that name a column, and the field that is read from there.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// Which parts of a row are read.
    pub fields: BTreeMap<String, FieldRule>,
    /// Texts made of fields, each of those before it.
    #[serde(default, rename = "let")]
    pub made: Vec<Named>,
    /// The row, in order.
    pub pieces: Vec<Piece>,
    /// One text of all pieces, tokenized at once; where the trained part begins. Absent: each piece on its own.
    #[serde(default)]
    pub joined: Option<Border>,
    /// Whether the EOS token is written after a joined text that does not end in it, rather than appended to its tokens.
    #[serde(default)]
    pub eos_as_text: bool,
    /// Whether rows are tokens already.
    #[serde(default)]
    pub ready: bool,
    /// What a row becomes that is longer than `sequence_len`. Absent: one sequence, as any.
    #[serde(default)]
    pub long: Option<Long>,
}

/// Where in a joined text the answer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Border {
    /// After as many tokens as the prompt has alone (axolotl). A token across the border belongs to the prompt.
    PromptLength,
    /// Where the tokens of the prompt alone and those of the whole text part (TRL). A token across the border belongs to the answer.
    CommonPrefix,
}

/// What becomes of a long text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Long {
    /// Chunks of `sequence_len`.
    Chunks,
}

/// How a field is read from a row.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "FieldForm")]
pub(super) struct FieldRule {
    /// Columns, of which the first that the row has counts. Steps into a column's value follow a dot: `chosen.1.content`.
    pub keys: Vec<String>,
    pub optional: bool,
    /// The setting that a row without the column gets.
    pub missing: Option<String>,
    pub is: Kind,
    pub printed: Printed,
    pub value: Option<Value>,
    /// Whether white space around a text goes, after a suffix that it may end in.
    pub strip: bool,
    pub drop_suffix: Option<String>,
}

/// Which values a field may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// Any, printed as Python prints it.
    #[default]
    Any,
    /// A string.
    Text,
    /// A string; null, zero, false and the like are an empty one.
    TextOrEmpty,
    /// A list.
    List,
}

/// How a value is printed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Printed {
    #[default]
    Plain,
    /// As PyYAML's `dump` does.
    Yaml,
    /// A list, each item in these words on a line of its own.
    Lines(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum FieldForm {
    Key(String),
    Rule(FieldObject),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FieldObject {
    key: Option<String>,
    keys: Vec<String>,
    optional: bool,
    missing: Option<String>,
    is: Kind,
    #[serde(rename = "as")]
    printed: Option<String>,
    lines: Option<String>,
    value: Option<Value>,
    strip: bool,
    drop_suffix: Option<String>,
}

impl From<FieldForm> for FieldRule {
    fn from(form: FieldForm) -> Self {
        let form = match form {
            FieldForm::Key(key) => FieldObject { key: Some(key), ..FieldObject::default() },
            FieldForm::Rule(rule) => rule,
        };
        let printed = match (form.printed.as_deref(), form.lines) {
            (_, Some(words)) => Printed::Lines(words),
            (Some("yaml"), None) => Printed::Yaml,
            _ => Printed::Plain,
        };
        FieldRule {
            keys: form.key.into_iter().chain(form.keys).collect(),
            optional: form.optional,
            missing: form.missing,
            is: form.is,
            printed,
            value: form.value,
            strip: form.strip,
            drop_suffix: form.drop_suffix,
        }
    }
}

/// A text with a name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    pub name: String,
    pub text: Words,
}

/// A text: one wording, or the first of several whose conditions hold. None: the empty text.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Words {
    One(String),
    First(Vec<Wording>),
}

/// One wording.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wording {
    /// Fields that have to be there and true, as Python sees it.
    #[serde(default, rename = "if")]
    pub when: Vec<String>,
    #[serde(default)]
    pub text: String,
    /// The setting that holds the text.
    #[serde(default)]
    pub setting: Option<String>,
    /// The only fields it may name. Absent: any.
    #[serde(default)]
    pub names: Option<Vec<String>>,
}

/// A part of the row.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Piece {
    Each(Each),
    Text(TextPiece),
}

/// Pieces of every item of a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Each {
    /// The field that is the list.
    pub each: String,
    /// What is read of an item; its name, with what the value decides.
    pub fields: BTreeMap<String, FieldRule>,
    /// The field that says what an item is.
    pub by: String,
    /// Pieces by that.
    pub cases: BTreeMap<String, Vec<TextPiece>>,
}

/// A text of the row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextPiece {
    pub role: String,
    pub text: Words,
    /// What stands before the text and is not trained with it: as many tokens as it has alone.
    #[serde(default)]
    pub header: Option<String>,
    #[serde(default)]
    pub trained: bool,
    /// Whether it has the tokens that the tokenizer adds before a text.
    #[serde(default)]
    pub bos: bool,
    /// EOS tokens after it. One that the text ends in counts.
    #[serde(default)]
    pub eos: usize,
    #[serde(default)]
    pub empty: Empty,
}

/// What an empty text becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Empty {
    /// No token, not even BOS and EOS.
    #[default]
    Nothing,
    /// What the tokenizer makes of it.
    Tokenize,
}
