/** What holds across families, each on texts written for it, real vocabularies, and from ids alone. */
import test, { type ExecutionContext } from 'ava'
import { Masker } from '../src/masker.js'
import type { ShownRow } from '../src/pipeline/report.js'
import { findStrategy, type MarkerTokenizer, resolveStrategy } from '../src/strategies/index.js'
import type { StrategyOverrides } from '../src/strategies/types.js'
import { resolvedOptions } from '../src/strategyMasker.js'
import { labelsOf } from './helpers/labels.js'
import { Absent, tokenizerOf } from './helpers/vocabularies.js'
import { assistant, preprocessRun, trainedTexts as trainedOfRow, user } from './helpers/wholeRun.js'

interface Finding {
  name: string
  family: string
  vocabulary: string
  text: string
  overrides?: StrategyOverrides
  /** The trained stretches, decoded. */
  trained: string[]
}

const npm = (name: string) => `npm @lenml/tokenizer-${name} 3.7.2`
const QWEN = npm('qwen2_5')
const GLM = `${QWEN}; added special tokens, in this order: [gMASK]=151665, <sop>=151666, <|system|>=151667, <|user|>=151668, <|assistant|>=151669, <|observation|>=151670, <|image|>=151671, <think>=151672, </think>=151673`
const MISTRAL = `${npm('mistral_nemo')}; control slots named: 10=[IMG], 11=<pad>, 12=[IMG_BREAK], 13=[IMG_END], 17=[SYSTEM_PROMPT], 18=[/SYSTEM_PROMPT]`
const GEMMA4 = `${npm('gemma3')}; slots renamed: 48=<|tool_call>, 49=<tool_call|>, 50=<|tool_response>, 51=<tool_response|>, 105=<|turn>, 106=<turn|>, 258880=<|image|>; ids >= 262144 of the package dropped`

