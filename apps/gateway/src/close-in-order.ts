/**
 * Closes one part after the other, whatever another one does.
 *
 * @throws What the first that failed threw, once all are closed.
 */
export async function closeInOrder(parts: readonly (() => unknown)[]): Promise<void> {
  const failures: unknown[] = []
  for (const close of parts) {
    try {
      await close()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
