/**
 * Model folders of the families that read media, as far as a processor goes: the files that released checkpoints have (their own names
 * and values), the tokens that the processor writes, and a chat template. lossmask and transformers both read the same folder.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './cli.js'

/** One family's model folder. */
export interface MediaFamily {
  /** Its name among the strategies and in `vectors/families`. */
  name: string
  /** The processor's class in transformers. */
  processor: string
  /** Processor files of the model folder. */
  files: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Tokens under the names by which the processor asks its tokenizer for them. */
  named?: Readonly<Record<string, string>>
  /** Further tokens that the processor or the template writes. */
  tokens?: readonly string[]
  /** The chat template's source. */
  template: string
  /** Whether it reads sounds too. */
  audio?: true
}

/** A template of the project. */
const own = (name: string) => readFileSync(join(root, 'templates', `${name}.jinja`), 'utf8')

/** A template that writes turns one after the other, in the way of a family: what stands before and behind a content, and for media. */
function turns(of: {
  user: string
  assistant: string
  end: string
  userEnd?: string
  image: string
  audio?: string
  bos?: string
}): string {
  const q = (text: string) => `{{- ${JSON.stringify(text)} -}}`
  return `
{%- macro said(content) -%}
  {%- if content is string -%}{{- content -}}{%- else -%}
    {%- for part in content -%}{%- if part.type == 'image' -%}${q(of.image)}{%- elif part.type == 'audio' -%}${q(of.audio ?? '')}{%- else -%}{{- part.text -}}{%- endif -%}{%- endfor -%}
  {%- endif -%}
{%- endmacro -%}
${q(of.bos ?? '')}
{%- for message in messages -%}
  {%- if message.role == 'assistant' -%}${q(of.assistant)}{{- said(message.content) -}}${q(of.end)}
  {%- else -%}${q(of.user)}{{- said(message.content) -}}${q(of.userEnd ?? of.end)}{%- endif -%}
{%- endfor -%}`
}

const chatml = (image: string, bos?: string) =>
  turns({
    user: '<|im_start|>user\n',
    assistant: '<|im_start|>assistant\n',
    end: '<|im_end|>\n',
    image,
    ...(bos ? { bos } : {}),
  })
const cohere = (image: string) =>
  turns({
    user: '<|START_OF_TURN_TOKEN|><|USER_TOKEN|>',
    assistant: '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>',
    end: '<|END_OF_TURN_TOKEN|>',
    image,
  })
const utterances = (bos: string) =>
  turns({ bos, user: 'User:', assistant: 'Assistant: ', end: '<end_of_utterance>\n', image: '<image>' })
const roles = (image: string) =>
  turns({ bos: '[gMASK]<sop>', user: '<|user|>\n', assistant: '<|assistant|>\n', end: '', image })

/** The files of an image processor with a processor's own settings beside it, as transformers 4 wrote them. */
const two = (processor: string, image: object, settings: object = {}) => ({
  'preprocessor_config.json': { ...image, processor_class: processor },
  'processor_config.json': { ...settings, processor_class: processor },
})
/** One file for all, as transformers 5 writes it. */
const one = (processor: string, sections: object) => ({
  'processor_config.json': { ...sections, processor_class: processor },
})

