/**
 * lossmask through N-API beside JavaScript and a copy of the same row, call included. Outputs are compared before anything is
 * timed; the contestants take turns, and figures are medians over the rounds.
 */

import { Masker } from '../dist/index.js'
import { conversation, maskerOptions, scannerOptions } from './conversation.js'
import { jsScanner } from './js-scanner.js'

const lengths = [128, 512, 8192, 131072, 1 << 20]
const turns = [30, 200, 2000]

/** Rows of the table: tokens, turn, and for each contestant G tokens/s. */
export function benchNode({ rounds = 31 } = {}) {
  const masker = new Masker(maskerOptions)
  const scan = jsScanner(scannerOptions)
  const rows = []
  for (const length of lengths) {
    for (const turn of turns) {
      if (turn > length * 2) continue
      const ids = conversation(turn, length)
      const wide = BigInt64Array.from(ids, BigInt)
      const out = new Int32Array(length)
      const wideOut = new BigInt64Array(length)
      const expected = new Int32Array(length)
      scan(ids, expected)
      same(masker.labels(ids), expected)
      same(masker.labelsInto(ids, out), expected)
      same(Int32Array.from(masker.labelsInto(wide, wideOut), Number), expected)
      const contestants = {
        copy: () => out.set(ids),
        javascript: () => scan(ids, out),
        labelsInto: () => masker.labelsInto(ids, out),
        labels: () => masker.labels(ids),
        'labelsInto, i64': () => masker.labelsInto(wide, wideOut),
      }
      rows.push({ tokens: length, turn, ...figures(contestants, length, rounds) })
    }
  }
  return rows
}

function figures(contestants, length, rounds) {
  const calls = Math.max(1, Math.floor(400_000 / length))
  const names = Object.keys(contestants)
  for (const name of names) for (let call = 0; call < Math.min(20_000, calls * 20); call++) contestants[name]()
  const seconds = Object.fromEntries(names.map(name => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const call = contestants[name]
      const start = process.hrtime.bigint()
      for (let left = calls; left > 0; left--) call()
      seconds[name].push(Number(process.hrtime.bigint() - start) / 1e9 / calls)
    }
  }
  const speed = Object.fromEntries(names.map(name => [name, length / median(seconds[name]) / 1e9]))
  const ratio = (name, rival) => median(seconds[name].map((value, round) => seconds[rival][round] / value))
  return {
    gigatokensPerSecond: speed,
    labelsIntoToJavascript: ratio('labelsInto', 'javascript'),
    labelsIntoToCopy: ratio('labelsInto', 'copy'),
    microsecondsPerCall: length / speed.labelsInto / 1e3,
  }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

function same(actual, expected) {
  if (Buffer.compare(Buffer.from(actual.buffer), Buffer.from(expected.buffer)) !== 0) {
    throw new Error('lossmask and the JavaScript scanner give different labels')
  }
}
