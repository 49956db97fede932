//! How many tokens a media placeholder stands for, from the media's sizes alone.
//!
//! A processor of a vision-language model replaces the placeholder of an image, a video or an audio clip by as many tokens
//! as the model will make features of it. That number, and the delimiters around it, are arithmetic on width, height, frames
//! and samples; nothing here reads a pixel. Results equal those of transformers 5.18 (and mistral-common 1.12 where a family
//! is theirs), to the token, including the sizes that a processor refuses.
//!
//! ```
//! use lossmask_media::{Expander, Family, MediaItem, Params};
//!
//! let params = Params::from_value(&serde_json::json!({ "min_pixels": 3136, "max_pixels": 12845056 })).unwrap();
//! let expander = Expander::new(Family::Qwen2Vl, &params).unwrap();
//! let expanded = expander.expand(&[MediaItem::image(640, 480)]).unwrap();
//! assert_eq!(expanded[0].placeholder_count, 391);
//! ```

mod arith;
mod cohere;
mod expander;
mod expansion;
mod family;
mod fault;
mod gemma;
mod glm;
mod header;
mod idefics;
mod internvl;
mod kimi;
mod lfm2;
mod llama;
mod llava;
mod minicpm;
mod orientation;
mod ovis;
mod params;
mod phi4;
mod pixtral;
mod probe;
mod qwen;
mod remote;
mod request;
mod source;
mod tiles;
mod voxtral;

pub use expander::{Expander, expand};
pub use expansion::{Expansion, GridValue, MediaItem, MediaKind, Refused, Size, Token};
pub use family::Family;
pub use fault::MediaFault;
pub use params::{Params, ParamsError};
pub use probe::{ExifOrientation, audio_samples, image_size};
pub use remote::Remote;
pub use request::{Answer, PromptForm, Request, RequestError, RequestedVideo};
pub use source::{Locator, Reference};
