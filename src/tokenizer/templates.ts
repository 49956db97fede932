/** The chat templates of a model folder, in transformers' order of precedence. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LossmaskError } from '../errors.js'
import { describe, isObject, type JsonObject, readJson, readText } from './files.js'

/** Chat templates by name, and the file of the default one. */
export interface ChatTemplates {
  templates: Record<string, string>
  file: string | undefined
}

/**
 * `chat_template.jinja` (with `additional_chat_templates/`) before `chat_template.json` before `tokenizer_config.json` before
 * `processor_config.json`.
 */
export async function readChatTemplates(
  folder: string,
  tokenizerConfig: JsonObject,
  processorConfig: JsonObject,
): Promise<ChatTemplates> {
  const additional = await readAdditional(folder)
  const jinja = await readText(folder, 'chat_template.jinja')
  if (jinja !== undefined) return { templates: { ...additional, default: jinja }, file: 'chat_template.jinja' }
  const json = (await readJson(folder, 'chat_template.json')) ?? {}
  const sources = [
    ['chat_template.json', json],
    ['tokenizer_config.json', tokenizerConfig],
    ['processor_config.json', processorConfig],
  ] as const
  for (const [file, source] of sources) {
    const templates = fromConfig(source.chat_template, join(folder, file))
    if (Object.keys(templates).length > 0) return { templates: { ...templates, ...additional }, file }
  }
  return { templates: additional, file: Object.keys(additional).length > 0 ? 'additional_chat_templates' : undefined }
}

/** `chat_template` of a configuration: a text, a list of `{name, template}`, or an object of texts by name. */
function fromConfig(value: unknown, file: string): Record<string, string> {
  if (value === undefined || value === null) return {}
  if (typeof value === 'string') return { default: value }
  const entries: [unknown, unknown][] = Array.isArray(value)
    ? value.map(item => [isObject(item) ? item.name : undefined, isObject(item) ? item.template : item])
    : isObject(value)
      ? Object.entries(value)
      : [[undefined, value]]
  return Object.fromEntries(entries.map(([name, template], index) => named(name, template, index, file)))
}

function named(name: unknown, template: unknown, index: number, file: string): [string, string] {
  if (typeof name === 'string' && typeof template === 'string') return [name, template]
  throw new LossmaskError(
    'tokenizer-file-invalid',
    `expected a template's text under a name, found ${describe(template)} under ${describe(name)}`,
    { file, path: `chat_template[${index}]`, hint: 'a chat template is a text, or a list of {"name", "template"}' },
  )
}

async function readAdditional(folder: string): Promise<Record<string, string>> {
  const additional = join(folder, 'additional_chat_templates')
  const files = await readdir(additional).catch(() => [] as string[])
  const templates: Record<string, string> = {}
  for (const file of files.filter(name => name.endsWith('.jinja')).sort()) {
    templates[file.slice(0, -'.jinja'.length)] = (await readText(additional, file)) ?? ''
  }
  return templates
}
