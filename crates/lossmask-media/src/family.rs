//! The families and their names.

use crate::expander::Rules;
use crate::params::{Params, ParamsError};
use crate::{
    cohere, gemma, glm, idefics, internvl, kimi, lfm2, llama, llava, minicpm, ovis, phi4, pixtral, qwen, voxtral,
};

macro_rules! families {
    ($($(#[$doc:meta])* $variant:ident $name:literal [$($alias:literal),*] [$($processor:literal),*] $rules:expr;)*) => {
        /// A model family, by the processor that prepares its media.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Family { $($(#[$doc])* $variant,)* }

        impl Family {
            /// Every family.
            pub const ALL: &'static [Family] = &[$(Family::$variant),*];

            /// The family's name: `qwen2_vl`.
            pub fn name(self) -> &'static str {
                match self { $(Family::$variant => $name,)* }
            }

            /// Names that strategies and users give to the family where they differ from its own.
            pub fn aliases(self) -> &'static [&'static str] {
                match self { $(Family::$variant => &[$($alias),*],)* }
            }

            /// Names of the processor classes that the family's checkpoints state.
            pub fn processors(self) -> &'static [&'static str] {
                match self { $(Family::$variant => &[$($processor),*],)* }
            }

            pub(crate) fn rules(self, params: &Params) -> Result<Rules, ParamsError> {
                let rules: fn(&Params) -> Result<Rules, ParamsError> = match self { $(Family::$variant => $rules,)* };
                rules(params)
            }
        }
    };
}

families! {
    // Variant, name, further names that strategies and users give it, processor classes that its checkpoints state, rules.
    /// Qwen2-VL.
    Qwen2Vl "qwen2_vl" [] ["Qwen2VLProcessor"] qwen::qwen2;
    /// Qwen2.5-VL.
    Qwen25Vl "qwen2_5_vl" ["qwen2.5_vl"] ["Qwen2_5_VLProcessor"] qwen::qwen2;
    /// Qwen3-VL.
    Qwen3Vl "qwen3_vl" [] ["Qwen3VLProcessor"] qwen::qwen3;
    /// Qwen3.5 and 3.6.
    Qwen35 "qwen3_5" ["qwen3.5", "qwen3_6"] ["Qwen3_5Processor"] qwen::qwen3;
    /// GLM-4.1V and GLM-4.5V.
    Glm4v "glm4v" ["glm4_1v", "glm4_5v"] ["Glm4vProcessor"] glm::glm4v;
    /// GLM-4.6V.
    Glm46v "glm46v" ["glm4_6v"] ["Glm46VProcessor"] glm::glm46v;
    /// PaddleOCR-VL.
    PaddleOcrVl "paddleocr_vl" [] ["PaddleOCRVLProcessor"] qwen::paddleocr;
    /// Kimi K2.5.
    KimiK25 "kimi_k25" ["kimi"] ["Kimi_K25Processor"] kimi::k25;
    /// Gemma 3.
    Gemma3 "gemma3" [] ["Gemma3Processor"] gemma::gemma3;
    /// Gemma 3n.
    Gemma3n "gemma3n" [] ["Gemma3nProcessor"] gemma::gemma3n;
    /// Gemma 4.
    Gemma4 "gemma4" [] ["Gemma4Processor"] gemma::gemma4;
    /// Gemma 4 unified.
    Gemma4Unified "gemma4_unified" [] ["Gemma4UnifiedProcessor"] gemma::gemma4_unified;
    /// Llama 3.2 Vision.
    Mllama "mllama" ["llama3_2_vision"] ["MllamaProcessor"] llama::mllama;
    /// Llama 4.
    Llama4 "llama4" [] ["Llama4Processor"] llama::llama4;
    /// Pixtral.
    Pixtral "pixtral" [] ["PixtralProcessor"] pixtral::pixtral;
    /// Mistral Small 3.1 and later, Ministral 3.
    Mistral3 "mistral3" ["mistral_v7_tekken", "mistral_small_3_1"] ["Mistral3Processor"] pixtral::mistral3;
    /// Mistral's own image encoder, which rounds where transformers cuts off.
    MistralCommon "mistral_common" [] [] pixtral::mistral_common;
    /// Idefics3.
    Idefics3 "idefics3" [] ["Idefics3Processor"] idefics::idefics3;
    /// SmolVLM and SmolVLM2.
    SmolVlm "smolvlm" ["smolvlm2"] ["SmolVLMProcessor"] idefics::smolvlm;
    /// Granite Docling.
    GraniteDocling "granite_docling" ["granite4_docling", "granite4"] [] idefics::granite_docling;
    /// InternVL 3 and 3.5.
    InternVl "internvl" ["internvl3", "internvl3_5", "internvl3_qwen2_5", "internvl3_5_qwen3", "internvl_internlm2"] ["InternVLProcessor"] internvl::internvl;
    /// Aya Vision.
    AyaVision "aya_vision" ["aya"] ["AyaVisionProcessor"] internvl::aya;
    /// DeepSeek-OCR 2.
    DeepseekOcr2 "deepseek_ocr2" [] ["DeepseekOcr2Processor"] internvl::deepseek_ocr2;
    /// DeepSeek-VL.
    DeepseekVl "deepseek_vl" [] ["DeepseekVLProcessor"] internvl::deepseek_vl;
    /// Command A Vision.
    Cohere2Vision "cohere2_vision" ["command_a_vision", "command_a"] ["Cohere2VisionProcessor"] cohere::cohere2;
    /// LFM2-VL.
    Lfm2Vl "lfm2_vl" [] ["Lfm2VlProcessor"] lfm2::lfm2;
    /// Phi-4-multimodal.
    Phi4Multimodal "phi4_multimodal" [] ["Phi4MultimodalProcessor"] phi4::phi4;
    /// LLaVA 1.5.
    Llava "llava" [] ["LlavaProcessor"] llava::llava;
    /// LLaVA-NeXT.
    LlavaNext "llava_next" ["llava_next_mistral"] ["LlavaNextProcessor"] llava::llava_next;
    /// Granite Vision 3.x.
    GraniteVision "granite_vision" [] [] llava::granite_vision;
    /// Granite 4 Vision.
    Granite4Vision "granite4_vision" [] ["Granite4VisionProcessor"] llava::granite_vision;
    /// LLaVA-OneVision.
    LlavaOnevision "llava_onevision" [] ["LlavaOnevisionProcessor"] llava::onevision;
    /// Ovis2.
    Ovis2 "ovis2" [] ["Ovis2Processor"] ovis::ovis2;
    /// MiniCPM-V 4.6.
    MiniCpmV46 "minicpmv4_6" ["minicpm_v4_6"] ["MiniCPMV4_6Processor"] minicpm::minicpm_v4_6;
    /// Voxtral.
    Voxtral "voxtral" [] ["VoxtralProcessor"] voxtral::voxtral;
}