const QWEN2 = {
  image_processor_type: 'Qwen2VLImageProcessor',
  min_pixels: 3136,
  max_pixels: 12845056,
  patch_size: 14,
  temporal_patch_size: 2,
  merge_size: 2,
}
const QWEN3 = {
  image_processor_type: 'Qwen2VLImageProcessorFast',
  size: { shortest_edge: 65536, longest_edge: 16777216 },
  patch_size: 16,
  temporal_patch_size: 2,
  merge_size: 2,
}
const GLM = {
  size: { shortest_edge: 12544, longest_edge: 9633792 },
  patch_size: 14,
  temporal_patch_size: 2,
  merge_size: 2,
}
const GLM_IMAGE = '<|begin_of_image|><|image|><|end_of_image|>'
const GLM_TOKENS = ['[gMASK]', '<sop>', '<|video|>', '<|image|>', '<|begin_of_image|>', '<|end_of_image|>']
const GEMMA = {
  named: { boi_token: '<start_of_image>', eoi_token: '<end_of_image>', image_token: '<image_soft_token>' },
  size: { height: 896, width: 896 },
}
const GEMMA4 = {
  boi_token: '<|image>',
  eoi_token: '<image|>',
  image_token: '<|image|>',
  boa_token: '<|audio>',
  eoa_token: '<audio|>',
  audio_token: '<|audio|>',
}
const GEMMA4_SECTIONS = (name: string) => ({
  image_processor: {
    image_processor_type: `${name}ImageProcessor`,
    max_soft_tokens: 280,
    patch_size: 16,
    pooling_kernel_size: 3,
  },
  video_processor: {
    video_processor_type: `${name}VideoProcessor`,
    max_soft_tokens: 70,
    patch_size: 16,
    pooling_kernel_size: 3,
  },
  feature_extractor: {
    feature_extractor_type: `${name}AudioFeatureExtractor`,
    feature_size: 128,
    sampling_rate: 16000,
  },
})
const PIXTRAL = (patch: number, longest: number) => ({
  image_processor_type: 'PixtralImageProcessor',
  patch_size: { height: patch, width: patch },
  size: { longest_edge: longest },
})
const IDEFICS = (longest: number, tile: number) => ({
  image_processor_type: 'Idefics3ImageProcessor',
  do_image_splitting: true,
  size: { longest_edge: longest },
  max_image_size: { longest_edge: tile },
})
const INTERNVL = {
  processor: 'InternVLProcessor',
  files: {
    ...two(
      'InternVLProcessor',
      {
        image_processor_type: 'GotOcr2ImageProcessor',
        crop_to_patches: false,
        min_patches: 1,
        max_patches: 12,
        size: { height: 448, width: 448 },
      },
      { image_seq_length: 256 },
    ),
    'video_preprocessor_config.json': { video_processor_type: 'InternVLVideoProcessor' },
  },
  named: {
    start_image_token: '<img>',
    end_image_token: '</img>',
    context_image_token: '<IMG_CONTEXT>',
    video_token: '<video>',
  },
  template: chatml('<IMG_CONTEXT>\n'),
}

