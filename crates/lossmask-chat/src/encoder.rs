//! From a row of data to a row ready for training.

use std::sync::Arc;

use lossmask::{Masker, RowContext};
use serde_json::Value;

use crate::interim::Template;
use crate::message::MessageReader;
use crate::route::segments::Segments;
use crate::row::{EncodedRow, RowError, SpecError, Status};
use crate::spec::{EncoderSpec, RowType};
use crate::tokenizer::Tokenizer;

/// Encodes the rows of one dataset. Compiled once and immutable: share it between threads as it is.
pub struct Encoder {
    spec: EncoderSpec,
    tokenizer: Arc<Tokenizer>,
    reader: MessageReader,
    template: Option<Template>,
    masker: Masker,
}

impl Encoder {
    /// Compiles the template and the boundaries.
    ///
    /// # Errors
    /// When the template does not parse, a chat dataset has none, or the boundaries cannot be compiled.
    pub fn new(spec: EncoderSpec, tokenizer: Arc<Tokenizer>) -> Result<Self, SpecError> {
        let template = spec.template.as_ref().map(Template::new).transpose()?;
        if template.is_none() && spec.row_type == RowType::ChatTemplate {
            return Err(SpecError {
                code: "no-chat-template",
                message: "the rows are conversations, and there is no chat template to render them".to_owned(),
                hint: Some(
                    "set chat_template or chat_template_jinja, or use a model folder that holds a template".to_owned(),
                ),
            });
        }
        let masker = Masker::new(&spec.masker).map_err(|error| SpecError {
            code: error.code(),
            message: error.to_string(),
            hint: Some(error.hint().to_owned()),
        })?;
        let boundary_roles = spec.masker.boundaries.iter().map(|boundary| boundary.role.clone());
        let reader = MessageReader::new(spec.fields.clone(), boundary_roles);
        Ok(Encoder { spec, tokenizer, reader, template, masker })
    }

    /// The row's ids, and of every token whether it is trained and why.
    ///
    /// # Errors
    /// When the row is not what the config says, or the template refuses it. Nothing else is affected.
    pub fn encode(&self, row: &Value) -> Result<EncodedRow, RowError> {
        match &self.template {
            Some(template) if self.spec.row_type == RowType::ChatTemplate => self.conversation(template, row),
            _ => self.segments(row),
        }
    }

    fn segments(&self, row: &Value) -> Result<EncodedRow, RowError> {
        let segments = Segments {
            tokenizer: &self.tokenizer,
            train_on_inputs: self.spec.masker.train_on_inputs,
            ignored: &self.spec.masker.ignore_token_ids,
        };
        let (ids, record) = segments.encode(row)?;
        Ok(EncodedRow { ids, record, status: Status::Single, diagnostics: Vec::new(), media: Vec::new() })
    }

    fn conversation(&self, template: &Template, row: &Value) -> Result<EncodedRow, RowError> {
        let conversation = self.reader.read(row)?;
        let text = template.render(&conversation.messages, conversation.tools.as_ref())?;
        let ids = self.tokenizer.encode_ids(&text);
        let record = self.masker.record(&ids, &RowContext::default());
        Ok(EncodedRow { ids, record, status: Status::Single, diagnostics: Vec::new(), media: Vec::new() })
    }
}
