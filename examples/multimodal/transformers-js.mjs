// Labels for rows that a processor of transformers.js has expanded, and one batch of them.
//
//     npm install @huggingface/transformers
//     node examples/multimodal/transformers-js.mjs MODEL_FOLDER IMAGE
//
// The folder is a Qwen2-VL's: tokenizer.json, tokenizer_config.json, preprocessor_config.json, chat_template.jinja. Nothing is downloaded.
// lossmask needs the ids alone: the same works with ids from any other service.
import { readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { AutoProcessor, env, RawImage } from '@huggingface/transformers'
import { collate, loadTokenizer, Masker } from 'lossmask'

const [folder, image] = process.argv.slice(2)
const model = resolve(folder)
env.allowRemoteModels = false
env.localModelPath = `${dirname(model)}/`

const processor = await AutoProcessor.from_pretrained(basename(model))
const picture = await RawImage.read(image)
const template = readFileSync(`${model}/chat_template.jinja`, 'utf8')
const conversation = answer => [
  { role: 'user', content: [{ type: 'image' }, { type: 'text', text: 'What do you see in this picture?' }] },
  { role: 'assistant', content: [{ type: 'text', text: answer }] },
]

// Ids with the placeholders expanded, as the model will read them.
const rows = []
for (const answer of ['A small harbour.', 'Dark water below, a pale sky above.']) {
  const text = processor.apply_chat_template(conversation(answer), { tokenize: false, chat_template: template })
  const { input_ids: ids } = await processor(text, picture)
  rows.push(Int32Array.from(ids.data, Number))
}

// Their labels: one call for all of them, then one rectangle.
const tokenizer = await loadTokenizer(model)
const masker = Masker.forStrategy('qwen2_vl', tokenizer)
const offsets = [0]
for (const row of rows) offsets.push(offsets.at(-1) + row.length)
const labels = masker.labelsBatch(Int32Array.from(rows.flatMap(row => [...row])), { offsets })
const batch = collate(
  rows.map((inputIds, index) => ({ inputIds, labels: labels.slice(offsets[index], offsets[index + 1]) })),
  { padToMultipleOf: 8 },
)

const placeholder = tokenizer.tokenToId('<|image_pad|>')
const trained = batch.labels.filter(label => label !== -100)
console.log(
  JSON.stringify({
    shape: batch.shape,
    placeholders: rows.map(row => row.filter(id => id === placeholder).length),
    trained: tokenizer.decode([...trained]),
  }),
)