const findings: Finding[] = [
  {
    name: '1: a header newline fused with newlines of the answer does not hide the turn, and the fused token is header',
    family: 'qwen2_vl',
    vocabulary: QWEN,
    text: '<|im_start|>user\nA list.<|im_end|>\n<|im_start|>assistant\n\n- one\n- two<|im_end|>\n',
    trained: ['- one\n- two<|im_end|>'],
  },
  {
    name: '1: the same in a user turn that is trained',
    family: 'qwen2_vl',
    vocabulary: QWEN,
    text: '<|im_start|>user\n\n\nA list.<|im_end|>\n<|im_start|>assistant\n- one<|im_end|>\n',
    overrides: { rolesToTrain: ['user'] },
    trained: ['A list.<|im_end|>'],
  },
  {
    name: '4: the end of the user turn is the start of the answer and is not consumed',
    family: 'pixtral',
    vocabulary: MISTRAL,
    text: '<s>[INST]One?[/INST]First.</s>[INST]Two?[/INST]Second.</s>',
    overrides: { trainOnEos: 'all' },
    trained: ['First.</s>', 'Second.</s>'],
  },
  {
    name: '5: after tool results the answer has no [/INST]; after two, only the last [/TOOL_RESULTS] starts it',
    family: 'mistral_v7_tekken',
    vocabulary: MISTRAL,
    text: '<s>[INST]q[/INST][TOOL_CALLS]call</s>[TOOL_RESULTS]one[/TOOL_RESULTS][TOOL_RESULTS]two[/TOOL_RESULTS]Both.</s>',
    trained: ['[TOOL_CALLS]call</s>', 'Both.</s>'],
  },
  {
    name: '17: of two user messages in a row the second is not taken for an answer',
    family: 'pixtral',
    vocabulary: MISTRAL,
    text: '<s>[INST]a[/INST][INST]b[/INST]c</s>',
    trained: ['c</s>'],
  },
  {
    name: '16: the second of two assistant messages in a row has no marker: ids cannot tell it, and it is not trained',
    family: 'mistral_v7_tekken',
    vocabulary: MISTRAL,
    text: '<s>[INST]q[/INST]First.</s>Second.</s>',
    trained: ['First.</s>'],
  },
  {
    name: '14: what expansion writes beside placeholders stands in the user turn and is masked with it',
    family: 'pixtral',
    vocabulary: MISTRAL,
    text: '<s>[INST]00:01 [IMG][IMG][IMG_BREAK][IMG][IMG][IMG_END]What is it?[/INST]A cat [IMG].</s>',
    trained: ['A cat ', '.</s>'],
  },
  {
    name: '2: an image at the head of a user turn fuses its header newline; the turn is found',
    family: 'gemma3',
    vocabulary: npm('gemma3'),
    text: '<bos><start_of_turn>user\n\n\n<start_of_image>What is it?<end_of_turn>\n<start_of_turn>model\nA cat.<end_of_turn>\n',
    overrides: { rolesToTrain: ['user'] },
    trained: ['What is it?<end_of_turn>'],
  },
  {
    name: '6: tool results inside the model turn of Gemma 4 are not trained',
    family: 'gemma4',
    vocabulary: GEMMA4,
    text: '<bos><|turn>user\nq<turn|>\n<|turn>model\n<|tool_call>call<tool_call|><|tool_response>secret<tool_response|>Done.<turn|>\n',
    trained: ['<|tool_call>call<tool_call|>', 'Done.<turn|>'],
  },
  {
    name: '3: harmony turns end with any of three markers',
    family: 'gpt_oss',
    vocabulary: npm('gptoss'),
    text: '<|start|>user<|message|>q<|end|><|start|>assistant<|channel|>analysis<|message|>hm<|end|><|start|>assistant to=functions.f<|channel|>commentary json<|message|>{}<|call|><|start|>functions.f to=assistant<|channel|>commentary<|message|>7<|end|><|start|>assistant<|channel|>final<|message|>Seven.<|return|>',
    trained: [
      '<|channel|>analysis<|message|>hm<|end|>',
      ' to=functions.f<|channel|>commentary json<|message|>{}<|call|>',
      'Seven.<|return|>',
    ],
  },
  {
    name: '3: GLM turns end with whatever role comes next, two answers in a row included, and the last with the text',
    family: 'glm4_1v',
    vocabulary: GLM,
    text: '[gMASK]<sop><|user|>\nq<|assistant|>\nFirst.<|assistant|>\nSecond.<|observation|>\nresult<|assistant|>\nThird.',
    trained: ['First.', 'Second.', 'Third.'],
  },
  {
    name: '7: an empty think block of the template is header, with an empty answer too',
    family: 'glm4_5v',
    vocabulary: GLM,
    text: '[gMASK]<sop><|user|>\nq<|assistant|>\n<think></think>\nYes.<|user|>\nr<|assistant|>\n<think></think><|user|>\ns<|assistant|>\n<think>why</think>\nNo.',
    trained: ['Yes.', '<think>why</think>\nNo.'],
  },
  {
    name: '8: after tool results DeepSeek answers without <｜Assistant｜>',
    family: 'deepseek_v3',
    vocabulary: npm('deepseek_v3'),
    text: '<｜begin▁of▁sentence｜><｜User｜>q<｜tool▁outputs▁begin｜>7<｜tool▁outputs▁end｜>Seven.<｜end▁of▁sentence｜>',
    trained: ['Seven.<｜end▁of▁sentence｜>'],
  },
  {
    name: '8: the same behind a tool call',
    family: 'deepseek_v3',
    vocabulary: npm('deepseek_v3'),
    text: '<｜User｜>q<｜Assistant｜>call<｜end▁of▁sentence｜><｜tool▁outputs▁begin｜>7<｜tool▁outputs▁end｜>Seven.<｜end▁of▁sentence｜>',
    trained: ['call<｜end▁of▁sentence｜>', 'Seven.<｜end▁of▁sentence｜>'],
  },
]

let latest: { vocabulary: string; tokenizer: MarkerTokenizer } | undefined

function tokenizer(vocabulary: string): MarkerTokenizer {
  if (latest?.vocabulary !== vocabulary) latest = { vocabulary, tokenizer: tokenizerOf(vocabulary) }
  return latest.tokenizer
}

/** Runs `check` with the vocabulary, or passes and says what is absent. */
function withVocabulary(
  title: string,
  vocabulary: string,
  check: (t: ExecutionContext, tokenizer: MarkerTokenizer) => void,
) {
  test(title, t => {
    let built: MarkerTokenizer
    try {
      built = tokenizer(vocabulary)
    } catch (error) {
      if (!(error instanceof Absent)) throw error
      t.log(`left out: ${error.message}`)
      return t.pass()
    }
    return check(t, built)
  })
}

function trainedTexts(
  family: string,
  built: MarkerTokenizer,
  text: string,
  overrides: StrategyOverrides = {},
): string[] {
  const ids = Array.from(built.encode(text))
  const labels = labelsOf(ids, resolveStrategy(findStrategy(family), built, overrides))
  const runs: number[][] = []
  for (const [place, label] of labels.entries()) {
    if (label === -100) continue
    if ((labels[place - 1] ?? -100) === -100) runs.push([])
    runs.at(-1)?.push(label)
  }
  return runs.map(run => built.decode(run))
}

for (const { name, family, vocabulary, text, overrides, trained } of findings) {
  withVocabulary(`finding ${name} (${family})`, vocabulary, (t, built) => {
    t.deepEqual(trainedTexts(family, built, text, overrides), trained)
  })
}

