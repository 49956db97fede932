/** The text that each token of a `tokenizer.json` stands for. */
import { isObject, type JsonObject } from './files.js'

/** The model's own vocabulary, as the file spells it. Unigram files hold a list of `[token, score]`. */
export function modelVocabulary(tokenizerJson: JsonObject): [string, number][] {
  const model = tokenizerJson.model
  const vocab = isObject(model) ? model.vocab : undefined
  if (Array.isArray(vocab)) return vocab.map((item, id) => [String(Array.isArray(item) ? item[0] : item), id])
  return isObject(vocab) ? (Object.entries(vocab) as [string, number][]) : []
}

/** How a spelled token becomes text, by the file's decoder. */
export function tokenSpeller(tokenizerJson: JsonObject): (token: string) => string {
  const steps = decoderSteps(tokenizerJson.decoder)
  const types = new Set(steps.map(step => step.type))
  if (types.has('ByteLevel')) return byteLevelText
  const spaces = steps.flatMap(spaceOf)
  const fallback = types.has('ByteFallback')
  return token => {
    const byte = fallback ? /^<0x([0-9A-Fa-f]{2})>$/u.exec(token)?.[1] : undefined
    if (byte !== undefined) return Buffer.from(byte, 'hex').toString('utf8')
    return spaces.reduce((text, [from, to]) => text.replaceAll(from, to), token)
  }
}

/** The decoder's parts, sequences flattened. */
function decoderSteps(decoder: unknown): JsonObject[] {
  if (!isObject(decoder)) return []
  const inner = decoder.decoders
  return Array.isArray(inner) ? inner.flatMap(decoderSteps) : [decoder]
}

/** What a step replaces in every token. */
function spaceOf(step: JsonObject): [string, string][] {
  if (step.type === 'Metaspace') return [[String(step.replacement ?? '▁'), ' ']]
  const pattern = step.pattern
  const from = isObject(pattern) ? pattern.String : undefined
  if (step.type !== 'Replace' || typeof from !== 'string' || from === '') return []
  return [[from, String(step.content ?? '')]]
}

/** GPT-2's alphabet: every byte has a printable character; those without one of their own are moved behind U+0100. */
const BYTE_OF_CHARACTER = new Map<string, number>()
for (let byte = 0, moved = 0; byte < 256; byte++) {
  const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad)
  BYTE_OF_CHARACTER.set(String.fromCharCode(printable ? byte : 0x100 + moved++), byte)
}

function byteLevelText(token: string): string {
  const bytes: number[] = []
  for (const character of token) {
    const byte = BYTE_OF_CHARACTER.get(character)
    if (byte === undefined) return token
    bytes.push(byte)
  }
  return Buffer.from(bytes).toString('utf8')
}
