import { GenerationError } from '@castorjs/content-generator'
import { TransportError } from '@castorjs/http-transport'
import { expect, it } from 'vitest'
import { toWireError } from './transport-error.ts'

const { signal } = new AbortController()
const refused = { systemCode: 'ECONNREFUSED' }

it.each([
  ['a connection', new TransportError('network', 'x', refused), 'upstream_unavailable', 'upstream', 'ECONNREFUSED'],
  ['a proxy', new TransportError('proxy', 'x', refused), 'upstream_unavailable', 'egress', 'ECONNREFUSED'],
  ['a proxy that says no more', new TransportError('proxy', 'x'), 'upstream_unavailable', 'egress', 'proxy'],
  ['broken JSON', new SyntaxError('secret'), 'protocol_drift', 'upstream', undefined],
  ['a bug', new RangeError('secret'), 'internal', 'castor', undefined],
])('blames for %s whoever it was', (_, thrown, code, fault, upstreamCode) => {
  const error = toWireError(thrown, signal)
  expect(error).toMatchObject({ code, fault, cause: thrown })
  expect(error.upstreamCode).toBe(upstreamCode)
  expect(error.message).not.toContain('secret')
})

it('leaves our own errors as they are, and calls an abort one', () => {
  const error = new GenerationError('blocked', 'x')
  expect(toWireError(error, signal)).toBe(error)
  expect(toWireError(new TransportError('proxy', 'x'), AbortSignal.abort()).code).toBe('aborted')
})
