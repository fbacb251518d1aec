import type { GenerationEvent } from '@castorjs/content-generator'
import { createId } from '../ids.ts'
import type { ChatShape } from './decode.ts'

type ToolCallEvent = Extract<GenerationEvent, { type: 'tool-call' }>

/** A call as OpenAI writes it, whole. */
export interface EncodedCall {
  id: string
  /** `function`, or `custom` for tools that take free text. */
  type: 'function' | 'custom'
  name: string
  /** JSON text, or the free text of a custom tool. */
  input: string
  extra: { extra_content: { google: { thought_signature: string } } } | undefined
}

/** Ids every client and dialect accepts. */
const PORTABLE_ID = /^[A-Za-z0-9_-]{1,40}$/

/**
 * Writes one call: the upstream's id where it has a portable one, the caller's own name for the tool, and the
 * signature where Google's own compatibility endpoint puts it.
 */
export function encodeCall(
  event: ToolCallEvent,
  { customTools, toolNames }: Pick<ChatShape, 'customTools' | 'toolNames'>,
): EncodedCall {
  const isCustom = customTools.has(event.name)
  const { input } = event.arguments
  return {
    id: event.id !== undefined && PORTABLE_ID.test(event.id) ? event.id : createId('call_'),
    type: isCustom ? 'custom' : 'function',
    name: toolNames.decode(event.name),
    input: isCustom && typeof input === 'string' ? input : JSON.stringify(event.arguments),
    extra:
      event.signature === undefined ? undefined : { extra_content: { google: { thought_signature: event.signature } } },
  }
}

/** The call inside `message.tool_calls`. */
export function toToolCall({ id, type, name, input, extra }: EncodedCall) {
  if (type === 'custom') return { id, type, custom: { name, input }, ...extra }
  return { id, type, function: { name, arguments: input }, ...extra }
}
