/** Model folders made up for a test. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A new folder with these files; what is neither text nor bytes is written as JSON. */
export function folderOf(files: Record<string, unknown>): string {
  const folder = mkdtempSync(join(tmpdir(), 'lossmask-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    const raw = typeof content === 'string' || content instanceof Uint8Array
    writeFileSync(join(folder, name), raw ? content : JSON.stringify(content))
  }
  return folder
}

const flags = { special: true, single_word: false, lstrip: false, rstrip: false, normalized: false }

/** A byte-level vocabulary of single letters, two merged tokens (`\n\n`, `ab`) and two control tokens. */
export const tinyTokenizer = {
  version: '1.0',
  added_tokens: [
    { id: 8, content: '<|end|>', ...flags },
    { id: 9, content: '<pad>', ...flags },
  ],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: null,
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    vocab: { a: 0, b: 1, Ċ: 2, ĊĊ: 3, Ġ: 4, ab: 5, Ã: 6, '©': 7 },
    merges: [
      ['Ċ', 'Ċ'],
      ['a', 'b'],
    ],
    unk_token: null,
  },
}

/** The same with ChatML's control tokens and the letters of its role names; `\n\n` is one token wherever it stands. */
export const tinyChatml = {
  ...tinyTokenizer,
  pre_tokenizer: { ...tinyTokenizer.pre_tokenizer, use_regex: false },
  model: {
    ...tinyTokenizer.model,
    vocab: {
      ...tinyTokenizer.model.vocab,
      s: 10,
      i: 11,
      t: 12,
      n: 13,
      u: 14,
      e: 15,
      r: 16,
      y: 17,
      m: 18,
    },
  },
  added_tokens: [
    { id: 20, content: '<|im_start|>', ...flags },
    { id: 21, content: '<|im_end|>', ...flags },
  ],
}