impl Family {
    /// The family of a name; `_video` and `_audio` at its end say which media is meant and change nothing.
    ///
    /// # Errors
    /// An unknown name, with the nearest known one.
    pub fn from_name(name: &str) -> Result<Family, ParamsError> {
        let plain = name.strip_suffix("_video").or_else(|| name.strip_suffix("_audio")).unwrap_or(name);
        let known = |wanted: &str| {
            Family::ALL.iter().copied().find(|family| family.name() == wanted || family.aliases().contains(&wanted))
        };
        known(plain).or_else(|| known(name)).ok_or_else(|| {
            let names: Vec<&str> = Family::ALL.iter().map(|family| family.name()).collect();
            ParamsError {
                code: "media-family",
                message: format!("unknown family {name:?}; known are {}", names.join(", ")),
            }
        })
    }

    /// The family that a model folder's files name by their processor class.
    pub fn detect(params: &Params) -> Option<Family> {
        let class = params.processor_class()?;
        Family::ALL.iter().copied().find(|family| family.processors().contains(&class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_its_name() {
        for family in Family::ALL {
            assert_eq!(Family::from_name(family.name()), Ok(*family));
        }
        assert_eq!(Family::from_name("qwen2_vl_video"), Ok(Family::Qwen2Vl));
        assert_eq!(Family::from_name("qwen9").unwrap_err().code, "media-family");
    }

    #[test]
    fn no_name_is_two_families() {
        let mut seen = std::collections::HashSet::new();
        for family in Family::ALL {
            for name in std::iter::once(&family.name()).chain(family.aliases()) {
                assert!(seen.insert(*name), "{name}");
            }
        }
    }
}
