/** The keys that lossmask reads, in the words of the file (snake_case) and with what they may hold. Defaults are axolotl's. */
import { z } from 'zod'
import { isRowFormat, settingsOfMapping } from '../formats/index.js'

/** `train_on_eos` as a property. */
export type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S

/** The object with the names of its own keys in camelCase. */
export type CamelKeys<T> = { [K in keyof T as K extends string ? CamelCase<K> : K]: T[K] }

function camel<T extends object>(value: T): CamelKeys<T> {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(
    entries.map(([key, item]) => [key.replaceAll(/_(\w)/gu, (_, letter: string) => letter.toUpperCase()), item]),
  ) as CamelKeys<T>
}

/** A key that may be left out; `key:` without a value is the same. */
function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform(value => value ?? undefined)
}

/** The same with a default. */
function withDefault<T extends z.ZodType>(schema: T, value: z.output<T>) {
  return schema.nullish().transform(given => (given ?? value) as z.output<T>)
}

const text = z.string().min(1)
const texts = z.array(text)
const count = z.int().positive()
const share = z.number().min(0).max(1)
/** One text or several. */
const oneOrMore = z.union([text, texts.min(1)], { error: 'expected a text or a list of texts' })
const eos = z.enum(['turn', 'all', 'last', 'none'])
const token = z.union([text, z.int().nonnegative()], { error: "expected a token's text or id" })

/** One item of `role_boundaries`. */
export const roleBoundary = z
  .strictObject({
    role: text,
    start: oneOrMore,
    end: z
      .union([text, texts.min(1), z.null()], { error: 'expected a text, a list of texts, eos_token or null' })
      .optional(),
    include_start: withDefault(z.boolean(), false),
    include_end: withDefault(z.boolean(), true),
    tail: optional(oneOrMore),
    end_before: optional(oneOrMore),
  })
  .transform(camel)

const propertyMappings = z.record(text, text)

/** What the rows are: a format's name, or a format of the user's own. */
const rowFormat = z.union(
  [
    text.refine(isRowFormat, 'expected a type of dataset that docs/formats.md lists'),
    z.strictObject(Object.fromEntries(settingsOfMapping().map(key => [key, z.string().nullish()]))),
  ],
  { error: 'expected a type of dataset that docs/formats.md lists' },
)

/** One item of `datasets` and `test_datasets`. */
export const dataset = z
  .strictObject({
    path: text,
    name: optional(text),
    data_files: optional(
      z.union([text, texts.min(1), z.record(text, z.union([text, texts.min(1)]))], {
        error: 'expected a path, a list of paths, or a mapping of splits to them',
      }),
    ),
    ds_type: optional(z.enum(['json', 'jsonl', 'parquet', 'arrow', 'csv', 'tsv', 'text'])),
    split: optional(text),
    revision: optional(text),
    type: withDefault(rowFormat, 'chat_template'),
    conversation: optional(text),
    field: optional(text),
    chat_template: optional(text),
    chat_template_jinja: optional(text),
    field_messages: optional(text),
    field_tools: optional(text),
    field_thinking: optional(text),
    template_thinking_key: optional(text),
    message_property_mappings: optional(propertyMappings),
    message_field_role: optional(text),
    message_field_content: optional(text),
    message_field_training: optional(text),
    message_field_training_detail: optional(text),
    roles: optional(z.record(text, texts)),
    roles_to_train: optional(texts),
    train_on_eos: optional(eos),
    train_on_eot: optional(eos),
    drop_system_message: withDefault(z.boolean(), false),
    split_thinking: withDefault(z.boolean(), false),
  })
  .transform(camel)

const exclude = z.union(
  [text.transform(start => ({ start })), z.strictObject({ start: text, end: optional(text) }).transform(camel)],
  { error: "expected a token's text, or a mapping of start and end" },
)

const media = z.union(
  [
    z.array(token).transform(tokens => ({ tokens })),
    z
      .strictObject({
        tokens: optional(z.array(token)),
        root: optional(text),
        allow_remote: optional(z.union([z.boolean(), texts])),
        family: optional(text),
        exif_orientation: optional(z.enum(['apply', 'ignore'])),
      })
      .transform(camel),
  ],
  { error: 'expected a list of tokens, or a mapping of tokens, root, allow_remote, family and exif_orientation' },
)

