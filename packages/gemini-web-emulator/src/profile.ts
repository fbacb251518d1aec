import type { Answer } from './answers/answer.ts'

/** One exchange of a chat. */
export interface Turn {
  responseId: string
  candidateId: string
  prompt: string
  answer: Answer
  createdMs: number
  /** Until then history shows it as unfinished. */
  finishedMs: number
  /** Model that answered: id and display name. */
  model: { id: string; name: string }
}

export interface Chat {
  readonly id: string
  title: string
  pinned: boolean
  unread: boolean
  /** Not listed, no originals, no jobs. */
  readonly temporary: boolean
  /** Model asked for in the first turn; another one later is refusal 1050. */
  readonly modelId: string | undefined
  /** Oldest first. */
  readonly turns: Turn[]
  updatedMs: number
}

export interface OwnGem {
  id: string
  name: string
  description: string
  prompt: string
}

/** What one person has stored: an account (or one of several behind the same cookies), or a guest. */
export interface Profile {
  /** `ada`, `ada/1` or `guest`. */
  readonly name: string
  readonly index: number
  readonly guest: boolean
  readonly email: string
  readonly accountNumber: string
  /** Oldest first. */
  readonly chats: Map<string, Chat>
  readonly gems: Map<string, OwnGem>
}

export function createProfile({
  account,
  index,
  email,
  guest = false,
  accountNumber = numberOf(account + index),
}: {
  account: string
  index: number
  email: string
  guest?: boolean
  accountNumber?: string
}): Profile {
  return {
    name: index === 0 ? account : `${account}/${index}`,
    index,
    guest,
    email,
    accountNumber,
    chats: new Map(),
    gems: new Map(),
  }
}

/** 21 digits, the same for the same name. */
function numberOf(name: string): string {
  let digits = ''
  for (const character of name) digits += character.charCodeAt(0) % 10
  return `1${digits}`.padEnd(21, '0').slice(0, 21)
}

/** Stores a chat; the oldest are forgotten over the limit. */
export function keepChat(profile: Profile, chat: Chat, limit: number): void {
  profile.chats.set(chat.id, chat)
  if (profile.chats.size <= limit) return
  for (const id of profile.chats.keys()) {
    if (profile.chats.size <= limit) break
    profile.chats.delete(id)
  }
}
