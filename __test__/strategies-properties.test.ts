/** Whatever an answer is, it is trained whole, but for white space that shares a token with its header. */
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { Masker } from '../src/masker.js'
import { type LoadedTokenizer, loadTokenizer } from '../src/tokenizer/index.js'
import { changedModel, smallTokenizer, stretches } from './helpers/smallModel.js'

/** How one family writes a turn, and the tokenizer that knows its control tokens. */
interface Format {
  family: string
  tokenizer(t: ExecutionContext): Promise<LoadedTokenizer>
  turn(role: 'user' | 'assistant', content: string): string
  end: string
}

const renamed = (tokens: Record<string, string>) => (t: ExecutionContext) =>
  loadTokenizer(changedModel(t, { tokens, config: { pad_token: null } }))

/** One row per format; a new family gets one. */
const formats: Format[] = [
  {
    family: 'chatml',
    tokenizer: smallTokenizer,
    turn: (role, content) => `<|im_start|>${role}\n${content}<|im_end|>\n`,
    end: '<|im_end|>',
  },
  {
    family: 'llama3',
    tokenizer: renamed({
      '<|im_start|>': '<|start_header_id|>',
      '<|vision_start|>': '<|end_header_id|>',
      '<|im_end|>': '<|eot_id|>',
    }),
    turn: (role, content) => `<|start_header_id|>${role}<|end_header_id|>\n\n${content}<|eot_id|>`,
    end: '<|eot_id|>',
  },
  {
    family: 'phi_4',
    tokenizer: renamed({ '<|vision_start|>': '<|im_sep|>' }),
    turn: (role, content) => `<|im_start|>${role}<|im_sep|>${content}<|im_end|>`,
    end: '<|im_end|>',
  },
  {
    family: 'gemma',
    tokenizer: renamed({ '<|im_start|>': '<start_of_turn>', '<|im_end|>': '<end_of_turn>' }),
    turn: (role, content) => `<start_of_turn>${role === 'user' ? 'user' : 'model'}\n${content}<end_of_turn>\n`,
    end: '<end_of_turn>',
  },
  {
    family: 'mistral_v3_tekken',
    tokenizer: renamed({ '<|im_start|>': '[INST]', '<|vision_start|>': '[/INST]', '<|im_end|>': '</s>' }),
    turn: (role, content) => (role === 'user' ? `[INST]${content}[/INST]` : `${content}</s>`),
    end: '</s>',
  },
  {
    family: 'smolvlm',
    tokenizer: renamed({ '<|im_end|>': '<end_of_utterance>' }),
    turn: (role, content) => `${role === 'user' ? 'User' : 'Assistant'}:${content}<end_of_utterance>\n`,
    end: '<end_of_utterance>',
  },
]

/** Texts with much white space at their ends and no control tokens. */
const contents = fc
  .tuple(
    fc.stringMatching(/^[ \n\t\r]{0,5}$/u),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.stringMatching(/^[ \n\t\r]{0,5}$/u),
  )
  .map(parts => parts.join('').replaceAll(/[<[]/gu, ''))

for (const format of formats) {
  test(`${format.family}: any answers and questions`, async t => {
    const tokenizer = await format.tokenizer(t)
    const masker = Masker.forStrategy(format.family, tokenizer)
    const head = format.family === 'smolvlm' ? '<|im_start|>' : ''
    fc.assert(
      fc.property(fc.array(fc.tuple(contents, contents), { minLength: 1, maxLength: 3 }), pairs => {
        const text = head + pairs.map(([q, a]) => format.turn('user', q) + format.turn('assistant', a)).join('')
        const ids = tokenizer.encode(text)
        const trained = stretches(Array.from(masker.labels(ids))).map(run => tokenizer.decode(run))
        if (trained.length !== pairs.length) return false
        return trained.every((run, index) => {
          const answer = `${pairs[index]?.[1]}${format.end}`
          return answer.endsWith(run) && answer.slice(0, answer.length - run.length).trim() === ''
        })
      }),
      { numRuns: 300 },
    )
    t.pass()
  })
}
