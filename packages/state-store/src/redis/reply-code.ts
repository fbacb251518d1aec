const IN_SCRIPT = /@user_script: ?\d+: -([A-Z]+)\b/

/**
 * The code of what Redis answered, such as `READONLY` or `NOPERM`. Redis before 7 says of a script `ERR Error running
 * script (call to f_…): @user_script:4: @user_script: 4: -READONLY You can't write against a read only replica.`
 */
export function readReplyCode(error: unknown): string {
  const text = error instanceof Error ? error.message : ''
  return IN_SCRIPT.exec(text)?.[1] ?? text.split(' ', 1)[0] ?? ''
}

/** Codes of a node that is there but takes no writes. */
export const NO_WRITES: ReadonlySet<string> = new Set([
  'READONLY',
  'MISCONF',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'NOREPLICAS',
])
