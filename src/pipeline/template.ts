import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { LossmaskError } from '../errors.js'
import type { Notice } from '../strategies/index.js'
import type { LoadedTokenizer } from '../tokenizer/types.js'
import { existingFile } from './paths.js'

/** A chat template and where it comes from. */
export interface ChosenTemplate {
  /** For messages: a path, or `templates/chatml.jinja`. */
  name: string
  source: string
  /** The model's own template for rows with tools, where it has one. */
  tools?: { name: string; source: string }
}

/** What the config says of the template: of a dataset when it names one, else of the root. */
export interface TemplateChoice {
  chatTemplate?: string | undefined
  chatTemplateJinja?: string | undefined
  /** Which of the model's own templates, where it has several. (`lossmask.template`) */
  own?: string | undefined
  /** Where it says so: `` or `datasets[0].`. */
  place: string
}

const templates = new URL('../../templates/', import.meta.url)
const fallback = 'tokenizer_default_fallback_'

/** Names of the project's own templates. */
export function templateNames(): string[] {
  if (!existsSync(templates)) return []
  return readdirSync(templates)
    .filter(file => file.endsWith('.jinja'))
    .map(file => file.slice(0, -'.jinja'.length))
    .sort()
}

/**
 * The template that axolotl's `chat_template` and `chat_template_jinja` mean: `tokenizer_default` (the default) is the model's own,
 * `tokenizer_default_fallback_NAME` the model's own or else NAME, `jinja` the source or file in `chat_template_jinja`, any
 * other name one of the project's. `families` are names whose template may also be the model's own.
 *
 * @throws LossmaskError `template-missing` when the model has none, `template-unknown` for a name nobody knows.
 */
export function chooseTemplate(
  choice: TemplateChoice,
  tokenizer: LoadedTokenizer,
  families: readonly string[],
  bases: readonly string[],
): ChosenTemplate {
  const { chatTemplate, chatTemplateJinja, place } = choice
  const name = chatTemplate ?? (chatTemplateJinja === undefined ? 'tokenizer_default' : 'jinja')
  if (name === 'jinja') return given(chatTemplateJinja, place, bases)
  const own = ownTemplate(tokenizer, choice.own)
  if (name === 'tokenizer_default') {
    if (own !== undefined) return own
    throw new LossmaskError('template-missing', `${tokenizer.folder} has no chat template`, {
      path: `${place}chat_template`,
      hint: 'name one with chat_template, or give its source or file in chat_template_jinja',
    })
  }
  if (name.startsWith(fallback)) return own ?? shipped(name.slice(fallback.length)) ?? unknown(name, place, families)
  const template = shipped(name)
  if (template !== undefined) return template
  return families.includes(name) && own !== undefined ? own : unknown(name, place, families)
}

/**
 * What to tell of the choice: a family's name for which the project ships no template, so that the model's own serves.
 */
export function templateNotices({ chatTemplate, place }: TemplateChoice, chosen: ChosenTemplate | undefined): Notice[] {
  if (chosen === undefined || chatTemplate === undefined || chatTemplate === 'jinja') return []
  if (chatTemplate.startsWith('tokenizer_default') || shipped(chatTemplate) !== undefined) return []
  return [
    {
      code: 'template-of-model',
      severity: 'info',
      message: `${place}chat_template: lossmask has no template of its own for ${chatTemplate}: the model's is used, ${chosen.name}`,
      hint: 'chat_template: tokenizer_default says the same; name the family in lossmask.strategy',
    },
  ]
}

/** The model's own template. Of several `tool_use` is for rows with tools and `default` for all others, as in transformers. */
function ownTemplate(tokenizer: LoadedTokenizer, wanted: string | undefined): ChosenTemplate | undefined {
  const { chatTemplates, chatTemplateFile, folder } = tokenizer
  const template = (name: string) => {
    const source = chatTemplates[name]
    const file = chatTemplateFile ?? folder
    return source === undefined ? undefined : { name: name === 'default' ? file : `${file} (${name})`, source }
  }
  if (wanted !== undefined) {
    const found = template(wanted)
    if (found !== undefined) return found
    throw new LossmaskError('template-unknown', `the model has no chat template called ${JSON.stringify(wanted)}`, {
      path: 'lossmask.template',
      hint: `it has ${Object.keys(chatTemplates).sort().join(', ') || 'none'}`,
    })
  }
  const [usual, tools] = [template('default'), template('tool_use')]
  if (usual === undefined || tools === undefined) return usual ?? tools
  return { ...usual, tools }
}

function given(jinja: string | undefined, place: string, bases: readonly string[]): ChosenTemplate {
  if (jinja === undefined) {
    throw new LossmaskError('template-missing', 'chat_template is jinja, and chat_template_jinja is not given', {
      path: `${place}chat_template_jinja`,
      hint: 'write the template there, or the path of its file',
    })
  }
  const file = existingFile(jinja, bases)
  return file === undefined
    ? { name: `${place}chat_template_jinja`, source: jinja }
    : { name: jinja, source: readFileSync(file, 'utf8') }
}

function shipped(name: string): ChosenTemplate | undefined {
  if (!templateNames().includes(name)) return undefined
  return {
    name: `templates/${name}.jinja`,
    source: readFileSync(fileURLToPath(new URL(`${name}.jinja`, templates)), 'utf8'),
  }
}

function unknown(name: string, place: string, families: readonly string[]): never {
  const known = [...new Set([...templateNames(), ...families])].sort()
  throw new LossmaskError('template-unknown', `no chat template is called ${JSON.stringify(name)}`, {
    path: `${place}chat_template`,
    hint: `it is tokenizer_default, jinja, or one of ${known.join(', ')}`,
  })
}
