/** A probe conversation through a family's template, tokenizer and boundaries: what is trained must be its answers, and nothing else. */
import type { Issue } from '../errors.js'
import type { MarkerTokenizer, ResolvedStrategy } from './types.js'

/** A message of the probe. */
export interface ProbeMessage {
  role: 'user' | 'assistant'
  content: string
}

/** The probe, rendered, tokenized and masked. */
export interface ProbeRow {
  ids: ArrayLike<number>
  /** -100 where not trained. */
  labels: ArrayLike<number>
}

/** What came of it. */
export interface SelfTest {
  passed: boolean
  /** The probe as its tokens read. */
  text: string
  /** Its tokens one by one, as they are masked. */
  tokens: { id: number; text: string; trained: boolean }[]
  /** What went wrong, with what stands where a start marker was expected. */
  issues: Issue[]
}

/** The conversation to render with the model's chat template, without a generation prompt. */
export const PROBE: readonly ProbeMessage[] = [
  { role: 'user', content: 'Which colour has fresh snow?' },
  { role: 'assistant', content: 'White, nearly always.' },
  { role: 'user', content: 'And a ripe lemon?' },
  { role: 'assistant', content: 'Yellow on every side.' },
]

/** Looks at the masked probe. A failure means that this tokenizer and template do not write turns as the strategy says. */
export function selfTest(resolved: ResolvedStrategy, tokenizer: MarkerTokenizer, row: ProbeRow): SelfTest {
  const ids = Array.from(row.ids, Number)
  const labels = Array.from(row.labels, Number)
  const text = tokenizer.decode(ids)
  const tokens = ids.map((id, place) => ({ id, text: tokenizer.decode([id]), trained: labels[place] !== -100 }))
  const trained = trainedTexts(tokenizer, ids, labels)
  const issues = PROBE.flatMap((message, index) => {
    const wanted = resolved.trainOnInputs || resolved.rolesToTrain.includes(message.role)
    const found = trained.some(run => run.includes(message.content))
    if (wanted === found) return []
    return [wanted ? turnMissing(resolved, tokenizer, message, textBefore(text, index)) : promptTrained(message)]
  })
  return { passed: issues.length === 0, text, tokens, issues }
}

/** The trained stretches of a row as text. */
function trainedTexts(tokenizer: MarkerTokenizer, ids: readonly number[], labels: readonly number[]): string[] {
  const runs: number[][] = []
  ids.forEach((id, place) => {
    if (labels[place] === -100) return
    if (place === 0 || labels[place - 1] === -100) runs.push([])
    runs.at(-1)?.push(id)
  })
  return runs.map(run => tokenizer.decode(run))
}

/** What the template wrote between a message and the one before; `undefined` when it did not write the message. */
function textBefore(text: string, index: number): string | undefined {
  const previous = PROBE[index - 1]?.content
  const from = previous === undefined ? 0 : text.indexOf(previous) + previous.length
  const to = text.indexOf((PROBE[index] as ProbeMessage).content)
  return to < 0 ? undefined : text.slice(from, to)
}

function turnMissing(
  resolved: ResolvedStrategy,
  tokenizer: MarkerTokenizer,
  message: ProbeMessage,
  found: string | undefined,
): Issue {
  const code = 'self-test-failed'
  const path = 'chat_template'
  const content = JSON.stringify(message.content)
  if (found === undefined) return { code, message: `the chat template does not write ${content}`, path }
  const boundaries = resolved.boundaries.filter(boundary => boundary.role === message.role)
  const starts = boundaries.flatMap(boundary => boundary.starts.map(start => shown(tokenizer, start)))
  const stands = shown(tokenizer, Array.from(tokenizer.encode(found), Number))
  return {
    code,
    message: `no ${message.role} turn of ${resolved.title} is found: before ${content} stands ${stands}`,
    path,
    hint: `expected ${starts.join(' or ')}; name the right family in lossmask.strategy, or declare role_boundaries`,
  }
}

function promptTrained(message: ProbeMessage): Issue {
  return {
    code: 'self-test-failed',
    message: `a ${message.role} message would be trained: ${JSON.stringify(message.content)}`,
    path: 'chat_template',
    hint: 'the template ends turns with another marker than the family does: declare role_boundaries',
  }
}

function shown(tokenizer: MarkerTokenizer, ids: number[]): string {
  return `${JSON.stringify(tokenizer.decode(ids))} [${ids.join(', ')}]`
}
