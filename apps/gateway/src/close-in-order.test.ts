import { expect, it } from 'vitest'
import { closeInOrder } from './close-in-order.ts'

it('closes every part, in order, whatever another does, and then throws the first failure', async () => {
  const closed: string[] = []
  const part = (name: string, error?: Error) => async () => {
    closed.push(name)
    await Promise.resolve()
    if (error !== undefined) throw error
  }
  const failing = [part('a'), part('b', new Error('first')), part('c', new Error('second')), part('d')]
  await expect(closeInOrder(failing)).rejects.toThrow('first')
  expect(closed).toEqual(['a', 'b', 'c', 'd'])
  await expect(closeInOrder([part('e')])).resolves.toBeUndefined()
})
