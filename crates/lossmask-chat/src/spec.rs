//! What an [`Encoder`](crate::Encoder) is built from: plain data, written by the TypeScript layer as camelCase JSON.
//! Every name and id is resolved there; nothing here is guessed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lossmask::MaskerOptions;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A tokenizer file and what is added to it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenizerSpec {
    /// `tokenizer.json` or `tekken.json`.
    pub path: PathBuf,
    /// Tokens that the file does not hold, in the order in which they get the next free ids, and tokens of the file with
    /// flags of their own.
    #[serde(default)]
    pub added_tokens: Vec<TokenSpec>,
}

/// A token beside the model's vocabulary, with the flags of the tokenizers library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenSpec {
    /// Its text.
    pub content: String,
    /// Whether it is a control token, which nobody may type.
    pub special: bool,
    /// Whether it takes the white space in front of it.
    #[serde(default)]
    pub lstrip: bool,
    /// Whether it takes the white space behind it.
    #[serde(default)]
    pub rstrip: bool,
    /// Whether it is found as a word of its own only.
    #[serde(default)]
    pub single_word: bool,
    /// Whether it is looked for in the normalized text. Default: unless it is special.
    #[serde(default)]
    pub normalized: Option<bool>,
}

impl TokenSpec {
    /// A control token without further flags.
    pub fn special(content: &str) -> TokenSpec {
        TokenSpec {
            content: content.to_owned(),
            special: true,
            lstrip: false,
            rstrip: false,
            single_word: false,
            normalized: None,
        }
    }
}

/// A chat template.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateSpec {
    /// Where it comes from, for messages: a path, or `templates/chatml.jinja`.
    pub name: String,
    /// The Jinja source.
    pub source: String,
    /// Template variables: `bos_token`, `eos_token`, ..., and `chat_template_kwargs`.
    #[serde(default)]
    pub variables: BTreeMap<String, Value>,
    /// What `strftime_now` tells, as `2026-01-15T12:00:00`; unset: the local time. Fixed, the same data give the same rows every day.
    #[serde(default)]
    pub now: Option<String>,
}

/// Which way labels are derived; `DESIGN.md` section 3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// The strongest route the input allows, checked against a second one.
    #[default]
    Auto,
    /// Turns by token ids, of which the messages' own roles and flags decide what is trained.
    Boundaries,
    /// Token ids and nothing else: what a tool makes of a row that knows no messages. For looking at, not in configs.
    Ids,
    /// `{% generation %}` blocks.
    Generation,
    /// Origin of every character.
    Content,
}

/// What becomes of the family's own markers inside message content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Injection {
    /// They are tokenized as plain text.
    #[default]
    Escape,
    /// The row is refused.
    Error,
    /// They become control tokens, as in axolotl.
    Allow,
}

/// What becomes of a token across the border of a trained stretch. Unset: the rule of the route's original.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Straddle {
    /// It is not trained.
    Exclude,
    /// It is trained.
    Include,
}

/// Whether reasoning of a trained turn is trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reasoning {
    /// It is.
    #[default]
    Train,
    /// It is not.
    Mask,
}

/// What becomes of arguments that are a text of JSON, where the template prints values and texts alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arguments {
    /// They are read, and the template prints them anew, as in axolotl.
    #[default]
    Parse,
    /// They are printed as they are.
    Keep,
}

/// What becomes of keys that hold null in tools and in arguments of tool calls. In a message itself null is always absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nulls {
    /// They are dropped, as in axolotl: `datasets` gives every row the keys of all of them.
    #[default]
    Drop,
    /// They are kept.
    Keep,
}

/// How many rows a conversation becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// One.
    #[default]
    Conversation,
    /// As few as show each trained answer in the context it has at inference.
    Split,
    /// One, up to the last trained answer, which alone is trained.
    Last,
}

/// What of the template's text in front of an answer is not trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaffold {
    /// All that no message says, but for the tags around reasoning and tool calls.
    #[default]
    Template,
    /// What the rendered generation prompt holds; the model has to write the rest itself.
    GenerationPrompt,
}

/// What a row holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowType {
    /// Messages, rendered by a chat template.
    #[default]
    ChatTemplate,
    /// axolotl's template-free segments.
    InputOutput,
    /// A declared format.
    Format,
}

/// Which declared format a dataset's rows have, and what a row needs beside it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FormatSpec {
    /// The dataset's `type`: a name, with its style after a colon, or a mapping of the user's own.
    #[serde(rename = "type")]
    pub kind: Value,
    /// Keys of the dataset that a format may read: `field`, `conversation`.
    #[serde(default)]
    pub options: serde_json::Map<String, Value>,
    /// The id of the BOS token.
    #[serde(default)]
    pub bos_token_id: Option<i32>,
    /// The id of the EOS token.
    #[serde(default)]
    pub eos_token_id: Option<i32>,
    /// Longest row in tokens, for formats that divide a text into rows.
    #[serde(default)]
    pub sequence_len: Option<usize>,
}

