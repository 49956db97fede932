//! One conversation, the rows it is worth.
//!
//! Where a template rewrites history (reasoning is stripped from answers before the last question, tool results are merged), one row
//! shows earlier answers in a context that inference never has. `rows: split` gives each answer a row in which the text up to its end
//! is exactly that of the conversation which ends with it; answers that allow it share a row, so history that is not rewritten stays
//! one row.

use lossmask::Turns;

use crate::message::Conversation;
use crate::route::policy::Policy;
use crate::row::RowError;
use crate::spec::Rows;
use crate::template::{RenderInput, Rendered, Template, TemplateError};

/// A row to be made of a conversation: its first messages, of which some answers are trained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Messages of the row, from the first on.
    pub(crate) messages: usize,
    /// The answers that are trained in this row, in order; `None`: whatever the config says.
    pub(crate) answers: Option<Vec<usize>>,
    /// Whether messages that are trained and no answers (a user's, say) are trained in this row too: so they are in one row only.
    pub(crate) others: bool,
}

/// What is needed to split the conversations of a dataset.
pub(crate) struct Splitter<'a> {
    pub(crate) rows: Rows,
    pub(crate) turns: Turns,
    pub(crate) template: &'a Template,
    pub(crate) policy: &'a Policy,
    /// What a template's refusal of a part is for the row.
    pub(crate) refused: fn(&TemplateError) -> RowError,
}

/// The text of a conversation that ends with an answer, and where the answer's own words end in it.
struct Rendering {
    text: String,
    answer_end: usize,
}

impl Splitter<'_> {
    /// The rows of a conversation, in the order of their last answers. Never empty.
    ///
    /// # Errors
    /// When the template refuses a part.
    pub(crate) fn parts(&self, conversation: &Conversation) -> Result<Vec<Part>, RowError> {
        let all = conversation.messages.len();
        let whole = vec![Part { messages: all, answers: None, others: true }];
        let answers = self.answers(conversation);
        match (self.rows, answers.last()) {
            (Rows::Conversation, _) | (_, None) => Ok(whole),
            (Rows::Last, Some(&last)) => {
                Ok(vec![Part { messages: last + 1, answers: Some(vec![last]), others: false }])
            }
            (Rows::Split, _) => {
                let mut parts = self.split(conversation, &answers)?;
                if self.turns == Turns::Last {
                    parts.iter_mut().filter_map(|part| part.answers.as_mut()).for_each(|answers| {
                        answers.drain(..answers.len() - 1);
                    });
                }
                Ok(if parts.len() == 1 { whole } else { parts })
            }
        }
    }

    /// The assistant's messages that are trained.
    fn answers(&self, conversation: &Conversation) -> Vec<usize> {
        let trained = |index: &usize| {
            let verdict = self.policy.message(conversation, *index as u32, true);
            conversation.sources[*index].role == "assistant" && verdict.is_some_and(|verdict| verdict.trained)
        };
        (0..conversation.messages.len()).filter(trained).collect()
    }

    /// From the last row backwards: each takes the answers that stand in it as they would stand at the end of their own row.
    fn split(&self, conversation: &Conversation, answers: &[usize]) -> Result<Vec<Part>, RowError> {
        let own = answers.iter().map(|&answer| self.render(conversation, answer + 1, Some(answer)));
        let own: Vec<Rendering> = own.collect::<Result<_, _>>()?;
        let all = conversation.messages.len();
        let whole = self.render(conversation, all, None)?;
        let mut open: Vec<usize> = (0..answers.len()).collect();
        let mut parts = Vec::new();
        let mut take = |text: &str, messages: usize, open: &mut Vec<usize>| {
            let stands = |at: &usize| text.starts_with(&own[*at].text[..own[*at].answer_end]);
            let taken: Vec<usize> = open.iter().copied().filter(stands).collect();
            open.retain(|at| !taken.contains(at));
            let answers: Vec<usize> = taken.iter().map(|&at| answers[at]).collect();
            if !answers.is_empty() {
                parts.push(Part { messages, answers: Some(answers), others: messages == all });
            }
        };
        take(&whole.text, all, &mut open);
        while let Some(&last) = open.last() {
            take(&own[last].text, answers[last] + 1, &mut open);
        }
        parts.reverse();
        // What is trained besides answers is trained in the last row.
        if let Some(last) = parts.last_mut() {
            last.others = true;
        }
        Ok(parts)
    }

    /// The first `messages` of a conversation; `answer`: the message whose end is looked for.
    fn render(
        &self,
        conversation: &Conversation,
        messages: usize,
        answer: Option<usize>,
    ) -> Result<Rendering, RowError> {
        let input = RenderInput {
            messages: &conversation.messages[..messages],
            tools: conversation.tools.as_ref(),
            ..RenderInput::default()
        };
        let rendered = self.template.render_with_origins(&input);
        let (Rendered { text, .. }, origins) = rendered.map_err(|error| (self.refused)(&error))?;
        let answer_end = answer.and_then(|answer| origins.end_of_message(answer)).unwrap_or(text.len());
        Ok(Rendering { text, answer_end })
    }
}