/** Every family of `vectors/families` whose processor is a class of transformers. */
export const MEDIA_FAMILIES: readonly MediaFamily[] = [
  { name: 'qwen2_vl', processor: 'Qwen2VLProcessor', files: two('Qwen2VLProcessor', QWEN2), template: own('qwen2_vl') },
  {
    name: 'qwen2_5_vl',
    processor: 'Qwen2_5_VLProcessor',
    files: { 'preprocessor_config.json': { ...QWEN2, processor_class: 'Qwen2_5_VLProcessor' } },
    template: own('qwen2_vl'),
  },
  {
    name: 'qwen3_vl',
    processor: 'Qwen3VLProcessor',
    files: {
      'preprocessor_config.json': { ...QWEN3, processor_class: 'Qwen3VLProcessor' },
      'video_preprocessor_config.json': { ...QWEN3, video_processor_type: 'Qwen3VLVideoProcessor' },
    },
    template: own('qwen2_vl'),
  },
  {
    name: 'qwen3_5',
    processor: 'Qwen3VLProcessor',
    files: one('Qwen3VLProcessor', {
      image_processor: QWEN3,
      video_processor: { video_processor_type: 'Qwen3VLVideoProcessor' },
    }),
    template: own('qwen3_5'),
  },
  {
    name: 'gemma3',
    processor: 'Gemma3Processor',
    files: two(
      'Gemma3Processor',
      { image_processor_type: 'Gemma3ImageProcessor', size: GEMMA.size, image_seq_length: 256 },
      { image_seq_length: 256 },
    ),
    named: GEMMA.named,
    template: own('gemma3'),
  },
  {
    name: 'gemma3n',
    processor: 'Gemma3nProcessor',
    files: one('Gemma3nProcessor', {
      image_seq_length: 256,
      audio_seq_length: 188,
      image_processor: { image_processor_type: 'SiglipImageProcessor', size: { height: 768, width: 768 } },
      feature_extractor: {
        feature_extractor_type: 'Gemma3nAudioFeatureExtractor',
        feature_size: 128,
        sampling_rate: 16000,
      },
    }),
    named: {
      ...GEMMA.named,
      boa_token: '<start_of_audio>',
      eoa_token: '<end_of_audio>',
      audio_token: '<audio_soft_token>',
    },
    template: own('gemma3n'),
    audio: true,
  },
  {
    name: 'gemma4',
    processor: 'Gemma4Processor',
    files: one('Gemma4Processor', {
      image_seq_length: 280,
      audio_seq_length: 750,
      audio_ms_per_token: 40,
      ...GEMMA4_SECTIONS('Gemma4'),
    }),
    named: GEMMA4,
    template: own('gemma4'),
    audio: true,
  },
  {
    name: 'gemma4_unified',
    processor: 'Gemma4UnifiedProcessor',
    files: one('Gemma4UnifiedProcessor', { ...GEMMA4_SECTIONS('Gemma4Unified') }),
    named: GEMMA4,
    template: own('gemma4_unified'),
    audio: true,
  },
  {
    name: 'llama3_2_vision',
    processor: 'MllamaProcessor',
    files: {
      'preprocessor_config.json': {
        image_processor_type: 'MllamaImageProcessor',
        max_image_tiles: 4,
        size: { height: 560, width: 560 },
        processor_class: 'MllamaProcessor',
      },
    },
    named: { bos_token: '<|begin_of_text|>' },
    tokens: ['<|image|>', '<|python_tag|>'],
    template: own('llama3_2_vision'),
  },
  {
    name: 'llama4',
    processor: 'Llama4Processor',
    files: two(
      'Llama4Processor',
      {
        image_processor_type: 'Llama4ImageProcessorFast',
        max_patches: 16,
        resize_to_max_canvas: false,
        size: { height: 336, width: 336 },
      },
      { patch_size: 14, pixel_shuffle_ratio: 0.5 },
    ),
    template: own('llama4'),
  },
  {
    name: 'pixtral',
    processor: 'PixtralProcessor',
    files: two('PixtralProcessor', PIXTRAL(16, 1024), {
      patch_size: 16,
      image_token: '[IMG]',
      image_break_token: '[IMG_BREAK]',
      image_end_token: '[IMG_END]',
    }),
    template: own('pixtral'),
  },
  {
    name: 'mistral_v7_tekken',
    processor: 'PixtralProcessor',
    files: two('PixtralProcessor', PIXTRAL(14, 1540), { patch_size: 14, spatial_merge_size: 2 }),
    template: own('mistral_v7_tekken'),
  },
  {
    name: 'mistral3',
    processor: 'PixtralProcessor',
    files: one('PixtralProcessor', { patch_size: 14, spatial_merge_size: 2, image_processor: PIXTRAL(14, 1540) }),
    template: own('mistral_v7_tekken'),
  },
  {
    name: 'smolvlm',
    processor: 'SmolVLMProcessor',
    files: {
      ...two(
        'SmolVLMProcessor',
        { ...IDEFICS(2048, 512), image_processor_type: 'SmolVLMImageProcessor' },
        { image_seq_len: 64 },
      ),
      'video_preprocessor_config.json': {
        video_processor_type: 'SmolVLMVideoProcessor',
        processor_class: 'SmolVLMProcessor',
      },
    },
    tokens: ['<|im_start|>', '<end_of_utterance>'],
    template: utterances('<|im_start|>'),
  },
  {
    name: 'idefics3',
    processor: 'Idefics3Processor',
    files: two('Idefics3Processor', IDEFICS(1456, 364), { image_seq_len: 169 }),
    template: utterances('<|begin_of_text|>'),
  },
  {
    name: 'granite4_docling',
    processor: 'Idefics3Processor',
    files: two('Idefics3Processor', IDEFICS(2048, 512), { image_seq_len: 64 }),
    tokens: ['<end_of_utterance>'],
    template: turns({
      user: '<|start_of_role|>user<|end_of_role|>',
      assistant: '<|start_of_role|>assistant<|end_of_role|>',
      end: '<|end_of_text|>\n',
      image: '<image>',
    }),
  },
  { name: 'internvl3_qwen2_5', ...INTERNVL },
  { name: 'internvl3_5_qwen3', ...INTERNVL },
  { name: 'internvl_internlm2', ...INTERNVL },
  {
    name: 'glm4_1v',
    processor: 'Glm4vProcessor',
    files: {
      'preprocessor_config.json': {
        ...GLM,
        image_processor_type: 'Glm4vImageProcessor',
        processor_class: 'Glm4vProcessor',
      },
    },
    tokens: GLM_TOKENS,
    template: roles(GLM_IMAGE),
  },
  {
    name: 'glm4_5v',
    processor: 'Glm46VProcessor',
    files: one('Glm46VProcessor', {
      image_processor: { ...GLM, image_processor_type: 'Glm46VImageProcessor' },
      video_processor: { video_processor_type: 'Glm46VVideoProcessor' },
    }),
    tokens: GLM_TOKENS,
    template: roles(GLM_IMAGE),
  },
  {
    name: 'llava_next_mistral',
    processor: 'LlavaNextProcessor',
    files: two(
      'LlavaNextProcessor',
      {
        image_processor_type: 'LlavaNextImageProcessor',
        crop_size: { height: 336, width: 336 },
        size: { shortest_edge: 336 },
        image_grid_pinpoints: [
          [336, 672],
          [672, 336],
          [672, 672],
          [1008, 336],
          [336, 1008],
        ],
      },
      { patch_size: 14, vision_feature_select_strategy: 'default', num_additional_image_tokens: 1 },
    ),
    tokens: ['</s>'],
    template: turns({
      bos: '<s>',
      user: '[INST] ',
      userEnd: ' [/INST]',
      assistant: ' ',
      end: '</s>',
      image: '<image>\n',
    }),
  },
  {
    name: 'llava_onevision',
    processor: 'LlavaOnevisionProcessor',
    files: two(
      'LlavaOnevisionProcessor',
      {
        image_processor_type: 'LlavaOnevisionImageProcessor',
        size: { height: 384, width: 384 },
        image_grid_pinpoints: [1, 2, 3, 4, 5, 6].flatMap(rows =>
          [1, 2, 3, 4, 5, 6].map(columns => [384 * rows, 384 * columns]),
        ),
      },
      { num_image_tokens: 729, vision_feature_select_strategy: 'full', vision_aspect_ratio: 'anyres_max_9' },
    ),
    template: turns({
      user: '<|im_start|>user ',
      assistant: '<|im_start|>assistant \n',
      end: '<|im_end|>',
      image: '<image>\n',
    }),
  },
  {
    name: 'lfm2_vl',
    processor: 'Lfm2VlProcessor',
    files: one('Lfm2VlProcessor', {
      image_processor: {
        image_processor_type: 'Lfm2VlImageProcessorFast',
        tile_size: 512,
        min_tiles: 2,
        max_tiles: 10,
        min_image_tokens: 64,
        max_image_tokens: 256,
        encoder_patch_size: 16,
        downsample_factor: 2,
        max_pixels_tolerance: 2,
        use_thumbnail: true,
        do_image_splitting: true,
      },
    }),
    tokens: ['<|startoftext|>'],
    template: chatml('<image>', '<|startoftext|>'),
  },
  {
    name: 'phi4_multimodal',
    processor: 'Phi4MultimodalProcessor',
    files: one('Phi4MultimodalProcessor', {
      image_processor: {
        image_processor_type: 'Phi4MultimodalImageProcessor',
        dynamic_hd: 36,
        size: { height: 448, width: 448 },
      },
      audio_processor: { feature_extractor_type: 'Phi4MultimodalFeatureExtractor' },
    }),
    named: { image_token: '<|endoftext10|>', audio_token: '<|endoftext11|>' },
    template: turns({
      user: '<|user|>',
      assistant: '<|assistant|>',
      end: '<|end|>',
      image: '<|endoftext10|>',
      audio: '<|endoftext11|>',
    }),
    audio: true,
  },
  {
    name: 'kimi',
    processor: 'Kimi_K25Processor',
    files: one('Kimi_K25Processor', {
      image_processor: { image_processor_type: 'Kimi_K25ImageProcessor', patch_size: 14, merge_size: 2 },
      video_processor: { video_processor_type: 'Kimi_K25VideoProcessor' },
    }),
    tokens: ['<|kimi_k25_video_placeholder|>', '<|media_begin|>'],
    template: turns({
      user: '<|im_user|>user<|im_middle|>',
      assistant: '<|im_assistant|>assistant<|im_middle|>',
      end: '<|im_end|>',
      image: '<|media_begin|>image<|media_content|><|media_pad|><|media_end|>',
    }),
  },
  {
    name: 'aya_vision',
    processor: 'AyaVisionProcessor',
    files: two(
      'AyaVisionProcessor',
      {
        image_processor_type: 'GotOcr2ImageProcessor',
        crop_to_patches: true,
        min_patches: 1,
        max_patches: 12,
        size: { height: 364, width: 364 },
      },
      { patch_size: 14, downsample_factor: 2, img_size: 364 },
    ),
    tokens: ['<image>'],
    template: cohere('<image>'),
  },
  {
    name: 'command_a_vision',
    processor: 'Cohere2VisionProcessor',
    files: one('Cohere2VisionProcessor', {
      image_processor: {
        image_processor_type: 'Cohere2VisionImageProcessorFast',
        max_patches: 12,
        size: { height: 512, width: 512 },
      },
    }),
    named: {
      boi_token: '<|START_OF_IMG|>',
      eoi_token: '<|END_OF_IMG|>',
      image_token: '<|IMG_PATCH|>',
      img_line_break_token: '<|IMG_LINE_BREAK|>',
    },
    template: cohere('<|IMG_PATCH|>'),
  },
]
