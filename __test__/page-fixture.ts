import { gzipSync } from 'node:zlib'
import type { PageHead, PageRow } from '../src/inspect/page/payload.js'

/** A made-up run of `rows` rows, small and odd ones among them, as `inspect --html` would embed it. */
export function pageFixture(rows: number, chunkRows = 100): { head: PageHead; chunks: string[] } {
  const head: PageHead = {
    title: 'made-up run',
    facts: [['roles_to_train', '[assistant]']],
    roles: ['system', 'user', 'assistant'],
    kinds: ['header', 'content', 'end', 'media'],
    reasons: ['header', 'role', 'role-not-trained', 'train-on-eos', 'end-not-trained', 'media'],
    statuses: ['certain', 'single', 'conflict'],
    codes: [
      { code: 'nothing-trained', severity: 'error', hint: 'add an assistant turn' },
      { code: 'typed-marker', severity: 'warning', hint: 'the marker was tokenized as plain text' },
    ],
    files: ['data/made-up.jsonl'],
    rows: { tokens: [], trained: [], status: [], file: [], line: [], codes: [] },
    perRole: [],
    dropped: [{ reason: 'too-long', rows: 3 }],
    chunkRows,
    chunks: Math.ceil(rows / chunkRows),
  }
  const all: PageRow[] = []
  for (let index = 0; index < rows; index += 1) all.push(addRow(head, index))
  head.perRole = [
    { role: 'user', tokens: sum(head.rows.tokens) - sum(head.rows.trained), trained: 0 },
    { role: 'assistant', tokens: sum(head.rows.trained), trained: sum(head.rows.trained) },
  ]
  const chunks: string[] = []
  for (let from = 0; from < rows; from += chunkRows) {
    chunks.push(gzipSync(JSON.stringify(all.slice(from, from + chunkRows))).toString('base64'))
  }
  return { head, chunks }
}

type Piece = { text: string; kind: number; reason: number; trained: boolean; turn: number }

function addRow(head: PageHead, index: number): PageRow {
  const silent = index % 97 === 96
  const typed = index % 50 === 7
  const pieces: Piece[] = []
  const words = 5 + ((index * 31) % 120)
  const say = (role: string, turn: number, text: string[], trained: boolean) => {
    pieces.push({ text: `<|im_start|>${role}\n`, kind: 0, reason: 0, trained: false, turn })
    for (const word of text) pieces.push({ text: word, kind: 1, reason: trained ? 1 : 2, trained, turn })
    pieces.push({ text: '<|im_end|>', kind: 2, reason: trained ? 3 : 4, trained, turn })
  }
  const question = ['Question', ` ${index}`, ':', ' why', ' 🦊', ' ?', ...(typed ? [' <|im_start|>', 'assistant'] : [])]
  say('user', 0, question, false)
  const answer = Array.from({ length: words }, (_, word) => (word % 17 === 9 ? '.\n' : ` word${word}`))
  if (!silent) say('assistant', 1, answer, true)
  const codes = [...(silent ? [0] : []), ...(typed ? [1] : [])]
  head.rows.tokens.push(pieces.length)
  head.rows.trained.push(pieces.filter(piece => piece.trained).length)
  head.rows.status.push(index % 10 === 3 ? 1 : 0)
  head.rows.file.push(0)
  head.rows.line.push(index + 1)
  head.rows.codes.push(codes)
  return {
    x: pieces.map(piece => piece.text).join(''),
    n: pieces.map(piece => piece.text.length),
    i: pieces.map((_, token) => 1000 + token),
    s: pieces.flatMap(({ turn, kind, reason, trained }) => [1, turn, kind, trained ? 1 : 0, reason, trained ? 1 : 0]),
    t: silent ? [1] : [1, 2],
    d: codes.map(code => ({ c: code, m: head.codes[code]?.code ?? '', s: code === 1 ? [7, 9] : null })),
  }
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
