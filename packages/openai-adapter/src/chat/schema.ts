import { EFFORTS } from '@castorjs/content-generator'
import * as v from 'valibot'

/**
 * The body of `POST /v1/chat/completions`, as far as we act on it. Unknown fields pass, wrong known ones fail;
 * `null` means absent everywhere, as many clients send it.
 * Source: `dialects.md` section 1.1 (openai 7.55).
 */

const text = v.nullish(v.string())
const flag = v.nullish(v.boolean())
const atLeastOne = v.nullish(v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(1)))
const between = (least: number, most: number) => v.nullish(v.pipe(v.number(), v.minValue(least), v.maxValue(most)))

/** Where every client but a few sends `{url}`, some send the bare string. */
const Url = v.union([v.string(), v.looseObject({ url: v.string(), detail: text })])

const File = v.looseObject({ filename: text, file_data: text, file_id: text, file_url: text, mime_type: text })

const ContentPartSchema = v.variant(
  'type',
  [
    v.looseObject({ type: v.picklist(['text', 'input_text', 'output_text']), text: v.string() }),
    v.looseObject({ type: v.literal('refusal'), refusal: v.string() }),
    v.looseObject({ type: v.literal('image_url'), image_url: Url }),
    v.looseObject({ type: v.literal('input_image'), image_url: v.nullish(Url), file_id: text }),
    v.looseObject({ type: v.literal('video_url'), video_url: Url }),
    v.looseObject({ type: v.literal('audio_url'), audio_url: Url }),
    v.looseObject({
      type: v.literal('input_audio'),
      input_audio: v.looseObject({ data: v.string(), format: text }),
    }),
    v.looseObject({ type: v.literal('file'), file: File }),
    v.looseObject({ type: v.literal('input_file'), ...File.entries }),
    // Other vendors' thinking in a replayed answer: accepted and dropped.
    v.looseObject({ type: v.picklist(['thinking', 'redacted_thinking', 'reasoning']) }),
  ],
  'is not a kind of content known here. Use text, image_url, input_audio, video_url, audio_url or file',
)

/** Signatures travel where Google's own compatibility endpoint puts them; LiteLLM has a place of its own. */
const signatureFields = {
  extra_content: v.nullish(v.looseObject({ google: v.nullish(v.looseObject({ thought_signature: text })) })),
  provider_specific_fields: v.nullish(v.looseObject({ thought_signature: text })),
}

const CalledFunction = v.looseObject({
  name: v.pipe(v.string(), v.nonEmpty('must not be empty')),
  arguments: v.nullish(v.union([v.string(), v.record(v.string(), v.unknown())])),
  ...signatureFields,
})

const ToolCallSchema = v.looseObject({
  id: text,
  function: v.nullish(CalledFunction),
  custom: v.nullish(v.looseObject({ name: v.string(), input: text })),
  ...signatureFields,
})

const MessageSchema = v.looseObject({
  role: v.picklist(
    ['developer', 'system', 'user', 'assistant', 'tool', 'function'],
    'must be developer, system, user, assistant, tool or function',
  ),
  content: v.nullish(v.union([v.string(), v.array(ContentPartSchema)])),
  name: text,
  refusal: text,
  tool_call_id: text,
  tool_calls: v.nullish(v.array(ToolCallSchema)),
  function_call: v.nullish(CalledFunction),
  images: v.nullish(v.array(v.looseObject({ image_url: v.nullish(Url) }))),
  ...signatureFields,
})

const FunctionSchema = v.looseObject({
  name: v.pipe(v.string(), v.nonEmpty('must not be empty')),
  description: text,
  parameters: v.nullish(v.union([v.looseObject({}), v.boolean()])),
})

const NamedFunction = v.looseObject({ name: v.string() })

const ToolSchema = v.looseObject({
  type: v.optional(v.string(), 'function'),
  function: v.nullish(FunctionSchema),
  custom: v.nullish(v.looseObject({ name: v.pipe(v.string(), v.nonEmpty('must not be empty')), description: text })),
})

