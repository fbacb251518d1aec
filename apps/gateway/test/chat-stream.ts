import type OpenAI from 'openai'

/** A Chat Completions stream read whole. */
export interface ReadChat {
  content: string
  calls: { name: string; arguments: string }[]
  images: string[]
  finish: string | null | undefined
  model: string | undefined
  /** True when the stream ended as it must, with `[DONE]`. */
  done: boolean
}

export function readChatStream(text: string): ReadChat {
  const lines = text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice('data: '.length)] : []))
  const read: ReadChat = {
    content: '',
    calls: [],
    images: [],
    finish: undefined,
    model: undefined,
    done: lines.at(-1) === '[DONE]',
  }
  for (const line of lines) {
    if (line === '[DONE]') continue
    const { model, choices } = JSON.parse(line) as OpenAI.ChatCompletionChunk
    read.model = model
    const choice = choices[0]
    const delta = choice?.delta as
      (OpenAI.ChatCompletionChunk.Choice.Delta & { images?: { image_url: { url: string } }[] }) | undefined
    read.content += delta?.content ?? ''
    for (const call of delta?.tool_calls ?? []) {
      const known = (read.calls[call.index] ??= { name: '', arguments: '' })
      known.name += call.function?.name ?? ''
      known.arguments += call.function?.arguments ?? ''
    }
    read.images.push(...(delta?.images ?? []).map(({ image_url }) => image_url.url))
    read.finish = choice?.finish_reason ?? read.finish
  }
  return read
}
