//! Roles by the names that public datasets give them.

/// Names that are no role of a chat API, and the role each fits. They are proposed, never taken: the config decides.
const NAMES: [(&str, &[&str]); 4] = [
    (
        "assistant",
        &[
            "chatgpt",
            "gpt",
            "gpt3",
            "gpt4",
            "bing",
            "bard",
            "claude",
            "model",
            "bot",
            "ai",
            "llm",
            "agent",
            "answer",
            "output",
            "response",
            "helper",
            "function_call",
            "tool_call",
        ],
    ),
    (
        "tool",
        &[
            "observation",
            "function",
            "function_response",
            "function_result",
            "tool_response",
            "tool_result",
            "tool_output",
            "result",
        ],
    ),
    ("user", &["human", "usr", "person", "customer", "prompter", "question", "instruction", "input", "query"]),
    ("system", &["sys", "system_prompt", "context", "prompt"]),
];

/// The role that a name fits, whatever its case and separators.
pub(crate) fn fitting(name: &str) -> Option<&'static str> {
    let plain =
        |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    let name = plain(name);
    let fits = |other: &&str| plain(other) == name;
    let listed = NAMES.iter().find(|(role, names)| plain(role) == name || names.iter().any(&fits));
    listed.map(|(role, _)| *role)
}
