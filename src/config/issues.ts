/** What zod found, as issues with a place in the file. */
import type { z } from 'zod'
import type { Issue } from '../errors.js'
import { nearestType } from '../formats/index.js'
import { type Path, pathText, type Source } from './source.js'
import { judgeUnknownKey } from './unknown.js'

type ZodIssue = z.core.$ZodIssue

/** Issues of a config, found in `validated`, in the order in which they are in the file. */
export function toIssues(found: readonly ZodIssue[], source: Source, validated: unknown): Issue[] {
  return found.flatMap(issue => toIssue(issue, source, validated))
}

function toIssue(issue: ZodIssue, source: Source, validated: unknown): Issue[] {
  const path = issue.path as Path
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.flatMap(key => {
      const verdict = judgeUnknownKey(key, path, source)
      return verdict.kind === 'error' ? [verdict.issue] : []
    })
  }
  const value = valueAt(validated, path)
  if (value === undefined) {
    const name = String(path[path.length - 1])
    const parent = path.slice(0, -1)
    return [
      {
        code: 'config-missing-key',
        message: `\`${name}\` is missing`,
        path: pathText(path),
        ...source.valuePlace(parent),
        hint: `expected ${expectation(issue)}`,
      },
    ]
  }
  const hint = hintFor(path, value)
  return [
    {
      code: 'config-invalid-value',
      message: `expected ${expectation(issue)}, found ${show(value)}`,
      path: pathText(path),
      ...(issue.code === 'invalid_key' ? source.keyPlace(path) : source.valuePlace(path)),
      ...(hint === undefined ? {} : { hint }),
    },
  ]
}

/** What was expected, in the words of the file. */
function expectation(issue: ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return NAMES[issue.expected] ?? issue.expected
    case 'invalid_value':
      return alternatives(issue.values.map(String))
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array'
        ? `${NAMES[issue.origin]} that is not empty`
        : `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`
    case 'too_big':
      return `at most ${issue.maximum}`
    case 'invalid_key':
      return 'other keys'
    default:
      return issue.message.replace(/^expected /u, '')
  }
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
}

function alternatives(values: string[]): string {
  return values.length < 2 ? values.join() : `${values.slice(0, -1).join(', ')} or ${values[values.length - 1]}`
}

/** Corrections that people need most. */
function hintFor(path: Path, value: unknown): string | undefined {
  const name = path[path.length - 1]
  if (name === 'type' && path[0] !== 'lossmask') return typeHint(value)
  if (typeof value === 'string' && LISTS.has(String(name))) return `write ${String(name)}: [${value}]`
  if (name === 'datasets' || name === 'test_datasets') return 'write a list: `- path: data.jsonl`'
  return undefined
}

const LISTS = new Set(['roles_to_train', 'eot_tokens', 'tokens', 'additional_special_tokens'])

function typeHint(value: unknown): string {
  if (typeof value === 'string' && value.startsWith('sharegpt')) {
    return 'axolotl dropped sharegpt: write type: chat_template, field_messages: conversations and message_property_mappings: {role: from, content: value}'
  }
  return typeof value === 'string' ? nearestType(value) : 'a mapping takes field_instruction, format and their like'
}

/** A value, short enough for a line. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (parent, step) =>
      typeof parent === 'object' && parent !== null ? (parent as Record<string | number, unknown>)[step] : undefined,
    value,
  )
}
