import { StateError } from '@castorjs/state-store'
import { expect, it } from 'vitest'
import { ConfigError } from '../config.ts'
import { describeStartFailure } from './start-or-exit.ts'

const system = (code: string, syscall: string, port?: number) => Object.assign(new Error('x'), { code, syscall, port })

it.each([
  ['a mistake of the configuration', new ConfigError(['PORT: x']), 2, /PORT: x$/],
  ['a state that cannot be used', new StateError('denied', 'It is locked'), 1, /^It is locked$/],
  ['a taken port', system('EADDRINUSE', 'listen', 8_100), 1, /^Port 8100 is taken\. Set PORT/],
  ['a port that is not ours', system('EACCES', 'listen', 80), 2, /PORT: this user may not listen on port 80/],
  ['an unknown name', system('ENOTFOUND', 'getaddrinfo'), 2, /HOST: is no address of this machine \(ENOTFOUND\)/],
  ['a name that is looked up later', system('EAI_AGAIN', 'getaddrinfo'), 2, /HOST: /],
  ['another machine’s address', system('EADDRNOTAVAIL', 'listen'), 2, /HOST: .* \(EADDRNOTAVAIL\)/],
])('has words for %s', (_, error, exitCode, message) => {
  expect(describeStartFailure(error)).toEqual({ exitCode, message: expect.stringMatching(message) as string })
})

it('leaves a bug its stack', () => {
  expect(describeStartFailure(new TypeError('x'))).toBeUndefined()
  expect(describeStartFailure(system('EACCES', 'open'))).toBeUndefined()
  expect(describeStartFailure(undefined)).toBeUndefined()
})
