/** Rows with one tool call, and a template that prints tools and calls. */
import { CHATML } from './wholeRun.js'

const PRINTED =
  '{% for c in m.tool_calls or [] %}<call>{{ c.function.name }} {{ c.function.arguments | tojson }}</call>{% endfor %}'

/** ChatML with tools as JSON in a system turn and calls as JSON behind the content. */
export const CALLS = {
  chat_template: 'jinja',
  chat_template_jinja: `{% if tools %}<|im_start|>system\n{{ tools | tojson }}<|im_end|>\n{% endif %}${CHATML.replace(
    "m.content + '<|im_end|>\\n' }}",
    `(m.content if m.content is defined else '') }}${PRINTED}{{ '<|im_end|>\\n' }}`,
  )}`,
}

/** A row, as a line of its file, whose answer is one call with these arguments, given as JSON. */
export function inTools(args: string, more = ''): string {
  const call = `{"type": "function", "function": {"name": "f", "arguments": ${args}}}`
  return `{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "", "tool_calls": [${call}]}]${more}}`
}