impl Part {
    /// The conversation of this row: messages after it are gone, and only its answers are trained.
    pub(crate) fn of(&self, conversation: &Conversation) -> Conversation {
        let mut part = conversation.clone();
        part.messages.truncate(self.messages);
        part.sources.truncate(self.messages);
        let Some(answers) = &self.answers else { return part };
        for (index, source) in part.sources.iter_mut().enumerate() {
            let trained = if source.role == "assistant" { answers.contains(&index) } else { self.others };
            if !trained {
                source.flags.train = Some(false);
            }
        }
        part
    }
}

/// What `encode` says where one row was asked for and there are several.
pub(crate) fn several(rows: usize) -> RowError {
    RowError {
        code: "several-rows",
        path: None,
        message: format!("the conversation becomes {rows} rows under `rows: split`"),
        hint: Some("use preprocess or mask, which write them all".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::message::{ContentFormat, MessageReader};
    use crate::spec::{EncoderSpec, TemplateSpec};

    const STRIPS: &str = "{% set ns = namespace(last=-1) %}{% for m in messages %}{% if m.role == 'user' %}\
        {% set ns.last = loop.index0 %}{% endif %}{% endfor %}{% for m in messages %}<{{ m.role }}>\
        {% if m.reasoning_content and loop.index0 > ns.last %}({{ m.reasoning_content }}){% endif %}\
        {{ m.content }}</>{% endfor %}";

    fn parts(rows: Rows, turns: Turns, messages: &Value) -> Vec<(usize, Option<Vec<usize>>)> {
        let masker = json!({"boundaries": [], "rolesToTrain": ["assistant"]});
        let spec: EncoderSpec = serde_json::from_value(json!({"masker": masker})).unwrap();
        let policy = Policy::new(&spec, vec!["assistant".to_owned()]);
        let source = TemplateSpec { source: STRIPS.to_owned(), variables: BTreeMap::new(), ..TemplateSpec::default() };
        let template = Template::new(&source).unwrap();
        let reader = MessageReader::new(spec.fields.clone(), [], ContentFormat { strings: true, ..Default::default() });
        let conversation = reader.read(&json!({ "messages": messages })).unwrap();
        let refused = |error: &TemplateError| panic!("{error}");
        let splitter = Splitter { rows, turns, template: &template, policy: &policy, refused };
        splitter.parts(&conversation).unwrap().into_iter().map(|part| (part.messages, part.answers)).collect()
    }

    fn user() -> Value {
        json!({"role": "user", "content": "q"})
    }

    fn answer(reasoning: Option<&str>) -> Value {
        json!({"role": "assistant", "content": "a", "reasoning_content": reasoning})
    }

    #[test]
    fn each_answer_is_trained_once_where_its_context_is_that_of_inference() {
        let (all, last) = (Turns::All, Turns::Last);
        let plain = json!([user(), answer(None), user(), answer(None)]);
        assert_eq!(parts(Rows::Split, all, &plain), [(4, None)], "nothing is rewritten");
        let thinks = json!([user(), answer(Some("r")), user(), answer(Some("r"))]);
        assert_eq!(parts(Rows::Split, all, &thinks), [(2, Some(vec![1])), (4, Some(vec![3]))]);
        assert_eq!(parts(Rows::Conversation, all, &thinks), [(4, None)]);
        assert_eq!(parts(Rows::Last, all, &thinks), [(4, Some(vec![3]))]);
        // The first answer is not rewritten: it stays in the last row; the second is on its own.
        let mixed = json!([user(), answer(None), user(), answer(Some("r")), user(), answer(Some("r"))]);
        assert_eq!(parts(Rows::Split, all, &mixed), [(4, Some(vec![3])), (6, Some(vec![1, 5]))]);
        assert_eq!(parts(Rows::Split, last, &mixed), [(4, Some(vec![3])), (6, Some(vec![5]))]);
        // Steps after one question share its row.
        let steps = json!([user(), answer(Some("r")), answer(Some("s")), user(), answer(None), user()]);
        assert_eq!(parts(Rows::Split, all, &steps), [(3, Some(vec![1, 2])), (6, Some(vec![4]))]);
        assert_eq!(parts(Rows::Last, all, &steps), [(5, Some(vec![4]))]);
        assert_eq!(parts(Rows::Split, all, &json!([user()])), [(1, None)], "no answer: one row, as ever");
    }
}
