/** Placeholders and delimiters of pictures and videos stood in the loss. */
import assert from 'node:assert/strict'
import type { Failure, FailureCase } from '../helpers/failure.js'
import { assistant, trainedTexts, user } from '../helpers/wholeRun.js'

const MEDIA = ['<|vision_start|>', '<|image_pad|>', '<|video_pad|>', '<|vision_end|>']
const picture = [{ type: 'image' }, { type: 'video' }]
const text = (text: string) => ({ type: 'text', text })

const setting = (config: object, dataset: object = {}): FailureCase => ({
  rows: [
    { messages: [user([...picture, text('What is it?')]), assistant([text('Like '), ...picture, text(' this.')])] },
  ],
  config: { ...config },
  // Nothing says how they are expanded: the placeholders stay as the template writes them.
  model: { files: { 'preprocessor_config.json': null } },
  dataset: { ...dataset },
  says: { 'media-not-expanded': 'warn' },
  check: ({ rows }) => {
    const trained = rows.flatMap(trainedTexts).join('')
    assert.match(trained, /Like /)
    for (const token of MEDIA) assert.ok(!trained.includes(token), token)
  },
})

export default {
  row: 'I',
  wrong: 'media tokens in the loss',
  threads: ['hiyouga/LlamaFactory#8402', 'NielsRogge/Transformers-Tutorials#511'],
  here: 'media tokens by name, never trained in any setting; a token that is only named like one is reported',
  cases: {
    'by default': { ...setting({}), trained: [['Like ', ' this.<|im_end|>']] },
    'train_on_eos: all': setting({}, { train_on_eos: 'all' }),
    'train_on_inputs: true': { ...setting({ train_on_inputs: true }) },
    'users are trained too': setting({}, { roles_to_train: ['user', 'assistant'] }),
    'a media token that nobody declared': {
      rows: [
        {
          segments: [
            { label: false, text: 'What is it? ' },
            { label: true, text: '<|scan_image|>A harbour.<|im_end|>' },
          ],
        },
      ],
      config: { tokens: ['<|scan_image|>'] },
      dataset: { type: 'input_output' },
      says: { 'media-trained': 'fail' },
    },
  },
} satisfies Failure
