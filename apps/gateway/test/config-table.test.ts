import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ConfigSchema } from '../src/config-schema.ts'
import { VARIABLES } from '../src/environment.ts'

/** What valibot's objects, lists and defaults have in common, as far as it matters here. */
interface Schema {
  entries?: Record<string, Schema>
  item?: Schema
  wrapped?: Schema
  default?: unknown
}

interface Key {
  name: string
  /** Undefined where there is none, or where it is made of what is inside. */
  defaultValue: unknown
}

function keysOf(schema: Schema, name = '', defaultValue?: unknown): Key[] {
  const { entries, item, wrapped } = schema
  if (wrapped !== undefined) return keysOf(wrapped, name, schema.default)
  if (entries !== undefined) {
    return Object.entries(entries).flatMap(([key, entry]) => keysOf(entry, name === '' ? key : `${name}.${key}`))
  }
  if (item?.entries !== undefined) return keysOf(item, `${name}[]`)
  return [{ name, defaultValue }]
}

const [, section = ''] =
  /^## Configuration$(.*?)^## /ms.exec(readFileSync(new URL('../README.md', import.meta.url), 'utf8')) ?? []
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')))
  .map(([, name, variable, , defaultValue]) => ({ name, variable, defaultValue }))
const keys = keysOf(ConfigSchema as unknown as Schema)

it('README names every key of the configuration, and no other', () => {
  expect(keys.length).toBeGreaterThan(50)
  expect(new Set(rows.map(({ name }) => name))).toEqual(new Set(keys.map(({ name }) => name)))
  expect(rows).toHaveLength(keys.length)
})

it('README has the defaults as they are', () => {
  const told = keys
    .filter(({ defaultValue }) => defaultValue !== undefined)
    .map(({ name, defaultValue }) => ({ name, defaultValue: JSON.stringify(defaultValue) }))
  expect(told.length).toBeGreaterThan(30)
  for (const each of told) expect(rows).toContainEqual(expect.objectContaining(each))
})

it('README names every variable, beside the key that it sets', () => {
  const told = Object.fromEntries(rows.map(({ name = '', variable }) => [name, variable]))
  for (const [variable, { path }] of Object.entries(VARIABLES)) {
    const beginning = path.filter((part) => part !== 'environment').join('.')
    const beside = Object.keys(told).filter((name) => `${name.replaceAll('[]', '')}.`.startsWith(`${beginning}.`))
    expect(beside.map((name) => told[name])).toContain(variable)
  }
})