const ToolChoiceSchema = v.union([
  v.picklist(['none', 'auto', 'required', 'any'], 'must be none, auto, required or an object that names a tool'),
  v.looseObject({
    type: text,
    function: v.nullish(NamedFunction),
    custom: v.nullish(NamedFunction),
    allowed_tools: v.nullish(
      v.looseObject({
        mode: v.nullish(v.picklist(['auto', 'required'])),
        tools: v.array(v.looseObject({ function: v.nullish(NamedFunction), custom: v.nullish(NamedFunction) })),
      }),
    ),
  }),
])

const EffortSchema = v.nullish(v.picklist(EFFORTS, `must be one of ${EFFORTS.join(', ')}`))

/** Google's own extension, at the top level or inside `extra_body`. */
const GoogleSchema = v.nullish(
  v.looseObject({
    thinking_config: v.nullish(
      v.looseObject({
        thinking_budget: v.nullish(v.number()),
        thinking_level: text,
        include_thoughts: flag,
      }),
    ),
    cached_content: text,
  }),
)

export const ChatRequestSchema = v.looseObject({
  model: v.pipe(v.string(), v.nonEmpty('must not be empty')),
  messages: v.pipe(v.array(MessageSchema), v.nonEmpty('must hold at least one message')),
  stream: flag,
  stream_options: v.nullish(v.looseObject({ include_usage: flag })),
  temperature: between(0, 2),
  top_p: between(0, 1),
  top_k: atLeastOne,
  max_completion_tokens: atLeastOne,
  max_tokens: atLeastOne,
  n: v.nullish(v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(1), v.maxValue(128))),
  stop: v.nullish(v.union([v.string(), v.array(v.string())])),
  seed: v.nullish(v.pipe(v.number(), v.integer('must be a whole number'))),
  presence_penalty: between(-2, 2),
  frequency_penalty: between(-2, 2),
  logprobs: flag,
  top_logprobs: v.nullish(v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(0), v.maxValue(20))),
  tools: v.nullish(v.array(ToolSchema)),
  tool_choice: v.nullish(ToolChoiceSchema),
  parallel_tool_calls: flag,
  functions: v.nullish(v.array(FunctionSchema)),
  function_call: v.nullish(
    v.union([v.picklist(['none', 'auto'], 'must be none, auto or an object with a name'), NamedFunction]),
  ),
  response_format: v.nullish(
    v.variant(
      'type',
      [
        v.looseObject({ type: v.picklist(['text', 'json_object']) }),
        v.looseObject({
          type: v.literal('json_schema'),
          json_schema: v.looseObject({ name: text, schema: v.nullish(v.looseObject({})) }),
        }),
      ],
      'must be text, json_object or json_schema',
    ),
  ),
  reasoning_effort: EffortSchema,
  reasoning: v.nullish(
    v.looseObject({ effort: EffortSchema, max_tokens: v.nullish(v.number()), enabled: flag, exclude: flag }),
  ),
  thinking: v.nullish(v.looseObject({ type: text, budget_tokens: v.nullish(v.number()) })),
  enable_thinking: flag,
  modalities: v.nullish(v.array(v.string())),
  audio: v.nullish(v.looseObject({ voice: v.nullish(v.unknown()), format: text })),
  web_search_options: v.nullish(v.looseObject({})),
  google: GoogleSchema,
  extra_body: v.nullish(v.looseObject({ google: GoogleSchema })),
  safety_settings: v.nullish(v.array(v.looseObject({ category: v.string(), threshold: v.string() }))),
})

export type ChatRequestBody = v.InferOutput<typeof ChatRequestSchema>
export type ChatMessage = v.InferOutput<typeof MessageSchema>
export type ContentPart = v.InferOutput<typeof ContentPartSchema>
export type ChatTool = v.InferOutput<typeof ToolSchema>
export type ToolCallBody = v.InferOutput<typeof ToolCallSchema>
