/** Where the stop token is the next turn's role token (GLM), it belonged to no answer and was never trained. */
import type { Failure } from '../helpers/failure.js'
import { assistant, type Run, user } from '../helpers/wholeRun.js'

const template =
  "{% for m in messages %}<|{{ 'observation' if m.role == 'tool' else m.role }}|>\n{{ m.content }}{% endfor %}"
const glm = (lossmask: object = {}): Run => ({
  rows: [
    {
      messages: [
        user('One?'),
        assistant('Call it.'),
        { role: 'tool', content: '42' },
        assistant('It is 42.'),
        user('Thanks.'),
      ],
    },
  ],
  config: { chat_template: 'jinja', chat_template_jinja: template, lossmask: { strategy: 'glm4_1v', ...lossmask } },
  model: {
    tokens: {
      '<|im_start|>': '<|user|>',
      '<|im_end|>': '<|assistant|>',
      '<|vision_start|>': '<|observation|>',
      '<|vision_end|>': '<|system|>',
    },
    files: {
      'tokenizer_config.json': { eos_token: '<|endoftext|>' },
      'generation_config.json': { eos_token_id: [0, 1, 4] },
    },
  },
})

export default {
  row: 'E',
  wrong: 'the stop token opens the next turn, and is never trained',
  threads: ['PrimeIntellect-ai/prime-rl#2644', 'huggingface/trl#5988'],
  here: '`train_on_shared_end` trains it behind an answer; without it the audit says that it never is',
  cases: {
    'as it stands': {
      ...glm(),
      trained: [['Call it.', 'It is 42.']],
      says: { 'stop-token-never-trained': 'fail', 'end-not-trained': 'fail' },
    },
    train_on_shared_end: {
      ...glm({ train_on_shared_end: true }),
      trained: [['Call it.<|observation|>', 'It is 42.<|user|>']],
    },
  },
} satisfies Failure
