import type { Candidate } from '@castorjs/content-generator'

interface Token {
  token?: string
  logProbability?: number
}

interface LogprobsResult {
  chosenCandidates?: Token[]
  topCandidates?: { candidates?: Token[] }[]
}

/** OpenAI's `logprobs` of a choice, or null where the upstream sent none. */
export function encodeLogprobs(candidate: Candidate | undefined) {
  const result = candidate?.['logprobsResult'] as LogprobsResult | undefined
  if (result?.chosenCandidates === undefined) return null
  const content = result.chosenCandidates.map((chosen, index) => ({
    ...encodeToken(chosen),
    top_logprobs: (result.topCandidates?.[index]?.candidates ?? []).map(encodeToken),
  }))
  return { content, refusal: null }
}

function encodeToken({ token = '', logProbability = 0 }: Token) {
  return { token, logprob: logProbability, bytes: [...new TextEncoder().encode(token)] }
}
