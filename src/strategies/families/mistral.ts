import type { RoleMarkers, Strategy } from '../types.js'
import { before, end, eos, role } from './parts.js'

/**
 * `[/INST]` ends the user turn and opens the answer; after tool results `[/TOOL_RESULTS]` does. Neither always opens one: a second user
 * message or a second tool result may follow, so `[INST]` and `[TOOL_RESULTS]` end an answer that has not begun.
 */
const TURNS: readonly RoleMarkers[] = [
  role('user', '[INST]', [], [before('[/INST]')]),
  role('assistant', '[/INST]', [], [eos('</s>'), before('[INST]')]),
  role('assistant', '[/TOOL_RESULTS]', [], [eos('</s>'), before('[TOOL_RESULTS]'), before('[INST]')]),
  role('tool', '[TOOL_RESULTS]', [], [before('[/TOOL_RESULTS]')]),
]
const SYSTEM = role('system', '[SYSTEM_PROMPT]', [], [end('[/SYSTEM_PROMPT]')])
const INST = ['[INST]', '[/INST]'] as const
const IMAGES = ['[IMG]', '[IMG_BREAK]', '[IMG_END]'] as const
const TOOLS = 'the answer after tool results stands right behind [/TOOL_RESULTS], without [/INST]'

const common = {
  aliases: [],
  processors: [],
  exclude: [],
  scannable: true,
  verified: 'real vocabulary and template',
} as const

/** Pixtral. */
export const pixtral: Strategy = {
  ...common,
  name: 'pixtral',
  title: 'Pixtral',
  processors: ['PixtralProcessor'],
  roles: TURNS,
  control: [...INST, '[TOOL_RESULTS]', '[/TOOL_RESULTS]'],
  media: IMAGES,
  template: 'pixtral',
  detect: [
    { tokens: [...INST, ...IMAGES], withoutTokens: ['[SYSTEM_PROMPT]'] },
    { tokens: [...INST, ...IMAGES], template: ['[INST]', '[IMG]'], withoutTemplate: ['[SYSTEM_PROMPT]'] },
  ],
  verification: 'tekken 240911 vocabulary, axolotl template pixtral, mistral-common v3',
  notes: [TOOLS, 'the template writes the system text only when the last message is a user message'],
}

/** Mistral V7 Tekken: Mistral Small 3.x with its jinja template. */
export const mistralV7Tekken: Strategy = {
  ...common,
  name: 'mistral_v7_tekken',
  title: 'Mistral V7 Tekken (Mistral Small 3.x)',
  roles: [SYSTEM, ...TURNS],
  control: ['[SYSTEM_PROMPT]', '[/SYSTEM_PROMPT]', ...pixtral.control],
  media: IMAGES,
  template: 'mistral_v7_tekken',
  detect: [
    { tokens: [...INST, ...IMAGES, '[SYSTEM_PROMPT]'], template: ['[SYSTEM_PROMPT]'] },
    { tokens: [...INST, '[SYSTEM_PROMPT]'], template: ['[SYSTEM_PROMPT]'] },
  ],
  verification: 'tekken 240911 vocabulary, axolotl template mistral_v7_tekken, mistral-common v7',
  notes: [TOOLS, 'of two assistant messages in a row the second has no start marker and is not found by an id scan'],
}

/** Mistral V3 Tekken: Nemo and its kin. */
export const mistralV3Tekken: Strategy = {
  ...pixtral,
  name: 'mistral_v3_tekken',
  title: 'Mistral V3 Tekken (Nemo)',
  processors: [],
  media: [],
  template: 'mistral_v3_tekken',
  detect: [{ tokens: INST, withoutTokens: ['[IMG]', '[SYSTEM_PROMPT]'] }],
  verification: 'tekken 240911 vocabulary, mistral-common v3',
  notes: [TOOLS],
}

/** Mistral Small 3.x, Magistral, Devstral and Ministral 3 as mistral-common encodes them (v7, v11, v13). */
export const mistral3: Strategy = {
  ...mistralV7Tekken,
  name: 'mistral3',
  title: 'Mistral3 (mistral-common v7/v11/v13: Small 3.x, Magistral, Devstral, Ministral 3)',
  processors: ['Mistral3Processor'],
  detect: [
    { tokens: [...INST, ...IMAGES, '[SYSTEM_PROMPT]'], withoutTokens: ['[AUDIO]'] },
    { tokens: [...INST, '[SYSTEM_PROMPT]'], withoutTokens: ['[AUDIO]'] },
  ],
  verification: 'tekken 240911 vocabulary, mistral-common v7, v11 and v13',
  notes: [
    TOOLS,
    '[THINK]..[/THINK] and [TOOL_CALLS] are model output and trained',
    'mistral-common joins messages of one role and strips trailing blanks of an answer',
  ],
}

/** Voxtral. */
export const voxtral: Strategy = {
  ...mistral3,
  name: 'voxtral',
  title: 'Voxtral',
  processors: ['VoxtralProcessor'],
  media: ['[AUDIO]', '[BEGIN_AUDIO]'],
  detect: [{ tokens: [...INST, '[AUDIO]', '[BEGIN_AUDIO]'] }],
  verification: 'tekken 240911 vocabulary with its audio slots named, mistral-common v7',
  notes: [
    TOOLS,
    'in transcription rows the prompt part lang:xx[TRANSCRIBE] stands behind [/INST] and is trained with the answer',
  ],
}
