import type { ChatState, WebReply } from './reply.ts'
import type { TurnEvent } from './turn.ts'
import type { TurnOptions } from './client.ts'

export interface ChatOptions extends Pick<TurnOptions, 'model' | 'temporary' | 'gemId'> {
  /** Goes on where an earlier reply ended. */
  state?: ChatState
}

/** A chat with the web app: remembers the ids of its last reply. */
export interface Chat {
  /** Ids to keep; undefined before the first reply. */
  readonly state: ChatState | undefined
  stream(prompt: string, options?: TurnOptions): AsyncGenerator<TurnEvent>
  send(prompt: string, options?: TurnOptions): Promise<WebReply>
}

export function createChat(
  stream: (prompt: string, options: TurnOptions) => AsyncGenerator<TurnEvent>,
  { state: first, ...fixed }: ChatOptions = {},
): Chat {
  let state = first

  async function* streamTurn(prompt: string, options: TurnOptions = {}): AsyncGenerator<TurnEvent> {
    const chat = state === undefined ? {} : { chat: state }
    for await (const event of stream(prompt, { ...fixed, ...options, ...chat })) {
      if (event.type === 'reply' && event.reply.chat !== undefined) state = event.reply.chat
      yield event
    }
  }

  return {
    get state() {
      return state
    },
    stream: streamTurn,
    async send(prompt, options) {
      let reply: WebReply | undefined
      for await (const event of streamTurn(prompt, options)) if (event.type === 'reply') reply = event.reply
      if (reply === undefined) throw new Error('A turn always ends with its reply')
      return reply
    },
  }
}
