import { describe, expect, it } from 'vitest'
import { createStopCutter } from './stop-cutter.ts'

function cut(text: string, stops: string[], size: number): string {
  const cutter = createStopCutter(stops)
  let out = ''
  for (let start = 0; start < text.length; start += size) {
    const { text: piece, stopped } = cutter.push(text.slice(start, start + size))
    out += piece
    if (stopped) return out
  }
  return out + cutter.finish()
}

describe('createStopCutter', () => {
  it.each([1, 2, 7, 64])('cuts at the first stop sequence when text comes in pieces of %i', (size) => {
    expect(cut('one two END three', ['END'], size)).toBe('one two ')
    expect(cut('one two EN three', ['END'], size)).toBe('one two EN three')
    expect(cut('a\n\nUser: b', ['User:', '\n\n'], size)).toBe('a')
    expect(cut('no stops at all', [], size)).toBe('no stops at all')
  })
})