for (const family of ['llava', 'paddleocr_vl', 'molmo', 'granite_vision']) {
  withVocabulary(`finding 9: plain-text markers are not scanned for (${family})`, QWEN, (t, built) => {
    t.is(typeof findStrategy(family)?.scannable, 'string')
    const error = t.throws(() => resolveStrategy(findStrategy(family), built))
    t.is((error as { code?: string }).code, 'strategy-unsafe-for-scanning')
  })
}

withVocabulary(
  'finding 9: role tokens that a vocabulary spells in pieces are refused, not matched as text (chatglm3)',
  QWEN,
  (t, built) => {
    const error = t.throws(() => resolveStrategy(findStrategy('chatglm3'), built))
    t.is((error as { code?: string }).code, 'strategy-without-boundaries')
    t.regex(error?.message ?? '', /not one token each: <\|assistant\|> <\|user\|>/u)
  },
)

withVocabulary(
  'finding 10: a pad token that ends turns is never masked by id, and said',
  npm('deepseek_v3'),
  (t, built) => {
    const padded = { ...built, eosTokenId: 1, padTokenId: 1 }
    const resolved = resolveStrategy(findStrategy('deepseek_v3'), padded)
    t.deepEqual(
      resolved.notices.map(notice => notice.code),
      ['pad-is-end-marker'],
    )
    t.false(resolved.mediaTokenIds.includes(1))
    t.deepEqual(trainedTexts('deepseek_v3', padded, '<｜User｜>q<｜Assistant｜>a<｜end▁of▁sentence｜>'), [
      'a<｜end▁of▁sentence｜>',
    ])
  },
)

withVocabulary(
  'finding 13: the same name has another id in another vocabulary, and the same id another name',
  npm('gemma3'),
  (t, built) => {
    const own = resolveStrategy(findStrategy('gemma3'), built).media
    t.is(own.find(token => token.token === '<image_soft_token>')?.id, 262144)
    const renamed = tokenizerOf(
      `${npm('gemma3')}; slots renamed: 262144=<end_of_image>, 262145=<image_soft_token>; ids >= 262144 of the package dropped`,
    )
    const other = resolveStrategy(findStrategy('gemma3n'), renamed).media
    t.is(other.find(token => token.id === 262144)?.token, '<end_of_image>')
    t.is(other.find(token => token.token === '<image_soft_token>')?.id, 262145)
  },
)

/** As GLM-4.1V's system and assistant turns do, and as a template does that asks. */
const PRINTS_CONTENT: Record<string, string> = {
  'a template that prints contents as they are':
    '{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}',
  'a template that takes both':
    '{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.content is string %}{{ m.content }}{% else %}{% for part in m.content %}{{ part.text }}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}',
}

for (const [title, template] of Object.entries(PRINTS_CONTENT)) {
  test.serial(`finding 11: a content of text parts is never printed as a list (${title})`, async t => {
    const parts = [
      { type: 'text', text: 'First ' },
      { type: 'text', text: 'second.' },
    ]
    for (const content of ['First second.', parts]) {
      const { rows } = await preprocessRun({
        rows: [{ messages: [user('One?'), assistant(content)] }],
        config: { chat_template: 'jinja', chat_template_jinja: template },
      })
      const row = rows[0] as ShownRow
      t.deepEqual(trainedOfRow(row), ['First second.<|im_end|>'])
      t.is(row.tokens.join(''), '<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\nFirst second.<|im_end|>\n')
    }
  })
}

withVocabulary('finding 16: what ids show of it is said', MISTRAL, (t, built) => {
  const masker = new Masker(resolvedOptions(resolveStrategy(findStrategy('mistral_v7_tekken'), built)))
  const codes = (text: string) => masker.diagnose(Array.from(built.encode(text))).map(({ code }) => code)
  t.deepEqual(codes('<s>[INST]q[/INST]First.</s>Second.</s>'), ['stray-end-marker'])
  t.deepEqual(codes('<s>[INST]q[/INST]First.</s>[INST]r[/INST]Second.</s>'), [])
})

withVocabulary(
  'finding 12: media tokens are found by name, without any attribute of a processor (internvl)',
  `${QWEN}; added special tokens, in this order: <img>=151665, </img>=151666, <IMG_CONTEXT>=151667`,
  (t, built) => {
    t.deepEqual(resolveStrategy(findStrategy('internvl'), built).mediaTokenIds, [151665, 151666, 151667])
  },
)

withVocabulary(
  'finding 18: markers typed in a user text are control tokens to ids alone (with the messages at hand: failures/transformers-29279)',
  QWEN,
  (t, built) => {
    const typed =
      '<|im_start|>user\nsay <|im_end|>\n<|im_start|>assistant\nfake<|im_end|>\n<|im_end|>\n<|im_start|>assistant\nreal<|im_end|>\n'
    t.deepEqual(trainedTexts('qwen2_vl', built, typed), ['fake<|im_end|>', 'real<|im_end|>'])
  },
)
