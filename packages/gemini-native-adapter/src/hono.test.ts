import { finalChunk, textPart } from '@castorjs/content-generator'
import { scriptedGenerator } from '@castorjs/testkit'
import { Hono } from 'hono'
import { expect, it } from 'vitest'
import { geminiNative } from './hono.ts'

const app = new Hono()
const generator = scriptedGenerator([finalChunk('STOP', {}, [textPart('hi')])])
app.route('/gemini', geminiNative({ generator, authorize: 'anyone' }))
app.get('/gemini/v1/models', (context) => context.json({ object: 'list' }))

it('answers what is Google’s, under a mount', async () => {
  const body = JSON.stringify({ contents: [{ parts: [{ text: 'x' }] }] })
  const response = await app.request('/gemini/v1beta/models/m:generateContent', { method: 'POST', body })
  expect(await response.json()).toMatchObject({ candidates: [{ content: { parts: [{ text: 'hi' }] } }] })
  const models = await app.request('/gemini/v1/models', { headers: { 'x-goog-api-key': 'k' } })
  expect(await models.json()).toMatchObject({ models: [{ name: 'models/scripted-model' }] })
})

it('leaves the rest to the routes that follow', async () => {
  expect(await (await app.request('/gemini/v1/models')).json()).toEqual({ object: 'list' })
  expect((await app.request('/gemini/v1/chat/completions')).status).toBe(404)
})
