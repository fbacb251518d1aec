import { describe, expect, it } from 'vitest'
import { readReplyCode } from './reply-code.ts'

describe('readReplyCode', () => {
  it.each([
    ["READONLY You can't write against a read only replica.", 'READONLY'],
    // Redis 7.0.15, as it answered.
    [
      "READONLY You can't write against a read only replica. script: 7829effcb2fe72eb30b7f91ade9dd54699db428a, on @user_script:1.",
      'READONLY',
    ],
    // Redis 6, as reported in spring-projects/spring-data-redis#3042; Dragonfly, in dragonflydb/dragonfly#1391.
    [
      "ERR Error running script (call to f_1028a5dba704e1d8a01fd96efeba25bb78f62df2): @user_script:4: @user_script: 4: -READONLY You can't write against a read only replica.",
      'READONLY',
    ],
    [
      "ERR Error running script (call to d8f2fad9f8e86a53d2a6ebd960b33c4972cacc37): @user_script:2: -READONLY You can't write against a read only replica.",
      'READONLY',
    ],
    ['ERR unknown command', 'ERR'],
    ['Command timed out', 'Command'],
    ['', ''],
  ])('reads %j', (message, code) => {
    expect(readReplyCode(new Error(message))).toBe(code)
  })
})
