//! Rendering until `template` lands: minijinja with transformers' environment, without generation blocks or origins.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::row::{RowError, SpecError};
use crate::spec::TemplateSpec;

pub(crate) struct Template {
    environment: minijinja::Environment<'static>,
    variables: BTreeMap<String, Value>,
}

impl Template {
    pub(crate) fn new(spec: &TemplateSpec) -> Result<Self, SpecError> {
        let mut environment = minijinja::Environment::new();
        let mut syntax = minijinja::syntax::SyntaxConfig::builder();
        syntax.trim_blocks(true).lstrip_blocks(true);
        environment.set_syntax(syntax.build().unwrap_or_default());
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> Result<(), minijinja::Error> {
            Err(minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message))
        });
        environment.add_template_owned("chat", spec.source.clone()).map_err(|error| SpecError {
            code: "template-invalid",
            message: format!("{}: {error}", spec.name),
            hint: None,
        })?;
        Ok(Template { environment, variables: spec.variables.clone() })
    }

    pub(crate) fn render(&self, messages: &[Value], tools: Option<&Value>) -> Result<String, RowError> {
        let mut context: BTreeMap<&str, &Value> =
            self.variables.iter().map(|(key, value)| (key.as_str(), value)).collect();
        let messages = Value::Array(messages.to_vec());
        let no = Value::Bool(false);
        let none = Value::Null;
        context.insert("messages", &messages);
        context.insert("tools", tools.unwrap_or(&none));
        context.entry("add_generation_prompt").or_insert(&no);
        let context: minijinja::Value =
            serde_json::to_value(context).and_then(serde_json::from_value).unwrap_or_default();
        self.environment.get_template("chat").and_then(|template| template.render(context)).map_err(|error| RowError {
            code: "template-error",
            path: None,
            message: error.to_string(),
            hint: None,
        })
    }
}