/// Where things stand in a row; axolotl's names and defaults.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FieldSpec {
    /// The list of messages. Default `messages`; a row without it that has `conversations` is read as ShareGPT.
    pub messages: String,
    /// Message property -> the key it stands under in the data. (`message_property_mappings`)
    pub message_properties: BTreeMap<String, String>,
    /// Role name in the data -> role given to the template. (`roles`, inverted; ShareGPT's `human`, `gpt` by default)
    pub roles: BTreeMap<String, String>,
    /// The list of tools. Default `tools`.
    pub tools: String,
    /// Per-message training flag. (`message_field_training`)
    pub training: Option<String>,
    /// Per-message training spans. (`message_field_training_detail`)
    pub training_detail: Option<String>,
    /// Drop a leading system message. (`drop_system_message`)
    pub drop_system_message: bool,
    /// Split `<think>` out of assistant content into `reasoning_content`. (`split_thinking`)
    pub split_thinking: bool,
    /// Keys of null in tools and arguments. (`lossmask.nulls`)
    pub nulls: Nulls,
    /// Arguments that are a text. (`lossmask.arguments`)
    pub arguments: Arguments,
}

/// How the media of a row are found and expanded.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MediaSpec {
    /// The family, by its processor: a name of [`lossmask_media::Family`]. Absent: told by the processor class in the
    /// model's files; where they do not tell, rows with media are refused.
    #[serde(default)]
    pub family: Option<String>,
    /// The processor's parameters, flat or in the sections of `processor_config.json`.
    #[serde(default)]
    pub params: Option<Value>,
    /// The model folder that holds them; not together with `params`.
    #[serde(default)]
    pub model: Option<PathBuf>,
    /// The folder that paths in the data are relative to and may not leave.
    #[serde(default)]
    pub root: Option<PathBuf>,
    /// Whether images are set upright before they are measured.
    #[serde(default)]
    pub exif_orientation: lossmask_media::ExifOrientation,
    /// Which `http(s)` addresses of media may be fetched: `false`, `true` for public ones, or a list of hosts.
    #[serde(default)]
    pub allow_remote: lossmask_media::Remote,
    /// The rate that the processor resamples sound to. Default 16,000.
    #[serde(default)]
    pub sampling_rate: Option<u32>,
}

/// Everything one dataset's rows are encoded with.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EncoderSpec {
    /// What a row holds.
    #[serde(default)]
    pub row_type: RowType,
    /// The declared format; needed for [`RowType::Format`].
    #[serde(default)]
    pub format: Option<FormatSpec>,
    /// The chat template; needed for [`RowType::ChatTemplate`].
    #[serde(default)]
    pub template: Option<TemplateSpec>,
    /// The template for rows with tools, where that is another one.
    #[serde(default)]
    pub tool_template: Option<TemplateSpec>,
    /// The compiled boundaries and knobs, ids resolved. Media ids are in `ignore_token_ids` too.
    pub masker: MaskerOptions,
    /// Ids of the family's media placeholders and delimiters.
    #[serde(default)]
    pub media_token_ids: Vec<i32>,
    /// Ids of special tokens that are named like media and that nobody declared as such: the row says where one is trained.
    #[serde(default)]
    pub suspect_media_ids: Vec<i32>,
    /// Whether the boundaries can be trusted on ids alone: `false` for plain-text markers and families without any.
    #[serde(default)]
    pub scannable: bool,
    /// How labels are derived.
    #[serde(default)]
    pub route: Route,
    /// Typed markers.
    #[serde(default)]
    pub injection: Injection,
    /// Tokens across a border.
    #[serde(default)]
    pub straddle: Option<Straddle>,
    /// Reasoning of trained turns.
    #[serde(default)]
    pub reasoning: Reasoning,
    /// How many rows a conversation becomes.
    #[serde(default)]
    pub rows: Rows,
    /// Template text in front of answers.
    #[serde(default)]
    pub scaffold: Scaffold,
    /// Weight in the loss per role; a role not listed weighs 1.
    #[serde(default)]
    pub weights: BTreeMap<String, f32>,
    /// Where things stand in a row.
    #[serde(default)]
    pub fields: FieldSpec,
    /// Ids of `eot_tokens`, trained as `train_on_eot` says. Empty: the eos token plays that part, as in axolotl.
    #[serde(default)]
    pub eot_token_ids: Vec<i32>,
    /// The id of the eos token, which ends a turn where no boundary says what does.
    #[serde(default)]
    pub eos_token_id: Option<i32>,
    /// axolotl's `train_on_eot`; unset: as `train_on_eos`.
    #[serde(default)]
    pub train_on_eot: Option<lossmask::TrainOnEos>,
    /// How placeholders of media are expanded. Absent: they are left as the template writes them, one
    /// token each, and the row says so.
    #[serde(default)]
    pub media: Option<MediaSpec>,
    /// Pad id, for media-free padding of batches; not used while encoding.
    #[serde(default)]
    pub pad_token_id: Option<i32>,
}

impl Default for FieldSpec {
    fn default() -> Self {
        FieldSpec {
            messages: "messages".to_owned(),
            message_properties: BTreeMap::new(),
            roles: BTreeMap::new(),
            tools: "tools".to_owned(),
            training: None,
            training_detail: None,
            drop_system_message: false,
            split_thinking: false,
            nulls: Nulls::Drop,
            arguments: Arguments::Parse,
        }
    }
}