/** The `lossmask` block: what axolotl does not have. */
export const lossmask = z
  .strictObject({
    strategy: optional(text),
    route: withDefault(z.enum(['auto', 'boundaries', 'generation', 'content']), 'auto'),
    injection: withDefault(z.enum(['escape', 'error', 'allow']), 'escape'),
    straddle: optional(z.enum(['exclude', 'include'])),
    unterminated: withDefault(z.enum(['run-to-end', 'mask']), 'run-to-end'),
    turns: withDefault(z.enum(['all', 'last']), 'all'),
    rows: withDefault(z.enum(['conversation', 'split', 'last']), 'conversation'),
    reasoning: withDefault(z.enum(['train', 'mask']), 'train'),
    template: optional(text),
    arguments: withDefault(z.enum(['parse', 'keep']), 'parse'),
    scaffold: withDefault(z.enum(['template', 'generation-prompt']), 'template'),
    nulls: withDefault(z.enum(['drop', 'keep']), 'drop'),
    exclude: withDefault(z.array(exclude), []),
    weights: withDefault(z.record(text, z.number().nonnegative()), {}),
    train_on_shared_end: withDefault(z.boolean(), false),
    legacy_fallback: withDefault(z.boolean(), false),
    unsafe_scan: withDefault(z.boolean(), false),
    media: withDefault(media, { tokens: [] }),
    untrained_rows: optional(z.enum(['drop', 'keep'])),
    max_untrained_share: optional(share),
    find_duplicates: optional(z.boolean()),
    on_error: optional(z.enum(['fail', 'skip'])),
    audit: withDefault(z.record(text, share), {}),
  })
  .transform(camel)

const specialTokens = z.strictObject({
  bos_token: optional(text),
  eos_token: optional(text),
  pad_token: optional(text),
  unk_token: optional(text),
  sep_token: optional(text),
  cls_token: optional(text),
  mask_token: optional(text),
  additional_special_tokens: withDefault(texts, []),
})

/** The root of a config. */
export const root = z
  .strictObject({
    base_model: optional(text),
    tokenizer: optional(text),
    tokenizer_config: optional(text),
    revision_of_model: optional(text),
    chat_template: optional(text),
    chat_template_jinja: optional(text),
    chat_template_kwargs: withDefault(z.record(z.string(), z.unknown()), {}),
    role_boundaries: withDefault(z.array(roleBoundary), []),
    train_on_inputs: withDefault(z.boolean(), false),
    datasets: withDefault(z.array(dataset), []),
    test_datasets: withDefault(z.array(dataset), []),
    eot_tokens: withDefault(texts, []),
    special_tokens: optional(specialTokens),
    tokens: withDefault(texts, []),
    added_tokens_overrides: optional(z.record(z.string().regex(/^\d+$/u, 'expected the id of a token'), text)),
    sequence_len: optional(count),
    excess_length_strategy: withDefault(z.enum(['drop', 'truncate', 'raise']), 'drop'),
    min_sample_len: optional(count),
    sample_packing: withDefault(z.boolean(), false),
    sample_packing_group_size: optional(count),
    sample_packing_bin_size: optional(count),
    sample_packing_sequentially: optional(z.boolean()),
    dataset_prepared_path: optional(text),
    dataset_num_proc: optional(count),
    dataset_processes: optional(count),
    val_set_size: withDefault(
      z
        .number()
        .nonnegative()
        .refine(value => value < 1 || Number.isInteger(value), 'expected a share below 1 or a number of rows'),
      0,
    ),
    seed: withDefault(z.int(), 42),
    lossmask: withDefault(lossmask, lossmask.parse({})),
  })
  .transform(camel)

/** The names that each part of a config knows. */
export const knownKeys = {
  root: keysOf(root),
  dataset: keysOf(dataset),
  lossmask: keysOf(lossmask),
  roleBoundary: keysOf(roleBoundary),
  specialTokens: Object.keys(specialTokens.shape),
} as const

function keysOf(schema: { in: z.ZodObject }): string[] {
  return Object.keys(schema.in.shape)
}
